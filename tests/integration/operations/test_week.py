"""What the operator hears and sees of a bad week, and what nobody may see."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator

import pytest

from cli.platform import Place, open_platform
from cli.usage import read_forecasts, read_usage
from cli.views.cost import read_costs
from openbell.events import EventKind
from openbell.model import RunStatus
from tests.integration.operations.recorded_calls import used_actions
from tests.integration.operations.rights import SELDOM, allowed, possible
from tests.integration.operations.week import KEYS, Week, a_week
from tests.integration.operations.written import written
from tests.unit.infrastructure.dashboard import Asked, asked_by_alarms, asked_by_dashboard
from tests.unit.infrastructure.sources import functions, resources

ALARMS = resources("AWS::CloudWatch::Alarm")


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    with a_week(tmp_path_factory.mktemp("week")) as played:
        yield played


@pytest.mark.parametrize(
    ("cause", "alarm", "words"),
    [
        ("deployed", "NoRunCompleted", "for half an hour no run has completed"),
        ("rejections", "OrdersRejected", "rejected more than a fifth"),
        ("no forecasts", "ForecastsFailing", "more than a tenth of the tickers"),
        ("halt", "TradingHalted", "trading is halted"),
        ("drift", "DriftFound", "own more shares than the broker holds"),
        ("missed tick", "TickMissed", "no run started within five minutes"),
        ("undelivered event", "EventUndelivered", "neither could this be told nor the run be closed"),
        ("refused start", "ScheduleFailing", "Scheduler tries to start a run and is refused"),
        ("silence", "NoRunCompleted", "for half an hour no run has completed"),
    ],
)
def test_an_alarm_fires_by_its_real_cause_alone_and_says_what_to_do(
    week: Week, cause: str, alarm: str, words: str
) -> None:
    assert list(week.told[cause]) == [alarm]
    message = week.told[cause][alarm]
    assert words in message
    assert "First thing to do: " in message
    mails = [json.loads(alert.message) for alert in week.cloud.alerts if f"-{alarm}-" in alert.subject]
    assert message in [mail["AlarmDescription"] for mail in mails]


def test_a_good_day_alarms_nobody(week: Week) -> None:
    assert week.told["a good day"] == {}


def test_a_run_takes_the_lease_over_from_an_execution_that_has_ended(week: Week) -> None:
    _, _, name = week.executions[1].rpartition(":")
    run = week.ledger.run_of(name)
    assert run
    assert (run.status, run.fence) == (RunStatus.COMPLETED, 3)  # the first run, the lease that was left, this run


def test_a_failed_run_sends_one_mail(week: Week) -> None:
    for execution in week.executions:
        _, _, name = execution.rpartition(":")
        run = week.ledger.run_of(name)
        assert run
        mails = [alert for alert in week.cloud.alerts if name in alert.message]
        assert len(mails) == (run.status is RunStatus.FAILED), name


def test_a_skipped_run_is_no_error_of_a_lambda(week: Week) -> None:
    failed = [(call.function, call.error_type) for call in week.cloud.invocations if call.error_type]
    assert failed == [("AggregateSignalsFunction", "TooManyForecastFailures")]


def test_every_metric_of_dashboard_and_alarms_is_one_that_was_really_measured(week: Week) -> None:
    measured = {Asked(metric.namespace, metric.name, tuple(sorted(metric.dimensions))) for metric in week.cloud.metrics}
    asked = {found for found in asked_by_dashboard() | asked_by_alarms() if found.namespace == "Openbell"}
    assert asked - measured == set()


def test_every_metric_that_was_measured_is_shown(week: Week) -> None:
    measured = {metric.name for metric in week.cloud.metrics}
    shown = {found.name for found in asked_by_dashboard()}
    assert measured - shown == {"RunsOpened"}  # which the outcomes tell, later


def test_the_dashboard_is_deployed_with_names_instead_of_placeholders(week: Week) -> None:
    (name,) = [
        found["DashboardName"] for found in week.cloud.client("cloudwatch").list_dashboards()["DashboardEntries"]
    ]
    body = json.loads(week.cloud.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])
    assert "${" not in json.dumps(body)
    endpoints = {w["properties"]["endpoint"] for w in body["widgets"] if w["type"] == "custom"}
    function = week.cloud.client("lambda").get_function(FunctionName=week.cloud.physical_id("WidgetsFunction"))
    assert endpoints == {function["Configuration"]["FunctionArn"]}


def test_the_widgets_show_the_runs_of_the_week(week: Week) -> None:
    assert "TooManyForecastFailures" in week.widgets["state"]
    assert "Trading is on." in week.widgets["state"]
    assert "momentum" in week.widgets["positions"]
    assert week.widgets["a good run"].count("<svg") >= 4  # one a ticker
    assert "There is no report of run 20200101-0000-0000." in week.widgets["an unknown run"]


def test_the_world_has_heard_of_everything_once(week: Week) -> None:
    kinds = Counter(event["detail-type"] for event in week.heard)
    assert set(kinds) == {kind.value for kind in EventKind}
    assert (kinds["RunCompleted"], kinds["RunFailed"], kinds["RunSkipped"]) == (3, 1, 1)
    assert len({event["detail"]["id"] for event in week.heard}) == len(week.heard)
    assert week.ledger.outbox() == []


@pytest.mark.parametrize(
    "function", sorted(functions().keys() - {"BacktestFoldFunction", "CheckReleaseFunction"})
)  # which has a test of its own
def test_a_function_may_do_what_it_does_and_nothing_else(week: Week, function: str) -> None:
    used = used_actions(week.folder)[week.cloud.physical_id(function)]
    seldom = {action for name, action in SELDOM if name == function}
    assert allowed(function) == used | seldom
    assert not used & seldom, "done after all: take it out of SELDOM"
    assert seldom <= possible(function), "the code does not lead there any more: take the right away"


def test_the_brokers_keys_are_written_nowhere(week: Week) -> None:
    forms = [form for key in (KEYS.key_id, KEYS.secret_key) for form in (key, b64encode(key.encode()).decode())]
    found = {place: [form for form in forms if form in text] for place, text in written(week).items()}
    assert not any(found.values()), found


def test_the_search_for_keys_would_find_them(week: Week) -> None:
    runs = [run.run_id for run in week.ledger.runs()]  # which are written wherever a run leaves traces
    places = {place for place, text in written(week).items() if any(run in text for run in runs)}
    assert places == {"logs", "histories", "table", "bucket", "alerts", "events", "widgets"}


def test_the_bill_is_reckoned_from_what_was_really_used(week: Week) -> None:
    with open_platform(Place("openbell", week.cloud.endpoint_url, access_key=week.cloud.access_key)) as platform:
        runs = platform.ledger.runs()
        found = read_usage(platform, runs, read_forecasts(runs, platform.archive))
        costs = read_costs(platform, 546, 20)
    invocations = week.cloud.invocations
    assert found.ticks == found.histories == len(week.executions)
    assert sum(found.invocations.values()) == len(invocations)
    starts = sum((each.init_ms or 0) / 1000 * each.memory_mb / 1024 for each in invocations)
    used = sum(each.billed_gb_s for each in invocations) + starts
    assert sum(found.gb_seconds.values()) == pytest.approx(used, rel=0.001)
    entered = written(week)["histories"].count("StateEntered")
    assert found.transitions >= entered  # and a retry is one more
    kinds = {(metric.name, *sorted(metric.dimensions.items())) for metric in week.cloud.metrics}
    assert found.metrics == len(kinds)
    assert found.alarms == len(ALARMS)  # none of them watches more than one metric
    assert set(costs.by_strategy) == {"momentum", "prophet_trend"}
    assert sum(costs.by_strategy.values()) == pytest.approx(costs.trading[0])
