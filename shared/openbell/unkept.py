"""Orders sent after the newest books were kept, made once more from what the broker has of them. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from openbell.config import ExecutionConfig
from openbell.model import BrokerOrder, Order, OrderStatus
from openbell.money import allocate, quantum_of
from openbell.workflow.settle_orders import revision


def as_sent(order: Order, found: BrokerOrder) -> Order:
    """The order with the quantity that was sent, if it was cut between its plan and its sending.

    Shares of several strategies are cut in proportion, which need not be how they were cut.
    """
    if found.qty == order.qty or found.qty <= 0:
        return order
    parts = allocate(found.qty, [share.qty for share in order.shares], quantum_of(order.qty, found.qty))
    shares = tuple(replace(share, qty=qty) for share, qty in zip(order.shares, parts, strict=True) if qty)
    return replace(order, qty=found.qty, shares=shares, note=f"cut from {order.qty}: as the broker has it")


def repriced(found: BrokerOrder, orders: Mapping[str, Order], rules: ExecutionConfig | None) -> Order | None:
    """The revision that `found` must be, made from the order before it; None if it is none."""
    stem, _, number = found.client_order_id.rpartition("-")
    before = orders.get(f"{stem}-{int(number) - 1}") if number.isdigit() else None
    if before is None or before.status is not OrderStatus.CANCELED or before.filled_qty >= before.qty or rules is None:
        return None
    again = revision(before, rules)
    return again if again.qty == found.qty else None
