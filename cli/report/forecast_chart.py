"""Price, forecast and interval of one symbol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from cli.formats import percent, signed_percent
from cli.report.ink import Press, Sheet, ink
from cli.run_report import ForecastPart, OrderPart, RunReport

_WIDTH, _HEIGHT = 300, 150


@dataclass(frozen=True)
class ForecastPanel:
    """One of the small charts, with what stands above it."""

    symbol: str
    chart: Markup
    change: float  # last forecast value against the last close, as a fraction
    sessions: int
    skill: float | None
    actions: tuple[str, ...]  # what was done with it: "bought 55"
    strategies: tuple[str, ...]


def forecast_panels(report: RunReport, press: Press, roles: Mapping[str, str], limit: int) -> list[ForecastPanel]:
    """The `limit` most relevant forecasts: traded first, then held, then with a signal, then by expected change."""
    orders = {symbol: [o for o in report.orders if o.symbol == symbol] for symbol in {o.symbol for o in report.orders}}
    ranked = sorted(report.forecasts.made, key=lambda forecast: _relevance(forecast, report, orders))
    return [_panel(forecast, report, orders.get(forecast.symbol, []), press, roles) for forecast in ranked[:limit]]


def _relevance(
    forecast: ForecastPart, report: RunReport, orders: Mapping[str, Sequence[OrderPart]]
) -> tuple[int, float, str]:
    symbol = forecast.symbol
    held = any(symbol in sleeve.positions for sleeve in report.sleeves.values())
    signalled = any(signal.symbol == symbol for signals in report.signals.values() for signal in signals)
    rank = 0 if symbol in orders else 1 if held else 2 if signalled else 3
    return rank, -abs(forecast.expected_change), symbol


def _panel(
    forecast: ForecastPart, report: RunReport, orders: Sequence[OrderPart], press: Press, roles: Mapping[str, str]
) -> ForecastPanel:
    holders = [name for name, sleeve in report.sleeves.items() if forecast.symbol in sleeve.positions]
    wanting = [name for order in orders for name in order.strategies]
    strategies = tuple(dict.fromkeys((*wanting, *holders)))
    with press.sheet(_WIDTH, _HEIGHT) as sheet:
        _draw(sheet, forecast, report, orders, roles)
    chart = press.print(sheet, _description(forecast))
    actions = tuple(_action(order) for order in orders)
    return ForecastPanel(
        forecast.symbol,
        chart,
        forecast.expected_change,
        len(forecast.yhat),
        forecast.skill,
        actions,
        tuple(name for name in strategies if name in roles),
    )


def _draw(
    sheet: Sheet, forecast: ForecastPart, report: RunReport, orders: Sequence[OrderPart], roles: Mapping[str, str]
) -> None:
    axes = sheet.axes
    history = report.history.get(forecast.symbol)
    past: tuple[date, ...] = history.sessions if history else ()
    if history:
        axes.plot(_days(past), history.closes, color=ink("line"), linewidth=1.3)
    start = (past[-1],) if past else ()
    anchor = (forecast.last_close,) if past else ()
    ahead = _days(start + forecast.sessions)
    band = axes.fill_between(
        ahead,
        anchor + forecast.yhat_lower,
        anchor + forecast.yhat_upper,
        color=ink("accent"),
        alpha=0.18,
        linewidth=0,
    )
    sheet.hint(band, _description(forecast))
    axes.plot(ahead, anchor + forecast.yhat, color=ink("accent"), linewidth=1.8)
    if past:
        _mark_fills(sheet, [order for order in orders if order.filled_qty], report.as_of.toordinal(), roles)
    _ticks(sheet, _days(past + forecast.sessions))


def _mark_fills(sheet: Sheet, orders: Sequence[OrderPart], at: int, roles: Mapping[str, str]) -> None:
    for order in orders:
        for name in order.strategies:
            shape = "^" if order.side.sign > 0 else "v"
            colour = ink(roles.get(name, "mark"))
            price = float(order.filled_avg_price or order.reference_price)
            (mark,) = sheet.axes.plot([at], [price], shape, color=colour, markersize=7, zorder=5)
            sheet.hint(mark, f"{name}: {_action(order)} at {price:,.2f} USD")


def _ticks(sheet: Sheet, days: Sequence[int]) -> None:
    axes = sheet.axes
    axes.margins(x=0.02)
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    months = [day for day in range(days[0], days[-1] + 1) if date.fromordinal(day).day == 1]
    axes.set_xticks(months, [f"{date.fromordinal(day):%b}" for day in months])


def _days(sessions: Sequence[date]) -> list[int]:
    """Positions on the time axis."""
    return [session.toordinal() for session in sessions]


def _action(order: OrderPart) -> str:
    verb = {"buy": "bought", "sell": "sold"}[order.side]
    if order.filled_qty:
        return f"{verb} {order.filled_qty:f}"
    return f"{order.side} of {order.qty:f} {order.status.lower()}"


def _description(forecast: ForecastPart) -> str:
    return (
        f"{forecast.symbol}: last close {forecast.last_close:,.2f} USD; expected in {len(forecast.yhat)} sessions "
        f"{forecast.yhat[-1]:,.2f} ({signed_percent(forecast.expected_change)}), "
        f"{percent(forecast.interval_width, 0)} interval {forecast.yhat_lower[-1]:,.2f} to "
        f"{forecast.yhat_upper[-1]:,.2f}"
    )
