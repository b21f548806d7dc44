"""What the account's owner does by hand, beside the platform."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import prod

from paper import PaperExchange, Refused, Split
from paper.orders import Change, Order, OrderClass, Side
from tests.chaos.faults import Kind

_SYMBOL = "FOX"
_SHARES = Decimal(3)
_AMOUNT = Decimal("1000.37")  # USD that are paid in or out
_FURTHER = Decimal("0.10")  # USD by which a target is moved


@dataclass
class Owner:
    """Somebody who trades in the same account; his shares are never to be touched."""

    trades: list[tuple[datetime, Decimal]] = field(default_factory=list)  # shares, each at its time

    def buy(self, exchange: PaperExchange, qty: Decimal = _SHARES) -> None:
        """Buy (`qty` above 0) or sell without an order of ours."""
        exchange.by_hand.trade(_SYMBOL, qty)
        self.trades.append((exchange.now, qty))

    def shares(self, splits: Sequence[Split], now: datetime) -> dict[str, Decimal]:
        """What is his by now, splits since he bought included."""
        ours = [split for split in splits if split.symbol == _SYMBOL and split.ex_date <= now.date()]
        factors = [(qty, [split.ratio for split in ours if at.date() < split.ex_date]) for at, qty in self.trades]
        return {_SYMBOL: sum((qty * prod(ratios) for qty, ratios in factors), Decimal(0))}

    def act(self, kind: Kind, exchange: PaperExchange) -> None:
        """Do one thing, if it can be done now."""
        with suppress(Refused):
            match kind:
                case Kind.BOUGHT:
                    self.buy(exchange)
                case Kind.SOLD:
                    self.buy(exchange, -_SHARES)
                case Kind.PAID_IN:
                    exchange.by_hand.transfer(_AMOUNT)
                case Kind.PAID_OUT:
                    exchange.by_hand.transfer(-_AMOUNT)
                case Kind.LEG_MOVED:
                    for order in _protecting(exchange)[:1]:
                        target = (order.limit_price or Decimal(0)) + _FURTHER
                        exchange.replace(order.id, Change(limit_price=target))
                case Kind.LEG_ENDED:
                    for order in _protecting(exchange)[:1]:
                        exchange.cancel(order.id)


def _protecting(exchange: PaperExchange) -> list[Order]:
    """Pairs of target and stop that rest now."""
    return [
        order
        for order in exchange.orders()
        if order.order_class is OrderClass.OCO and not order.parent_id and order.side is Side.SELL and order.status.live
    ]
