"""The dashboard's body as data, and what it and the alarms ask CloudWatch for."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.unit.infrastructure.sources import resources


@dataclass(frozen=True, order=True)
class Asked:
    """A metric that somebody asks for, by the names of its dimensions."""

    namespace: str
    name: str
    dimensions: tuple[str, ...]


def widgets(kind: str = "") -> list[dict[str, Any]]:
    """The dashboard's widgets, of one type or all; ARNs and names are still as the template has them."""
    (properties,) = resources("AWS::CloudWatch::Dashboard").values()
    found: list[dict[str, Any]] = json.loads(properties["DashboardBody"]["Fn::Sub"])["widgets"]
    return [widget for widget in found if kind in {"", widget["type"]}]


def asked_by_dashboard() -> set[Asked]:
    """Every metric of the metric widgets, those that expressions search for included."""
    rows = [row for widget in widgets("metric") for row in widget["properties"]["metrics"]]
    return {asked for row in rows for asked in _row(row)}


def _row(row: list[Any]) -> Iterator[Asked]:
    """`row` as the dashboard's syntax has it: namespace, name, dimensions in pairs, options; or an expression alone."""
    if isinstance(row[0], dict):
        yield from _searched(row[0]["expression"])
        return
    names = [part for part in row if isinstance(part, str)]
    yield Asked(names[0], names[1], tuple(sorted(names[2::2])))


def _searched(expression: str) -> Iterator[Asked]:
    for schema, name in re.findall(r"SEARCH\('\{([^}]*)\} MetricName=\"(\w+)\"'", expression):
        namespace, *dimensions = schema.split(",")
        yield Asked(namespace, name, tuple(sorted(dimensions)))


def asked_by_alarms() -> set[Asked]:
    """Every metric that an alarm watches."""
    return {asked for alarm in resources("AWS::CloudWatch::Alarm").values() for asked in _watched(alarm)}


def _watched(alarm: dict[str, Any]) -> Iterator[Asked]:
    found = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    for metric in found or [alarm]:
        dimensions = tuple(sorted(dimension["Name"] for dimension in metric.get("Dimensions", [])))
        yield Asked(metric["Namespace"], metric["MetricName"], dimensions)
