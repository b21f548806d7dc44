"""A dashboard's body as CloudWatch stores it: JSON whose metrics are written in a shorthand."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

_COLUMNS = 24  # of CloudWatch's grid
_MOST_BARS = 70  # beside each other in one chart
_SAME = "."  # as in the metric above
_SAME_START = "..."  # all that the metric above begins with


@dataclass(frozen=True)
class Query:
    """One line of a chart: a metric, or an expression over others; `id` is unique in the widget."""

    id: str
    label: str
    visible: bool
    stat: str
    period: int  # seconds
    namespace: str = ""
    name: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    expression: str = ""
    colour: str = ""  # as CSS has it; empty: the page's choice
    right: bool = False  # measured on the right axis


@dataclass(frozen=True)
class Widget:
    """A field of the dashboard; `kind` is metric, text, custom, alarm, ..."""

    number: int
    kind: str
    width: int  # of 24 columns
    properties: Mapping[str, Any] = field(repr=False)

    @property
    def title(self) -> str:
        """What stands above it; may be empty."""
        return str(self.properties.get("title", ""))

    @property
    def stacked(self) -> bool:
        """Whether the lines of a metric widget add up."""
        return bool(self.properties.get("stacked", False))


def read_widgets(body: str) -> list[Widget]:
    """The widgets in the order in which they are read: by row, then by column. ValueError if the body is no JSON."""
    found = json.loads(body).get("widgets", [])
    placed = sorted(found, key=lambda widget: (widget.get("y", 0), widget.get("x", 0)))
    return [
        Widget(number, widget["type"], min(widget.get("width", 6), _COLUMNS), widget.get("properties", {}))
        for number, widget in enumerate(placed)
    ]


def read_queries(widget: Widget, shown: timedelta) -> list[Query]:
    """The lines of a metric widget, its shorthand written out.

    As CloudWatch does where the dashboard does not forbid it, periods grow with the time that is shown: those of bars,
    which would be too narrow to see.
    """
    queries = list(_queries(widget.properties.get("metrics", []), widget.properties))
    if not widget.stacked:
        return queries
    hours = math.ceil(shown.total_seconds() / _MOST_BARS / 3600)
    narrowest = hours * 3600 if shown > timedelta(days=1) else 0
    return [replace(query, period=max(query.period, narrowest)) for query in queries]


def _queries(lines: Sequence[Sequence[Any]], properties: Mapping[str, Any]) -> Iterator[Query]:
    above: list[str] = []
    for number, line in enumerate(lines):
        *words, options = line if isinstance(line[-1], dict) else [*line, {}]
        if words:
            above = _written_out(words, above)
        yield _query(number, above if words else [], options, properties)


def _written_out(words: Sequence[str], above: Sequence[str]) -> list[str]:
    """The words of a metric whose beginning, or single words, are those of the one above."""
    if words[0] == _SAME_START:
        tail = list(words[1:])
        return [*above[: len(above) - len(tail)], *tail]
    return [above[index] if word == _SAME else word for index, word in enumerate(words)]


def _query(number: int, words: Sequence[str], options: Mapping[str, Any], properties: Mapping[str, Any]) -> Query:
    stat = str(options.get("stat", properties.get("stat", "Average")))
    period = int(options.get("period", properties.get("period", 300)))
    key = str(options.get("id", f"line{number}"))
    visible, colour = bool(options.get("visible", True)), str(options.get("color", ""))
    right = options.get("yAxis") == "right"
    if not words:
        label, expression = str(options.get("label", "")), str(options["expression"])
        return Query(key, label, visible, stat, period, expression=expression, colour=colour, right=right)
    namespace, name, *dimensions = words
    pairs = tuple(zip(dimensions[::2], dimensions[1::2], strict=True))
    label = str(options.get("label") or " ".join((name, *(value for _, value in pairs[-1:]))))
    return Query(key, label, visible, stat, period, namespace, name, pairs, colour=colour, right=right)
