"""Bring one order of the ledger up to what the broker says of it, and book what is new."""

from contextlib import suppress
from dataclasses import replace

from openbell.errors import ImpossibleFill, OrderNotCancelable
from openbell.execution.booking import book_all, observe
from openbell.execution.quarantine import set_impossible_apart
from openbell.model import Fill, Lease, Order, OrderStatus
from openbell.ports import Broker, Ledger


def settle(order: Order, broker: Broker, ledger: Ledger, lease: Lease) -> tuple[Order, tuple[Fill, ...]]:
    """The order as it stands now, written and booked; and the fills that were new.

    An order that the broker does not know stays as it is: PLANNED was never sent, SUBMITTING may still be on its way.
    So does one whose fills cannot be booked: its symbol is quarantined.
    """
    if order.status is OrderStatus.PLANNED or not order.open:
        return order, ()
    found = broker.find_order(order.client_order_id)
    if found is None:
        return order, ()
    try:
        seen, fills = observe(order, found)
        changed = book_all(ledger.sleeves(), fills) if fills else []
    except (ImpossibleFill, ValueError, ArithmeticError) as impossible:
        set_impossible_apart(order, str(impossible), broker.clock().now, ledger, lease)
        return order, ()
    return (order, ()) if seen == order else (ledger.save_order(seen, lease, changed), fills)


def withdraw(broker: Broker, ledger: Ledger, lease: Lease) -> None:
    """Cancel every order of ours that still works, with the legs that would follow, and book what it did until then."""
    for order in ledger.open_orders():
        if order.status is OrderStatus.WORKING:
            cancel(order.broker_order_id, broker, ledger, lease)
            settle(order, broker, ledger, lease)


def cancel(broker_order_id: str, broker: Broker, ledger: Ledger, lease: Lease) -> None:
    """Ask for the end of an order at the broker, if the lease is still ours; one that has ended by itself is left."""
    ledger.check_lease(lease)
    with suppress(OrderNotCancelable):  # the next look books what it did
        broker.cancel(broker_order_id)


def drop(order: Order, why: str, ledger: Ledger, lease: Lease) -> Order:
    """Give up an order that was never sent."""
    return ledger.save_order(replace(order, status=OrderStatus.DROPPED, note=why), lease)
