"""Small markets with prices that can be followed by hand. Sessions from Monday 13 June 2022; the 20th is a holiday."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from paper import BarArrays, History, OrderType, PaperExchange, Rules, Side, Split, Ticket
from paper.orders import Order
from paper.sessions import NEW_YORK, nyse

D = Decimal
MONDAY = date(2022, 6, 13)


def at(day: int, clock: str) -> datetime:
    """An instant of June 2022 in New York."""
    hour, minute = clock.split(":")
    return datetime(2022, 6, day, int(hour), int(minute), tzinfo=NEW_YORK)


def closes(splits: Sequence[Split] = (), **by_symbol: Sequence[float]) -> History:
    """A history of closes only."""
    return History(list(by_symbol), _days(by_symbol), BarArrays(close=_array(by_symbol)), splits)


def bars(splits: Sequence[Split] = (), **by_symbol: Sequence[tuple[float, float, float, float]]) -> History:
    """A history of (open, high, low, close)."""
    parts = [{symbol: [bar[i] for bar in days] for symbol, days in by_symbol.items()} for i in range(4)]
    opens, highs, lows, last = (_array(part) for part in parts)
    return History(list(by_symbol), _days(by_symbol), BarArrays(last, opens, highs, lows), splits)


def _days(by_symbol: Mapping[str, Sequence[object]]) -> list[date]:
    count = max(len(days) for days in by_symbol.values())
    return nyse(MONDAY, MONDAY).days[:count]


def _array(by_symbol: Mapping[str, Sequence[float]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(list(by_symbol.values()), dtype=np.float64).T


def exchange(
    history: History, start: datetime | None = None, cash: str = "10000", rules: Rules | None = None
) -> PaperExchange:
    """An exchange whose clock stands at 10:00 of the second session unless told otherwise."""
    return PaperExchange(history, D(cash), start or at(14, "10:00"), rules=rules)


def buy(qty: str, symbol: str = "AAPL", **more: Any) -> Ticket:
    """A buy at the market today."""
    return Ticket(symbol, Side.BUY, D(qty), **more)


def sell(qty: str, symbol: str = "AAPL", **more: Any) -> Ticket:
    """A sell at the market today."""
    return Ticket(symbol, Side.SELL, D(qty), **more)


def limit(price: str) -> dict[str, Any]:
    """What makes a ticket a limit order."""
    return {"type": OrderType.LIMIT, "limit_price": D(price)}


def stop(price: str, limit_price: str | None = None) -> dict[str, Any]:
    """What makes a ticket a stop or a stop-limit order."""
    kind = OrderType.STOP_LIMIT if limit_price else OrderType.STOP
    return {"type": kind, "stop_price": D(price), "limit_price": D(limit_price) if limit_price else None}


def reread(paper: PaperExchange, order: Order) -> Order:
    """The order as it stands now."""
    return paper.order(order.id)
