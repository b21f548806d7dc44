"""Whether an open order may be changed, and what the change costs."""

from dataclasses import replace

from paper.admission import Admission
from paper.errors import invalid
from paper.orders import Change, Order, OrderClass, Side, Ticket
from paper.tickets import check_client_order_id, check_tick


def admit_change(order: Order, change: Change, admission: Admission) -> Order:
    """The order with the amount per share that the change sets aside; Refused if the change is not possible."""
    _check_change(order, change)
    check_client_order_id(change.client_order_id)
    admission.check_new_id(change.client_order_id)
    reserve_price = admission.reserve_price(_as_ticket(order, change))
    if order.status.live:
        left = (change.qty or order.qty or order.filled_qty) - order.filled_qty
        if order.side is Side.BUY:
            admission.check_cash(left * reserve_price, freed=order.reserved)
        else:
            admission.check_shares(order.symbol, left, freed=order.remaining)
    return replace(order, reserve_price=reserve_price)


def _as_ticket(order: Order, change: Change) -> Ticket:
    return Ticket(
        order.symbol,
        order.side,
        change.qty or order.qty,
        type=order.type,
        limit_price=change.limit_price or order.limit_price,
        stop_price=change.stop_price or order.stop_price,
    )


def _check_change(order: Order, change: Change) -> None:
    if not order.status.open:
        raise invalid(f'order is already in "{order.status}" state')
    if order.qty is None:
        raise invalid("notional orders cannot be replaced: cancel and send a new one")
    has_legs = order.order_class is not OrderClass.SIMPLE
    if has_legs and (change.qty is not None or change.time_in_force is not None):
        raise invalid("only the prices of bracket, oco and oto orders can be replaced")
    _check_qty(order, change)
    _check_price("limit_price", order, change)
    _check_price("stop_price", order, change)


def _check_qty(order: Order, change: Change) -> None:
    if change.qty is None or order.qty is None:
        return
    if any(qty != qty.to_integral_value() for qty in (order.qty, change.qty)):
        raise invalid("the quantity of fractional orders cannot be replaced: cancel and send a new one")
    if change.qty <= order.filled_qty:
        raise invalid(f"qty must be above the filled quantity {order.filled_qty}")


def _check_price(name: str, order: Order, change: Change) -> None:
    wanted = getattr(change, name)
    if wanted is not None and getattr(order, name) is None:
        raise invalid(f"{order.type} orders have no {name.replace('_', ' ')}")
    check_tick(name, wanted)
