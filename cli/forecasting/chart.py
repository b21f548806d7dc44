"""Price, forecast and interval of each ticker, one above the other."""

from collections.abc import Iterable, Sequence
from datetime import date
from math import isfinite
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from cli.forecasting.ahead import Outlook
from cli.forecasting.tables import usd
from cli.formats import percent, signed_percent
from cli.report.chart_file import Ink, write_chart

_WIDTH, _HEIGHT = 880, 300  # CSS pixels, the height for each ticker
_PAST_BARS_PER_BAR_AHEAD = 8
_FEWEST_PAST_BARS = 60


def plot_outlooks(path: Path, outlooks: Sequence[Outlook]) -> None:
    """Draw `outlooks` into the file; InvalidInput if it cannot be written."""

    def draw(figure: Figure, ink: Ink) -> None:
        figure.set_layout_engine("constrained", h_pad=0.1, w_pad=0.1)  # inches
        panels = figure.subplots(len(outlooks), 1, squeeze=False)
        for axes, outlook in zip(panels[:, 0], outlooks, strict=True):
            _draw(axes, outlook, ink)

    write_chart(path, _WIDTH, _HEIGHT * len(outlooks), draw, "; ".join(_description(one) for one in outlooks))


def _draw(axes: Axes, outlook: Outlook, ink: Ink) -> None:
    result = outlook.result
    past = outlook.past.iloc[-max(_FEWEST_PAST_BARS, _PAST_BARS_PER_BAR_AHEAD * len(result.yhat)) :]
    days = _days(stamp.date() for stamp in pd.DatetimeIndex(past.index))
    ahead = _days([outlook.as_of, *result.sessions])
    start = [result.last_close]
    axes.plot(days, past.to_numpy(), color=ink("line"), linewidth=1.3)
    low, high = ([*start, *part] for part in (result.yhat_lower, result.yhat_upper))
    axes.fill_between(ahead, low, high, color=ink("accent"), alpha=0.18, linewidth=0)
    axes.plot(ahead, [*start, *result.yhat], color=ink("accent"), linewidth=1.8)
    if any(map(isfinite, outlook.came)):
        axes.plot(ahead, [*start, *outlook.came], color=ink("mark"), linewidth=1.3, linestyle=(0, (2, 1.5)))
        axes.annotate("what came", (1, 0), (0, 4), "axes fraction", "offset points", color=ink("mark"), ha="right")
    axes.set_title(_description(outlook), loc="left", fontsize=10.5)
    axes.set_ylabel("adjusted close, USD")
    axes.margins(x=0.01)
    axes.grid(visible=False, axis="x")
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]


def _days(days: Iterable[date]) -> list[float]:
    """Positions on the time axis."""
    return [float(date2num(day)) for day in days]  # type: ignore[no-untyped-call]


def _description(outlook: Outlook) -> str:
    result = outlook.result
    return (
        f"{outlook.ticker}: {usd(result.last_close)} USD on {outlook.as_of:%-d %b %Y}; expected in {len(result.yhat)} "
        f"sessions {usd(result.yhat[-1])} ({signed_percent(outlook.change)}), "
        f"{percent(result.interval_width, 0)} interval {usd(result.yhat_lower[-1])} to {usd(result.yhat_upper[-1])}"
    )
