"""GetMetricData of the local cloud, asked as a dashboard asks it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.cloudwatch.models import CloudWatchBackend

from local.account import ACCOUNT_ID, REGION
from local.moto_cloudwatch import metric_queries_are_answered

NOON = datetime(2024, 3, 8, 12, tzinfo=UTC)


@pytest.fixture
def backend() -> Iterator[CloudWatchBackend]:
    with metric_queries_are_answered():
        yield CloudWatchBackend(REGION, ACCOUNT_ID)


def put(backend: CloudWatchBackend, name: str, value: float, minute: float = 0, **dimensions: str) -> None:
    datum = {
        "MetricName": name,
        "Value": value,
        "Timestamp": (NOON + timedelta(minutes=minute)).replace(tzinfo=None),
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
    }
    backend.put_metric_data("Openbell", [datum])


def stat(name: str, statistic: str, key: str = "m", **dimensions: str) -> dict[str, Any]:
    pairs = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    metric = {"Namespace": "Openbell", "MetricName": name, "Dimensions": pairs}
    return {"Id": key, "MetricStat": {"Metric": metric, "Period": 900, "Stat": statistic}}


def search(name: str, key: str = "s") -> dict[str, Any]:
    return {"Id": key, "Expression": f"SEARCH('{{Openbell,service,strategy}} MetricName=\"{name}\"', 'Average', 900)"}


def ask(backend: CloudWatchBackend, *queries: dict[str, Any], **options: str) -> dict[str, list[float]]:
    """Values by label, of the two hours around noon."""
    hour = timedelta(hours=1)
    found = backend.get_metric_data(list(queries), NOON - hour, NOON + hour, **options)
    return {result["label"]: result["values"] for result in found}


@pytest.mark.parametrize(
    ("statistic", "expected"), [("Sum", 12), ("Average", 4), ("Maximum", 9), ("SampleCount", 3), ("p50", 2)]
)
def test_a_period_has_one_value_by_the_statistic(backend: CloudWatchBackend, statistic: str, expected: float) -> None:
    for minute, value in ((0, 1), (5, 2), (14, 9)):
        put(backend, "Orders", value, minute)
    put(backend, "Orders", 100, 15)  # the next period
    assert ask(backend, stat("Orders", statistic))["Orders"][0] == expected


def test_points_stand_at_the_beginning_of_their_periods_in_the_order_asked_for(backend: CloudWatchBackend) -> None:
    put(backend, "Orders", 1, 7)
    put(backend, "Orders", 2, 22)
    (found,) = backend.get_metric_data([stat("Orders", "Sum")], NOON, NOON + timedelta(hours=1), "TimestampDescending")
    assert found["values"] == [2, 1]
    assert [f"{at:%H:%M}" for at in found["timestamps"]] == ["12:15", "12:00"]


def test_only_exactly_these_dimensions_count(backend: CloudWatchBackend) -> None:
    put(backend, "Equity", 1, service="openbell")
    put(backend, "Equity", 2, service="openbell", strategy="momentum")
    put(backend, "Equity", 4)
    assert ask(backend, stat("Equity", "Sum", service="openbell")) == {"Equity": [1]}


def test_a_search_finds_every_strategy_and_tells_them_apart_by_name(backend: CloudWatchBackend) -> None:
    put(backend, "Equity", 10, service="openbell", strategy="trend")
    put(backend, "Equity", 20, service="openbell", strategy="momentum")
    put(backend, "Equity", 30, service="openbell")
    assert ask(backend, search("Equity")) == {"momentum": [20], "trend": [10]}


def test_lines_of_several_searches_are_named_with_their_metrics(backend: CloudWatchBackend) -> None:
    for name, value in (("Cuts", 1), ("Orders", 2)):
        put(backend, name, value, service="openbell", strategy="trend")
        put(backend, name, value + 2, service="openbell", strategy="momentum")
    found = ask(backend, search("Cuts", "a"), search("Orders", "b"))
    assert found == {"momentum Cuts": [3], "trend Cuts": [1], "momentum Orders": [4], "trend Orders": [2]}


def test_arithmetic_is_done_where_every_line_has_a_point_and_hidden_lines_are_not_given(
    backend: CloudWatchBackend,
) -> None:
    for minute, value in ((0, 80), (15, 100), (30, 90)):
        put(backend, "Equity", value, minute)
    hidden = stat("Equity", "Average", "e") | {"ReturnData": False}
    drawdown = {"Id": "d", "Expression": "100 * (e / MAX(e) - 1)", "Label": "drawdown"}
    found = ask(backend, hidden, drawdown)
    assert list(found) == ["drawdown"]
    assert found["drawdown"] == pytest.approx([-20, 0, -10])  # 80, 100 and 90 of 100


@pytest.mark.parametrize("expression", ["RUNNING_SUM(e)", "e +", "x * 2", "__import__('os')", "e.real"])
def test_an_expression_that_is_not_known_gives_no_points(backend: CloudWatchBackend, expression: str) -> None:
    put(backend, "Equity", 80)
    found = ask(backend, stat("Equity", "Average", "e"), {"Id": "d", "Expression": expression})
    assert found["d"] == []


def test_a_division_by_zero_is_no_point(backend: CloudWatchBackend) -> None:
    put(backend, "Cuts", 0)
    assert ask(backend, stat("Cuts", "Sum", "c"), {"Id": "d", "Expression": "1 / c"})["d"] == []
