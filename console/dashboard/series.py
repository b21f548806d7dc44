"""What CloudWatch has measured, as GetMetricData tells it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.dashboard.body import Query


@dataclass(frozen=True)
class Series:
    """The points of one line, oldest first."""

    query: Query
    label: str
    at: tuple[datetime, ...]
    values: tuple[float, ...]


def read_series(cloudwatch: Any, queries: Sequence[Query], start: datetime, end: datetime) -> list[Series]:
    """The visible lines of one widget from `start` to `end` (zone-aware), in its order; a search may give several."""
    if not queries:
        return []
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[_asked(query) for query in queries],
        StartTime=start,
        EndTime=end,
        ScanBy="TimestampAscending",
    )
    points: dict[tuple[str, str], list[tuple[datetime, float]]] = {}
    for result in (result for page in pages for result in page["MetricDataResults"]):
        found = points.setdefault((result["Id"], result["Label"]), [])
        found.extend(zip(result["Timestamps"], result["Values"], strict=True))
    return [line for query in queries if query.visible for line in _lines(query, points)]


def _asked(query: Query) -> dict[str, Any]:
    asked: dict[str, Any] = {"Id": query.id, "ReturnData": query.visible}
    if query.label:
        asked["Label"] = query.label
    if query.expression:
        return asked | {"Expression": query.expression, "Period": query.period}
    dimensions = [{"Name": name, "Value": value} for name, value in query.dimensions]
    metric = {"Namespace": query.namespace, "MetricName": query.name, "Dimensions": dimensions}
    return asked | {"MetricStat": {"Metric": metric, "Period": query.period, "Stat": query.stat}}


def _lines(query: Query, points: dict[tuple[str, str], list[tuple[datetime, float]]]) -> Iterator[Series]:
    for (key, label), found in points.items():
        if key == query.id:
            at, values = zip(*sorted(found), strict=True) if found else ((), ())
            yield Series(query, label, at, values)
