"""What is read from lines in the embedded metric format."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.log_shipper import Metric, read_metrics

AT = datetime(2024, 3, 8, 20, 0, tzinfo=UTC)


def line(*, metrics: Any = None, dimensions: Any = None, **values: Any) -> str:
    declared = {
        "Namespace": "Openbell",
        "Dimensions": [["strategy"]] if dimensions is None else dimensions,
        "Metrics": [{"Name": "Orders", "Unit": "Count"}] if metrics is None else metrics,
    }
    root = {"Timestamp": int(AT.timestamp() * 1000), "CloudWatchMetrics": [declared]}
    return json.dumps({"_aws": root} | values)


def test_a_value_is_a_metric_with_its_dimensions_unit_and_time() -> None:
    (metric,) = read_metrics(line(strategy="momentum", Orders=3))
    assert metric == Metric("Openbell", "Orders", {"strategy": "momentum"}, 3.0, "Count", AT)


def test_each_set_of_dimensions_and_each_value_of_a_list_counts() -> None:
    found = read_metrics(
        line(dimensions=[["strategy"], ["strategy", "mode"]], strategy="m", mode="paper", Orders=[1, 2])
    )
    assert [(len(metric.dimensions), metric.value) for metric in found] == [(1, 1.0), (1, 2.0), (2, 1.0), (2, 2.0)]


def test_a_metric_may_have_neither_dimensions_nor_a_unit() -> None:
    (metric,) = read_metrics(line(dimensions=[], metrics=[{"Name": "Orders"}], Orders=3))
    assert (metric.dimensions, metric.unit) == ({}, "None")


@pytest.mark.parametrize(
    "text",
    [
        "an order was sent",
        '{"level": "INFO", "message": "sent"}',
        'talks of "_aws" and is no JSON',
        '["_aws"]',
        '{"_aws": {}}',
        '{"_aws": {"Timestamp": 0, "CloudWatchMetrics": null}}',
        line(strategy="momentum"),  # declares Orders and does not give it
        line(Orders=3),  # declares the dimension strategy and does not give it
        line(strategy="momentum", Orders="many"),
        line(strategy="momentum", Orders=3, metrics=[{"Unit": "Count"}]),
    ],
)
def test_any_other_line_has_no_metrics(text: str) -> None:
    assert read_metrics(text) == ()
