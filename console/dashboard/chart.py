"""The lines of a metric widget, over the time that the page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from cli.formats import MINUS
from cli.report.ink import STRATEGY_COLOURS, Press, Sheet, ink
from console.dashboard.body import Widget
from console.dashboard.series import Series
from openbell.model import NEW_YORK

_COLUMN, _NARROWEST, _WIDEST, _HEIGHT = 45, 300, 420, 180  # CSS pixels; a wider one would be too small on a phone
_WHOLE = 100  # from here on, without decimals
_MANY = 10_000  # from here on, numbers on an axis are shortened


@dataclass(frozen=True)
class Span:
    """The time that every chart of the page shows (zone-aware)."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Line:
    """What the legend says of a line; `colour` is CSS, `last` the newest value."""

    label: str
    colour: str
    last: str


def span_of(series: Sequence[Series], start: datetime, end: datetime) -> Span:
    """From the first to the last point, with some room; all the time asked for if there is no point."""
    points = [(at, line.query.period) for line in series for at in line.at]
    if not points:
        return Span(start, end)
    period = timedelta(seconds=max(period for _, period in points))
    return Span(min(at for at, _ in points) - period, max(at for at, _ in points) + 2 * period)


def metric_chart(
    widget: Widget, series: Sequence[Series], span: Span, press: Press, roles: Mapping[str, str]
) -> tuple[Markup, list[Line]] | None:
    """The chart and its legend, None if nothing was measured; `roles` has the colours of the strategies."""
    drawn = [line for line in series if line.values]
    if not drawn:
        return None
    paints = [_paint(line, index, roles) for index, line in enumerate(drawn)]
    legend = [Line(line.label, _css(paint), short(line.values[-1])) for line, paint in zip(drawn, paints, strict=True)]
    width = min(max(_NARROWEST, widget.width * _COLUMN), _WIDEST)
    with press.sheet(width, _HEIGHT) as sheet:
        _fix(sheet, width)
        _draw(sheet, widget, drawn, [ink(paint) if _is_role(paint) else paint for paint in paints])
        sheet.axes.set_xlim(span.start, span.end)  # type: ignore[arg-type]  # Matplotlib takes dates
    told = "; ".join(f"{line.label} {line.last}" for line in legend)
    return press.print(sheet, f"{widget.title}, newest values: {told}"), legend


def _fix(sheet: Sheet, width: float) -> None:
    """Margins that suit every chart here: to work them out for each would take as long as drawing all of them."""
    sheet.figure.set_layout_engine(None)
    sheet.figure.subplots_adjust(left=46 / width, right=1 - 40 / width, bottom=0.18, top=0.97)


def _paint(line: Series, index: int, roles: Mapping[str, str]) -> str:
    """A role of the page's colours, or the colour that the dashboard says."""
    strategy = next((role for name, role in roles.items() if name in line.label.split()), "")
    return strategy or line.query.colour or f"s{index % STRATEGY_COLOURS}"


def _is_role(paint: str) -> bool:
    return not paint.startswith("#")


def _css(paint: str) -> str:
    return f"var(--{paint})" if _is_role(paint) else paint


def _draw(sheet: Sheet, widget: Widget, lines: Sequence[Series], colours: Sequence[str]) -> None:
    axes = sheet.axes
    right = axes.twinx() if any(line.query.right for line in lines) else axes
    if widget.stacked:
        _stack(sheet, lines, colours)
    else:
        for line, colour in zip(lines, colours, strict=True):
            on = right if line.query.right else axes
            (drawn,) = on.plot(line.at, line.values, color=colour, linewidth=1.7, marker="o", markersize=3)  # type: ignore[arg-type]
            sheet.hint(drawn, f"{line.label}: {short(line.values[-1])}")
    for each in {axes, right}:
        _scale(each, lines)
    right.grid(visible=right is axes)
    locator = AutoDateLocator(tz=NEW_YORK, minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=NEW_YORK))  # type: ignore[no-untyped-call]
    axes.grid(visible=False, axis="x")


def _stack(sheet: Sheet, lines: Sequence[Series], colours: Sequence[str]) -> None:
    """Bars on top of each other, one for each period."""
    heights: dict[datetime, float] = {}
    for line, colour in zip(lines, colours, strict=True):
        below = [heights.get(at, 0.0) for at in line.at]
        width = timedelta(seconds=line.query.period * 0.8)
        bars = sheet.axes.bar(line.at, line.values, width=width, bottom=below, color=colour)  # type: ignore[arg-type]
        sheet.hint(bars.patches[-1], f"{line.label}: {short(line.values[-1])}")
        for at, value in zip(line.at, line.values, strict=True):
            heights[at] = heights.get(at, 0.0) + value


def _scale(axes: Axes, lines: Sequence[Series]) -> None:
    axes.margins(y=0.15)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda value, _: short(value))
    if min(min(line.values) for line in lines) >= 0:  # the margin shall not show numbers that cannot be
        low, high = axes.get_ylim()
        axes.set_ylim(max(0.0, low), high if any(any(line.values) for line in lines) else 1.0)


def short(value: float) -> str:
    """A number as a chart says it: 0.512, 17.25, 1,204, 100.1k."""
    size = abs(value)
    if size >= _MANY:
        text = f"{size / 1000:,.2f}".rstrip("0").rstrip(".") + "k"
    elif size >= _WHOLE or size == int(size):
        text = f"{size:,.0f}"
    else:
        text = f"{size:.3f}".rstrip("0").rstrip(".") if size < 1 else f"{size:.2f}".rstrip("0").rstrip(".")
    return MINUS + text if value < 0 and text != "0" else text
