"""Small builders with good defaults: a test names only what it is about."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd

from openbell.model import NEW_YORK, BrokerOrder, LegKind, Order, OrderStatus, Position, Share, Side, Sleeve

D = Decimal
AS_OF = datetime(2022, 6, 15, 15, 0, tzinfo=NEW_YORK)


def sleeve(
    strategy: str = "momentum",
    cash: str = "10000",
    positions: Mapping[str, tuple[str, str]] | None = None,
    last_rebalance: date | None = None,
) -> Sleeve:
    """A sleeve; positions are symbol -> (shares, total cost)."""
    held = {symbol: Position(D(qty), D(cost)) for symbol, (qty, cost) in (positions or {}).items()}
    return Sleeve(strategy, D(cash), held, last_rebalance=last_rebalance)


def order(
    side: Side = Side.BUY,
    shares: Mapping[str, str] | None = None,
    symbol: str = "AAPL",
    client_order_id: str = "",
    **changes: object,
) -> Order:
    """An order of `shares` (strategy -> quantity), at a reference price of 100."""
    parts = tuple(Share(name, D(qty)) for name, qty in (shares or {"momentum": "10"}).items())
    facts: dict[str, object] = {
        "client_order_id": client_order_id or f"run-{symbol}-{side.value}-x-1",
        "run_id": "run",
        "symbol": symbol,
        "side": side,
        "qty": sum((part.qty for part in parts), D(0)),
        "reference_price": D(100),
        "reason": "because",
        "shares": parts,
    }
    return Order(**(facts | changes))  # type: ignore[arg-type]


def at_broker(
    of: Order,
    filled: str = "0",
    price: str = "0",
    status: OrderStatus = OrderStatus.WORKING,
    legs: Sequence[BrokerOrder] = (),
) -> BrokerOrder:
    """What the broker says of an order: `filled` shares at an average of `price` USD."""
    return BrokerOrder(
        id="b-1",
        client_order_id=of.client_order_id,
        symbol=of.symbol,
        side=of.side,
        status=status,
        qty=of.qty,
        filled_qty=D(filled),
        filled_avg_price=D(price),
        legs=tuple(legs),
    )


def leg_at_broker(
    kind: LegKind, status: OrderStatus = OrderStatus.WORKING, filled: str = "0", price: str = "0", symbol: str = "AAPL"
) -> BrokerOrder:
    """A protective leg as the broker tells it."""
    return BrokerOrder(
        id=f"leg-{kind.value}",
        client_order_id="",
        symbol=symbol,
        side=Side.SELL,
        status=status,
        qty=D(10),
        filled_qty=D(filled),
        filled_avg_price=D(price),
        kind=kind,
    )


def closes(columns: Mapping[str, Sequence[float]], last: str = "2022-06-14") -> pd.DataFrame:
    """Closes on consecutive weekdays that end with `last`; a short column starts with NaN."""
    length = max(len(values) for values in columns.values())
    index = pd.bdate_range(end=last, periods=length, name="session")
    padded = {symbol: [np.nan] * (length - len(values)) + list(values) for symbol, values in columns.items()}
    return pd.DataFrame(padded, index=index, dtype=float)
