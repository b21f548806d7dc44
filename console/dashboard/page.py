"""The dashboard's page, and the page of what a click in a custom widget asks for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, abort, render_template, request, url_for
from markupsafe import Markup

from cli.report.ink import Press
from cli.views.broker_side import look_at_broker
from console.dashboard.body import Widget, read_queries, read_widgets
from console.dashboard.chart import Line, Span, metric_chart, span_of
from console.dashboard.custom import WidgetFailed, ask_widget, tame, widget_event
from console.dashboard.series import read_series
from console.reading import Reader
from console.source import Source

_HOURS = {"1 hour": 1, "3 hours": 3, "12 hours": 12, "1 day": 24, "1 week": 168}
_DEFAULT_HOURS = 168
_JUST_NOW = timedelta(minutes=1)  # the end of a span is not in it


@dataclass(frozen=True)
class Alarm:
    """An alarm and how it stands: OK, ALARM or INSUFFICIENT_DATA."""

    name: str
    state: str
    description: str


@dataclass(frozen=True)
class Shown:
    """A widget with what it shows; what is None does not apply."""

    widget: Widget
    chart: Markup | None = None
    legend: Sequence[Line] = ()
    content: Markup | None = None
    alarms: Sequence[Alarm] | None = None
    problem: str = ""


def add_dashboard(app: Flask, source: Source, reader: Reader) -> None:
    """The two pages."""

    @app.get("/dashboard")
    def dashboard() -> str:
        hours = request.args.get("hours", _DEFAULT_HOURS, type=int)
        hours = hours if hours in _HOURS.values() else _DEFAULT_HOURS
        board = _Board(source, reader, hours)
        return render_template("dashboard.html.j2", shown=board.show(), span=board.span, hours=hours, choices=_HOURS)

    @app.get("/dashboard/widgets/<int:number>")
    def widget(number: int) -> str:
        board = _Board(source, reader, _DEFAULT_HOURS)
        if number >= len(board.widgets) or board.widgets[number].kind != "custom":
            abort(404, f"The dashboard has no custom widget of number {number}.")
        event = _event(request.args.get("event", "{}"))
        found = board.custom(board.widgets[number], event)
        return render_template("widget.html.j2", found=found, run_id=str(event.get("run_id", "")))


def _event(text: str) -> dict[str, Any]:
    try:
        event = json.loads(text)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        abort(400, "The address is damaged: its event is no JSON object. Go back to the dashboard.")
    return event


class _Board:
    """The dashboard over the last hours."""

    def __init__(self, source: Source, reader: Reader, hours: int) -> None:
        self._source = source
        self._reader = reader
        clock = look_at_broker(lambda: source.broker).clock
        self._end = clock.now if clock else datetime.now(UTC)  # the platform's own time, which may lie in the past
        self._start = self._end - timedelta(hours=hours)
        self.span = Span(self._start, self._end)
        self.widgets = read_widgets(_body(source))

    def show(self) -> list[Shown]:
        """Every widget; afterwards `span` is the time in which anything was measured."""
        cloudwatch, press, roles = self._source.client("cloudwatch"), Press(), self._reader.roles()
        series = {
            widget.number: read_series(
                cloudwatch, read_queries(widget, self._end - self._start), self._start, self._end + _JUST_NOW
            )
            for widget in self.widgets
            if widget.kind == "metric"
        }
        self.span = span_of([line for lines in series.values() for line in lines], self._start, self._end)
        shown = []
        for widget in self.widgets:
            if widget.kind == "metric":
                chart, legend = metric_chart(widget, series[widget.number], self.span, press, roles) or (None, ())
                shown.append(Shown(widget, chart=chart, legend=legend))
            elif widget.kind == "custom":
                shown.append(self.custom(widget, widget.properties.get("params", {})))
            elif widget.kind == "alarm":
                shown.append(Shown(widget, alarms=_alarms(cloudwatch, widget.properties["alarms"])))
            else:
                shown.append(Shown(widget, problem=f"A widget of type {widget.kind} is not shown here."))
        return shown

    def custom(self, widget: Widget, parameters: Mapping[str, Any]) -> Shown:
        """The widget's answer to `parameters`."""
        event = widget_event(parameters, self._start, self._end)
        try:
            said = ask_widget(self._source.client("lambda"), widget.properties["endpoint"], event)
        except WidgetFailed as error:
            return Shown(widget, problem=str(error))
        content = tame(said, lambda event: url_for("widget", number=widget.number, event=json.dumps(event)))
        return Shown(widget, content=content)


def _body(source: Source) -> str:
    """The dashboard that the stack's output leads to."""
    _, named, name = source.outputs.get("DashboardUrl", "").partition("#dashboards:name=")
    if not named:
        abort(404, "The stack has no dashboard: it was deployed from a template without one.")
    return str(source.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])


def _alarms(cloudwatch: Any, arns: Sequence[str]) -> list[Alarm]:
    names = [arn.split(":alarm:")[-1] for arn in arns]
    found = {
        alarm["AlarmName"]: alarm for alarm in cloudwatch.describe_alarms(AlarmNames=names).get("MetricAlarms", [])
    }
    return [
        Alarm(name, found[name].get("StateValue", ""), found[name].get("AlarmDescription", ""))
        for name in names
        if name in found
    ]
