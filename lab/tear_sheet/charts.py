"""The drawings of a tear sheet: one idea each, the account in the text's colour, buy-and-hold in a muted one."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from cli.formats import percent, signed_percent
from cli.report.ink import Press, Sheet, ink
from lab import metrics
from lab.figures import Figures
from lab.metrics import Floats
from lab.tear_sheet.verdict import number

_WIDTH, _HEIGHT, _LOW = 880, 300, 150
_MOST_POINTS = 1500  # a line of 880 pixels shows no more
_YEARS_SHOWN = 12
_BARS = 40
_TWOFOLD = 3.0  # highest over lowest, from where growth is drawn on a ratio scale


def equity_chart(figures: Figures, press: Press, roles: Mapping[str, str]) -> Markup:
    """Growth of one dollar: the account, each strategy on its own capital, buy-and-hold."""
    lines = {"Buy and hold": ("muted", figures.benchmark_curve), "Account": ("text", figures.account_curve)}
    if len(figures.curves) > 1:
        lines |= {name: (roles[name], curve) for name, curve in figures.curves.items()}
    grown = {name: (role, curve.values / curve.start) for name, (role, curve) in lines.items()}
    with press.sheet(_WIDTH, _HEIGHT) as sheet:
        for name, (role, values) in grown.items():
            told = f"{name}: {signed_percent(values[-1] - 1)}"
            _line(sheet, figures.sessions, values[1:], role, told, wide=role == "text")
        every = np.concatenate([values for _, values in grown.values()])
        _growth_axis(sheet, float(every.min()), float(every.max()))
        _name_lines(sheet, {name: (role, float(values[-1])) for name, (role, values) in grown.items()})
    ends = "; ".join(f"{name} {signed_percent(values[-1] - 1)}" for name, (_, values) in grown.items())
    return press.print(sheet, f"Growth of one dollar. {ends}")


def drawdown_chart(figures: Figures, press: Press) -> Markup:
    """How far the account and buy-and-hold lie below their highs."""
    ours = metrics.drawdown_curve(figures.account_curve.values)[1:] * 100
    theirs = metrics.drawdown_curve(figures.benchmark_curve.values)[1:] * 100
    with press.sheet(_WIDTH, _LOW) as sheet:
        days, values = _thinned(figures.sessions, ours)
        area = sheet.axes.fill_between(days, values, 0, color=ink("accent"), alpha=0.35, linewidth=0)
        sheet.hint(area, f"Account: deepest {percent(ours.min() / 100)}")
        _line(sheet, figures.sessions, theirs, "muted", f"Buy and hold: deepest {percent(theirs.min() / 100)}")
        sheet.axes.set_ylabel("% below the high")
    return press.print(
        sheet, f"Drawdown: account {percent(ours.min() / 100)}, buy and hold {percent(theirs.min() / 100)}"
    )


def sharpe_chart(figures: Figures, press: Press) -> Markup | None:
    """The Sharpe ratio of the last half year, for the account and buy-and-hold; None if there is no half year."""
    ours = metrics.rolling_sharpe(metrics.returns_of(figures.account_curve.values))
    theirs = metrics.rolling_sharpe(metrics.returns_of(figures.benchmark_curve.values))
    if not np.isfinite(ours).any():
        return None
    with press.sheet(_WIDTH, _LOW) as sheet:
        sheet.axes.axhline(0, color=ink("muted"), linewidth=1)
        _line(sheet, figures.sessions, theirs, "muted", "Buy and hold")
        _line(sheet, figures.sessions, ours, "text", "Account")
        sheet.axes.set_ylabel("Sharpe ratio, 126 sessions")
    return press.print(sheet, f"Rolling Sharpe ratio of the account: last {number(float(ours[-1]))}")


def exposure_chart(figures: Figures, press: Press, roles: Mapping[str, str]) -> Markup:
    """The invested share of the account's equity, by strategy, stacked."""
    equity = np.maximum(figures.account_curve.equity, 1e-9)
    with press.sheet(_WIDTH, _LOW) as sheet:
        below = np.zeros(len(equity))
        for name, curve in figures.curves.items():
            above = below + curve.invested / equity * 100
            days, values = _thinned(figures.sessions, np.column_stack([below, above]))
            area = sheet.axes.fill_between(
                days, values[:, 0], values[:, 1], color=ink(roles[name]), alpha=0.55, linewidth=0, step="mid"
            )
            sheet.hint(area, f"{name}: {percent(float((curve.invested / equity).mean()))} on average")
            below = above
        _time_axis(sheet, figures.sessions)
        sheet.axes.set_ylim(0, max(100.0, float(below.max()) * 1.02))
        sheet.axes.set_ylabel("% of equity invested")
    return press.print(sheet, f"Exposure: {percent(figures.account.exposure)} of equity on average")


