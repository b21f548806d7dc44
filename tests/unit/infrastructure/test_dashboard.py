import ast
import re

from tests.unit.infrastructure.dashboard import asked_by_alarms, asked_by_dashboard, widgets
from tests.unit.infrastructure.sources import ROOT, resources, template

# Who names a metric that no code of ours emits: AWS itself.
OF_AWS = {
    "AWS/Lambda": {"Duration", "Errors", "Throttles"},
    "AWS/States": {
        "ExecutionTime",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
        "ExecutionThrottled",
    },
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible"},
    "AWS/Scheduler": {"TargetErrorCount"},
}


def test_widgets_lie_beside_each_other_on_a_grid_of_24_columns() -> None:
    taken: dict[tuple[int, int], str] = {}
    for widget in widgets():
        title = widget["properties"]["title"]
        assert widget["x"] + widget["width"] <= 24, title
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                assert (x, y) not in taken, f"{title} lies over {taken[x, y]}"
                taken[x, y] = title


def test_every_alarm_is_shown() -> None:
    (shown,) = widgets("alarm")
    assert set(shown["properties"]["alarms"]) == {f"${{{name}.Arn}}" for name in resources("AWS::CloudWatch::Alarm")}


def test_the_custom_widgets_ask_for_what_the_function_knows() -> None:
    known = re.search(r"widget: Literal\[(.*?)\]", (ROOT / "functions" / "widgets" / "app.py").read_text())
    assert known
    pages = set(ast.literal_eval(f"({known[1]},)"))
    asked = {widget["properties"]["params"]["widget"] for widget in widgets("custom")}
    assert asked == pages - {"run"}  # which is opened from the list of runs


def test_a_custom_widget_is_answered_by_our_function_and_told_where_to_find_it() -> None:
    for widget in widgets("custom"):
        endpoint = "${WidgetsFunction.Arn}"
        assert (widget["properties"]["endpoint"], widget["properties"]["params"]["endpoint"]) == (endpoint, endpoint)


def test_all_that_the_body_refers_to_is_in_the_template() -> None:
    (properties,) = resources("AWS::CloudWatch::Dashboard").values()
    names = set(re.findall(r"\$\{(\w+)[.\w]*\}", properties["DashboardBody"]["Fn::Sub"]))
    assert names <= set(template()["Resources"])


def test_metrics_are_ours_or_known_of_aws() -> None:
    for asked in asked_by_dashboard() | asked_by_alarms():
        assert asked.namespace == "Openbell" or asked.name in OF_AWS[asked.namespace], asked


def test_no_metric_of_ours_has_the_ticker_as_a_dimension() -> None:
    dimensions = {name for asked in asked_by_dashboard() for name in asked.dimensions if asked.namespace == "Openbell"}
    assert dimensions == {"service", "strategy", "function_name"}  # each further value is 0.30 USD a month and metric
