"""The dashboard's body, its lines, its charts."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cli.formats import MINUS
from cli.report.ink import Press
from console.dashboard.body import Query, Widget, read_queries, read_widgets
from console.dashboard.chart import Span, metric_chart, short, span_of
from console.dashboard.series import Series

NOON = datetime(2024, 3, 8, 12, tzinfo=UTC)
WEEK = Span(NOON - timedelta(days=7), NOON)


def widget(*metrics: Any, **properties: Any) -> Widget:
    return Widget(0, "metric", 8, {"title": "T", "stat": "Sum", "period": 900, "metrics": list(metrics)} | properties)


def queries(given: Widget, days: float = 1) -> list[Query]:
    return read_queries(given, timedelta(days=days))


def line(label: str, *values: float, hours: int = 24, **query: Any) -> Series:
    """A value every so many hours."""
    asked = Query("q", label, visible=True, stat="Sum", period=900, **query)
    at = tuple(NOON - timedelta(hours=hours * index) for index in range(len(values)))[::-1]
    return Series(asked, label, at, values)


class TestBody:
    def test_widgets_come_in_the_order_in_which_they_are_read(self) -> None:
        body = {"widgets": [{"type": "text", "x": x, "y": y, "properties": {"title": f"{x} {y}"}} for x, y in
                            ((12, 8), (0, 8), (6, 0))]}  # fmt: skip
        assert [found.title for found in read_widgets(json.dumps(body))] == ["6 0", "0 8", "12 8"]

    def test_a_metric_has_its_own_words_or_those_of_the_widget(self) -> None:
        first, second = queries(
            widget(
                ["Openbell", "Orders", "service", "openbell", {"label": "all", "stat": "Maximum", "color": "#d62728"}],
                ["Openbell", "Equity", "service", "openbell", "strategy", "trend"],
            )
        )
        assert first.dimensions == (("service", "openbell"),)
        assert (first.label, first.stat, first.period, first.colour) == ("all", "Maximum", 900, "#d62728")
        assert (second.label, second.stat) == ("Equity trend", "Sum")
        assert first.id != second.id

    def test_dots_stand_for_what_is_above(self) -> None:
        found = queries(
            widget(["AWS/Lambda", "Errors", "FunctionName", "a"], [".", "Duration", ".", "b"], ["...", "c"])
        )
        assert [(query.namespace, query.name, query.dimensions) for query in found] == [
            ("AWS/Lambda", "Errors", (("FunctionName", "a"),)),
            ("AWS/Lambda", "Duration", (("FunctionName", "b"),)),
            ("AWS/Lambda", "Duration", (("FunctionName", "c"),)),
        ]

    def test_an_expression_stands_alone_and_a_line_may_be_hidden(self) -> None:
        hidden, computed = queries(
            widget(
                ["Openbell", "Equity", {"id": "e", "visible": False}],
                [{"expression": "100 * e", "label": "per cent", "yAxis": "right"}],
            )
        )
        assert (hidden.id, hidden.visible) == ("e", False)
        assert (computed.expression, computed.label, computed.right) == ("100 * e", "per cent", True)

    def test_bars_of_a_week_stand_for_hours_so_that_they_can_be_seen(self) -> None:
        bars = widget(["Openbell", "RunsCompleted"], stacked=True)
        (of_a_day,), (of_a_week,) = queries(bars, 1), queries(bars, 7)
        assert of_a_day.period == 900
        assert of_a_week.period == 3 * 3600  # 168 hours / 70 bars = 2.4 hours, rounded up
        (lines,) = queries(widget(["Openbell", "Equity"]), 7)
        assert lines.period == 900


class TestChart:
    def draw(self, *lines: Series, **properties: Any) -> tuple[str, list[tuple[str, str, str]]]:
        found = metric_chart(widget(**properties), lines, WEEK, Press(), {"trend": "s3"})
        assert found
        svg, legend = found
        ET.fromstring(svg)  # well formed
        return svg, [(entry.label, entry.colour, entry.last) for entry in legend]

    def test_nothing_measured_is_no_chart(self) -> None:
        assert metric_chart(widget(), [line("a")], WEEK, Press(), {}) is None

    def test_the_newest_values_are_told_in_words(self) -> None:
        svg, legend = self.draw(line("made", 3, 5), line("failed", 0, 1, colour="#d62728"))
        assert 'aria-label="T, newest values: made 5; failed 1"' in svg
        assert legend == [("made", "var(--s0)", "5"), ("failed", "#d62728", "1")]

    def test_a_strategy_has_its_colour_everywhere(self) -> None:
        svg, legend = self.draw(line("other", 1, 2), line("trend Equity", 1, 2))
        assert legend[1][1] == "var(--s3)"
        assert "var(--s3)" in svg

    def test_bars_that_add_up_are_drawn_on_each_other(self) -> None:
        svg, _ = self.draw(line("a", 1, 2), line("b", 3, 4), stacked=True)
        assert "var(--s0)" in svg
        assert "var(--s1)" in svg

    @pytest.mark.parametrize("hours", [0.02, 1, 7, 24, 24 * 4, 24 * 20])
    def test_any_span_of_time_can_be_drawn(self, hours: float) -> None:
        """Matplotlib warns where it finds no ticks, and a warning is an error here."""
        ends = (NOON - timedelta(hours=hours), NOON)
        series = [Series(line("a").query, "a", ends, (1.0, 2.0))]
        assert metric_chart(widget(), series, span_of(series, *ends), Press(), {})

    @pytest.mark.parametrize("values", [(0, 0), (-5, -5), (1e9, 2e9), (0.0001, 0.0002), (7,)])
    def test_any_numbers_can_be_drawn(self, values: tuple[float, ...]) -> None:
        self.draw(line("a", *values))

    def test_a_second_axis_for_what_is_measured_otherwise(self) -> None:
        svg, _ = self.draw(line("made", 20, 20), line("missing", 0.25, 0.25, right=True))
        assert re.search(r">20<", svg)
        assert re.search(r">0\.2\d*<", svg)


class TestSpan:
    def test_it_is_where_anything_was_measured(self) -> None:
        found = span_of([line("a", 1, 2, hours=1), line("b")], WEEK.start, WEEK.end)
        assert found.start == NOON - timedelta(hours=1, minutes=15)  # a period before the first point
        assert found.end == NOON + timedelta(minutes=30)

    def test_it_is_what_was_asked_for_if_nothing_was(self) -> None:
        assert span_of([line("b")], WEEK.start, WEEK.end) == WEEK


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0"), (1, "1"), (0.5125, "0.512"), (17.25, "17.25"), (1204.5, "1,204"), (-3.5, f"{MINUS}3.5"),
        (100_123, "100.12k"), (12_000, "12k"), (-0.0001, "0"), (99.999, "100"),
    ],
)  # fmt: skip
def test_numbers_are_short(value: float, told: str) -> None:
    assert short(value) == told
