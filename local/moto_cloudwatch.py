"""GetMetricData as CloudWatch answers it: searches, arithmetic over other lines, percentiles.

Stock moto ignores dimensions that a query does not name, knows neither SEARCH nor arithmetic, and looks through all
metrics once for every period.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from moto.cloudwatch.models import CloudWatchBackend, MetricDatum

from local.patching import replaced

type Points = dict[datetime, float]
type Metric = tuple[str, str, frozenset[tuple[str, str]]]  # namespace, name, dimensions

_SEARCH = re.compile(
    r"""^\s*SEARCH\(\s*'\{([^}]*)\}\s*MetricName="(\w+)"\s*'\s*,\s*'(\w+(?:\.\d+)?)'\s*(?:,\s*(\d+)\s*)?\)\s*$"""
)
_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Average": lambda values: sum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}
_OVER_TIME: dict[str, Callable[..., Any]] = {"MAX": np.max, "MIN": np.min, "AVG": np.mean, "SUM": np.sum}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}


@contextmanager
def metric_queries_are_answered() -> Iterator[None]:
    """Inside the block GetMetricData does as above; an expression that it does not know gives no points."""
    with replaced(CloudWatchBackend, "get_metric_data", _get_metric_data):
        yield


def _get_metric_data(
    self: CloudWatchBackend,
    queries: Sequence[Mapping[str, Any]],
    start_time: datetime,
    end_time: datetime,
    scan_by: str = "TimestampAscending",
) -> list[dict[str, Any]]:
    store = _Store(self.metric_data, _utc(start_time), _utc(end_time))
    known = {query["Id"]: store.stat(query["MetricStat"]) for query in queries if "MetricStat" in query}
    results = []
    several = sum(bool(_SEARCH.match(query.get("Expression", ""))) for query in queries) > 1
    for query in queries:
        for label, points in _lines(query, known, store, named=several):
            if query.get("ReturnData", True):
                results.append(_result(query["Id"], query.get("Label") or label, points, scan_by))
    return results


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _lines(
    query: Mapping[str, Any], known: Mapping[str, Points], store: "_Store", *, named: bool
) -> Iterator[tuple[str, Points]]:
    """Label and points of what the query gives: one line, or as many as a search finds; `named` with the metric's."""
    if "MetricStat" in query:
        yield query["MetricStat"]["Metric"]["MetricName"], known[query["Id"]]
    elif search := _SEARCH.match(query["Expression"]):
        yield from store.search(*search.groups(), named=named)
    else:
        yield query["Id"], _computed(query["Expression"], known)


def _result(key: str, label: str, points: Points, scan_by: str) -> dict[str, Any]:
    found = sorted(points.items(), reverse=scan_by == "TimestampDescending")
    return {
        "id": key,
        "label": label,
        "timestamps": [at.replace(tzinfo=None) for at, _ in found],  # as moto has them
        "values": [value for _, value in found],
        "status_code": "Complete",
    }


class _Store:
    """All values of a span of time, by metric."""

    def __init__(self, data: Sequence[Any], start: datetime, end: datetime) -> None:
        self._values: dict[Metric, list[tuple[datetime, float]]] = {}
        for datum in data:
            if isinstance(datum, MetricDatum) and start <= _utc(datum.timestamp) < end:
                pairs = frozenset((dimension.name, dimension.value) for dimension in datum.dimensions)
                key = (datum.namespace, datum.name, pairs)
                self._values.setdefault(key, []).append((_utc(datum.timestamp), datum.value))

    def stat(self, asked: Mapping[str, Any]) -> Points:
        """The points of one metric with exactly these dimensions."""
        metric = asked["Metric"]
        pairs = frozenset((pair["Name"], pair["Value"]) for pair in metric.get("Dimensions", []))
        return self._points((metric["Namespace"], metric["MetricName"], pairs), asked["Stat"], int(asked["Period"]))

    def search(
        self, schema: str, name: str, stat: str, period: str | None, *, named: bool
    ) -> Iterator[tuple[str, Points]]:
        """Every metric of that name whose dimensions have the names in `schema`, which begins with the namespace."""
        namespace, *dimensions = [part.strip() for part in schema.split(",")]
        found = [
            metric
            for metric in self._values
            if metric[:2] == (namespace, name) and {key for key, _ in metric[2]} == set(dimensions)
        ]
        shared = frozenset.intersection(*(pairs for _, _, pairs in found)) if len(found) > 1 else frozenset()
        for metric in sorted(found, key=lambda metric: sorted(metric[2])):
            told = [value for _, value in sorted(metric[2] - shared)]
            yield " ".join([*told, name] if named else told), self._points(metric, stat, int(period or 300))

    def _points(self, metric: Metric, stat: str, period: int) -> Points:
        """One value for each period that has any, at the period's beginning."""
        buckets: dict[datetime, list[float]] = {}
        for at, value in self._values.get(metric, []):
            begin = at - timedelta(seconds=at.timestamp() % period)
            buckets.setdefault(begin, []).append(value)
        return {begin: float(_statistic(stat)(values)) for begin, values in buckets.items()}


def _statistic(name: str) -> Callable[[Sequence[float]], float]:
    """Of CloudWatch's statistics, those of the table and percentiles such as p50 or p99.9."""
    if name in _STATISTICS:
        return _STATISTICS[name]
    per_cent = float(name.removeprefix("p"))
    return lambda values: float(np.percentile(values, per_cent))


def _computed(expression: str, known: Mapping[str, Points]) -> Points:
    """Arithmetic over lines, at the moments at which all of them have a value."""
    try:
        tree = ast.parse(expression, mode="eval").body
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - _OVER_TIME.keys()
        moments = sorted(set.intersection(*(set(known[name]) for name in names)))
        if not moments:
            return {}
        lines = {name: np.array([known[name][at] for at in moments]) for name in names}
        with np.errstate(all="ignore"):  # a division by zero is no point
            values = np.broadcast_to(_value(tree, lines), len(moments))
    except (SyntaxError, LookupError, TypeError):
        return {}
    return {at: float(value) for at, value in zip(moments, values, strict=True) if np.isfinite(value)}


def _value(node: ast.expr, lines: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return lines[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, lines)
        case ast.BinOp(left=left, op=operator, right=right):
            return _ARITHMETIC[type(operator)](_value(left, lines), _value(right, lines))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return _OVER_TIME[name](_value(argument, lines))
    raise LookupError(ast.unparse(node))
