"""What a sleeve can pay: no buy takes more than the cash that is there when it is sent.

A buy carries a limit, and sets aside its quantity at that limit. So a sleeve's cash stays at or above zero whatever the
price does until the order is filled. The exception is a fractional quantity, which the broker buys at the market only:
there the limit is what is set aside, and a fill above it may cost more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from openbell.model import ZERO, Order, OrderStatus, Share, Side, Sleeve
from openbell.money import CENT, bought_with, quantum_of, to_cents, to_tick

_AT_THE_BROKER = frozenset({OrderStatus.SUBMITTING, OrderStatus.WORKING})


def buy_limit(price: Decimal, max_slippage: Decimal) -> Decimal:
    """The most (USD a share) that a buy planned at `price` may pay: 105 for 100 USD and 5 %."""
    return to_tick(price * (1 + max_slippage))


def committed(orders: Iterable[Order]) -> dict[str, Decimal]:
    """USD by strategy that buys at the broker may still take from its sleeve."""
    total: dict[str, Decimal] = {}
    for order in orders:
        if order.side is Side.BUY and order.status in _AT_THE_BROKER:
            for share in order.shares:
                left = share.qty - share.filled_qty
                taken = left * order.worst_price + _rounding(left, order.worst_price)
                total[share.strategy] = total.get(share.strategy, ZERO) + taken
    return total


def affordable(order: Order, sleeves: Mapping[str, Sleeve], others: Iterable[Order]) -> tuple[Share, ...]:
    """The shares of a buy that its sleeves can pay for at its limit, beside what other buys have set aside."""
    taken = committed(other for other in others if other.client_order_id != order.client_order_id)
    shares = []
    for share in order.shares:
        free = sleeves[share.strategy].cash - taken.get(share.strategy, ZERO)
        free -= _rounding(share.qty, order.worst_price)
        qty = min(share.qty, bought_with(free, order.worst_price, quantum_of(share.qty)))
        shares += [replace(share, qty=qty)] if qty else []
    return tuple(shares)


def _rounding(qty: Decimal, price: Decimal) -> Decimal:
    """USD that a buy may cost beyond quantity times price: each fill of it is booked, and divided, in whole cents."""
    in_cents = price == to_cents(price) and qty == qty.to_integral_value()
    return ZERO if in_cents or not qty else 3 * CENT