def turnover_chart(figures: Figures, press: Press) -> Markup:
    """What was bought and sold in each year, over twice the year's mean equity."""
    years = np.array([day.year for day in figures.sessions])
    curve = figures.account_curve
    told = {
        int(y): float(curve.traded[years == y].sum() / 2 / curve.equity[years == y].mean()) for y in np.unique(years)
    }
    with press.sheet(_WIDTH, _LOW) as sheet:
        bars = sheet.axes.bar(list(told), list(told.values()), width=0.62, color=ink("line"))
        for bar, (year, value) in zip(bars, told.items(), strict=True):
            sheet.hint(bar, f"{year}: equity exchanged {number(value)} times")
        step = max(1, len(told) // _YEARS_SHOWN)
        sheet.axes.set_xticks(list(told)[::step], [str(year) for year in list(told)[::step]])
        sheet.axes.grid(visible=False, axis="x")
        sheet.axes.set_ylabel("times a year")
    return press.print(sheet, f"Turnover: equity exchanged {number(figures.account.turnover)} times a year")


def trades_chart(figures: Figures, press: Press) -> Markup | None:
    """How many round trips ended with which gain; None if none ended."""
    gains = np.array([trip.gain * 100 for trip in figures.trips if trip.left])
    if not len(gains):
        return None
    low, high = np.percentile(gains, [1, 99])
    step = (max(high, 1.0) - min(low, -1.0)) / _BARS
    edges = step * np.arange(np.floor(min(low, -1.0) / step), np.ceil(max(high, 1.0) / step) + 1)  # one edge is 0
    counts, _ = np.histogram(np.clip(gains, edges[0], edges[-1]), edges)
    with press.sheet(_WIDTH, _LOW) as sheet:
        for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
            (bar,) = sheet.axes.bar(
                (left + right) / 2,
                count,
                width=(right - left) * 0.86,
                color=ink("accent" if right > step / 2 else "mark"),
            )
            sheet.hint(bar, f"{count} round trips from {left:.1f} % to {right:.1f} %")
        sheet.axes.axvline(0, color=ink("muted"), linewidth=1)
        sheet.axes.set_xlabel("gain of a round trip, % of what it bought (the outermost bars hold all beyond)")
        sheet.axes.set_ylabel("round trips")
        sheet.axes.grid(visible=False, axis="x")
    return press.print(sheet, f"Gains of {len(gains)} round trips: median {np.median(gains):.1f} %")


def _line(sheet: Sheet, days: Sequence[date], values: Floats, role: str, told: str, *, wide: bool = False) -> None:
    at, shown = _thinned(days, values)
    (drawn,) = sheet.axes.plot(at, shown, color=ink(role), linewidth=1.9 if wide else 1.3)
    sheet.hint(drawn, told)
    _time_axis(sheet, days)


def _thinned(days: Sequence[date], values: Floats) -> tuple[list[int], Floats]:
    """Positions on the time axis and values, the last one always among them."""
    step = -(-len(days) // _MOST_POINTS)
    chosen = np.arange(len(days) - 1, -1, -step)[::-1]
    return [days[place].toordinal() for place in chosen], values[chosen]


def _time_axis(sheet: Sheet, days: Sequence[date]) -> None:
    first, last = days[0], days[-1]
    years = range(first.year + 1, last.year + 1)
    if len(years) > 2:  # noqa: PLR2004 fewer say too little
        step = max(1, len(years) // _YEARS_SHOWN)
        ticks = [date(year, 1, 1) for year in years if (year - years[0]) % step == 0]
        labels = [str(tick.year) for tick in ticks]
    else:
        months = sorted({date(day.year, day.month, 1) for day in days if day >= date(first.year, first.month, 2)})
        ticks = [month for month in months[:: max(1, len(months) // 8)] if month >= first]
        labels = [f"{tick:%b %Y}" for tick in ticks]
    sheet.axes.set_xticks([tick.toordinal() for tick in ticks], labels)
    sheet.axes.grid(visible=False, axis="x")
    sheet.axes.margins(x=0.01)


def _growth_axis(sheet: Sheet, low: float, high: float) -> None:
    axes = sheet.axes
    if low > 0 and high / low > _TWOFOLD:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylabel("growth of 1 USD")


def _name_lines(sheet: Sheet, ends: Mapping[str, tuple[str, float]]) -> None:
    """Each line's name at its right end, moved up where two would overlap."""
    axes = sheet.axes
    place = axes.transData.transform
    last, at = float("-inf"), axes.get_xlim()[1]
    for name, (role, value) in sorted(ends.items(), key=lambda item: item[1][1]):
        pixel = max(float(place((at, value))[1]), last + 15)
        shift = (pixel - float(place((at, value))[1])) * 72 / sheet.figure.dpi
        last = pixel
        axes.annotate(
            name,
            (at, value),
            (6, shift),
            textcoords="offset points",
            va="center",
            color=ink(role),
            annotation_clip=False,
        )
