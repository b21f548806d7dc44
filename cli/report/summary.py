"""The outcome in one sentence, and the few figures that matter."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from cli.day import Day, Result, total_orders
from cli.formats import bps, count, money, seconds, signed_money, signed_percent
from openbell.model import RunStatus

_ENDINGS = {
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
    "DROPPED": "never sent",
}


@dataclass(frozen=True)
class Figure:
    """A key figure: what it is, its value, and a line below."""

    label: str
    value: str
    detail: str = ""
    tone: str = ""  # good, bad or nothing


def headline(result: Result) -> str:
    """What happened, in one sentence or two."""
    return _one_day(result.last) if len(result.days) == 1 else _many_days(result)


def _one_day(day: Day) -> str:
    if day.report.status is RunStatus.SKIPPED:
        return f"Nothing was traded: {day.report.note or 'the run was skipped'}".rstrip(".") + "."
    if day.report.status is RunStatus.FAILED:
        sent = f"It had planned {_orders(day)}" if day.report.orders else "No order was sent"
        return f"The run failed: {day.report.note}".rstrip(".") + f". {sent}."
    number = len(day.report.strategies)
    who = "One strategy" if number == 1 else f"{number} strategies"
    return f"{who}, {_orders(day)}. {_books([day])}"


def _many_days(result: Result) -> str:
    first, last = result.days[0], result.last
    placed, filled = total_orders(result.days)
    gain = signed_percent(result.equity / result.cash - 1, 2)
    return (
        f"{len(result.days)} runs from {first.date_label} to {last.date_label}: {count(placed, 'order')}, {filled} "
        f"filled. Equity went from {money(result.cash)} to {money(result.equity)} USD ({gain}). {_books(result.days)}"
    )


def _orders(day: Day) -> str:
    orders = day.report.wanted
    if not orders:
        return "no order was needed" + _protective(day)
    endings = Counter(_ENDINGS.get(order.status, "still open") for order in orders)
    if set(endings) == {"filled"}:
        filled = f"{count(len(orders), 'order')}, all filled" if len(orders) > 1 else "1 order, filled"
        return filled + _protective(day)
    told = ", ".join(f"{number} {ending}" for ending, number in endings.most_common())
    return f"{count(len(orders), 'order')}: {told}" + _protective(day)


def _protective(day: Day) -> str:
    """How many orders rest to protect what is held."""
    resting = sum(order.protective and order.status not in _ENDINGS for order in day.report.orders)
    return f"; {count(resting, 'protective order')} placed" if resting else ""


def _books(days: Sequence[Day]) -> str:
    verdicts = {day.books_agree for day in days}
    if False in verdicts:
        return "Ledger and exchange do NOT agree."
    return "Ledger and exchange agree to the share." if True in verdicts else "The books were not compared."


def key_figures(result: Result) -> list[Figure]:
    """Equity, orders, slippage, forecasts, books, time."""
    return [
        _equity(result),
        _order_figure(result),
        _slippage(result),
        _forecasts(result),
        _book_figure(result),
        _time(result),
    ]


def _equity(result: Result) -> Figure:
    gain = result.equity - result.cash
    detail = f"{signed_money(gain)} ({signed_percent(gain / result.cash, 2)}) since the start"
    return Figure("Equity, USD", money(result.equity), detail, "good" if gain > 0 else "bad" if gain < 0 else "")


def _order_figure(result: Result) -> Figure:
    placed, filled = total_orders(result.days)
    value = sum((order.value for day in result.days for order in day.report.orders), Decimal(0))
    return Figure("Orders filled", f"{filled} of {placed}", f"{money(value)} USD changed hands")


def _slippage(result: Result) -> Figure:
    orders = [order for day in result.days for order in day.report.filled]
    arrival = sum((order.reference_price * order.filled_qty for order in orders), Decimal(0))
    cost = sum((order.slippage_cost for order in orders), Decimal(0))
    if not arrival:
        return Figure("Slippage", "\N{EN DASH}", "nothing was filled")
    return Figure("Slippage, bps", bps(cost / arrival * 10_000), f"{signed_money(cost)} USD against arrival prices")


def _forecasts(result: Result) -> Figure:
    made = sum(len(day.report.forecasts.made) for day in result.days)
    failed = sum(len(day.report.forecasts.failed) for day in result.days)
    return Figure("Forecasts", str(made), f"{failed} failed and left out" if failed else "none failed")


def _book_figure(result: Result) -> Figure:
    verdicts = {day.books_agree for day in result.days}
    if False in verdicts:
        return Figure("Books", "differ", "see the differences below", "bad")
    if True in verdicts:
        return Figure("Books", "agree", "ledger against exchange, every symbol", "good")
    return Figure("Books", "\N{EN DASH}", "nothing to compare")


def _time(result: Result) -> Figure:
    longest = max(result.days, key=lambda day: day.story.seconds)
    if len(result.days) == 1:
        return Figure("Workflow", seconds(longest.story.seconds), "from bell to closed books")
    mean = sum(day.story.seconds for day in result.days) / len(result.days)
    return Figure("A run took", seconds(mean), f"on average; the longest {seconds(longest.story.seconds)}")
