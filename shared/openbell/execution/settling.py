"""Bring one order of the ledger up to what the broker says of it, and book what is new."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from openbell.errors import ImpossibleFill, OrderNotCancelable, StoreUnavailable
from openbell.execution.booking import book_all, observe, protected_at
from openbell.execution.quarantine import set_impossible_apart
from openbell.model import BrokerOrder, Fill, Lease, Order, OrderStatus, Side, Sleeve
from openbell.ports import Broker, Ledger

_FEW = 3  # orders that are looked up one by one
_SOONER = timedelta(minutes=1)  # than we noted that an order is sent: two clocks


def settle(
    order: Order, broker: Broker, ledger: Ledger, lease: Lease, found: BrokerOrder | None = None
) -> tuple[Order, tuple[Fill, ...]]:
    """The order as it stands now, written and booked; and the fills that were new.

    `found` is what a list of the broker's has told of it; without that, or if it tells less than is booked, it is
    looked up. An order that the broker does not know stays as it is: PLANNED was never sent, SUBMITTING may still be on
    its way. So does one whose fills cannot be booked: its symbol is quarantined.
    """
    if order.status is OrderStatus.PLANNED or not order.open:
        return order, ()
    if found is None or found.filled_qty < order.filled_qty:
        found = broker.find_order(order.client_order_id)
    if found is None:
        return order, ()
    try:
        seen, fills = observe(order, found)
        changed = _changed_sleeves(order, seen, fills, ledger)
    except (ImpossibleFill, ValueError, ArithmeticError) as impossible:
        _refuse_old(order, ledger, impossible)
        set_impossible_apart(order, str(impossible), broker.clock().now, ledger, lease)
        return order, ()
    return (order, ()) if seen == order else (ledger.save_order(seen, lease, changed), fills)


def _refuse_old(order: Order, ledger: Ledger, impossible: Exception) -> None:
    """Raise StoreUnavailable if another attempt has booked meanwhile what cannot be booked a second time."""
    now = ledger.order(order.run_id, order.client_order_id)
    if now and now.version != order.version:
        raise StoreUnavailable(
            f"order {order.client_order_id} was changed by another writer in between: read again"
        ) from impossible


def told_by_lists(orders: Sequence[Order], broker: Broker) -> dict[str, BrokerOrder]:
    """What the broker's lists tell of these orders, by client_order_id: a few requests for hundreds of orders.

    An order that no list has is not gone by that: `settle` looks it up.
    """
    sent = {order.client_order_id for order in orders if order.open and order.status is not OrderStatus.PLANNED}
    if len(sent) <= _FEW:
        return {}
    found = {order.client_order_id: order for order in broker.open_orders() if order.client_order_id in sent}
    missing = [order for order in orders if order.client_order_id in sent - found.keys()]
    times = [order.sending_since for order in missing if order.sending_since]
    if len(missing) > _FEW and times:
        since = broker.orders_since(min(times) - _SOONER)
        found |= {order.client_order_id: order for order in since if order.client_order_id in sent}
    return found


def _changed_sleeves(before: Order, seen: Order, fills: Sequence[Fill], ledger: Ledger) -> list[Sleeve]:
    """The sleeves after new fills, and after the owner has moved the prices of a protective order."""
    wish = seen.bracket if before.bracket != seen.bracket else None
    if not fills and not wish:
        return []
    sleeves = ledger.sleeves()
    changed = {sleeve.strategy: sleeve for sleeve in book_all(sleeves, fills)}
    if wish:
        owner = seen.shares[0].strategy
        changed[owner] = protected_at(changed.get(owner, sleeves[owner]), seen.symbol, wish)
    return list(changed.values())


def withdraw(orders: Iterable[Order], broker: Broker, ledger: Ledger, lease: Lease) -> list[Order]:
    """Ask for the end of those orders that work, buys first, and book what they did until then.

    Gives those that have not ended yet: a cancel may take the broker a moment. Protective orders stay: they go when
    their shares are sold.
    """
    working = [order for order in orders if not order.status.ended and not order.protective]
    buys_first = sorted(working, key=lambda order: order.side is Side.SELL)
    ended = [end(order, broker, ledger, lease) for order in buys_first]
    return [order for order in ended if not order.status.ended and order.status is not OrderStatus.PLANNED]


def end(order: Order, broker: Broker, ledger: Ledger, lease: Lease) -> Order:
    """The order after asking for the end of what of it works at the broker: it with all that hangs on it, or its legs.

    A cancel may take the broker a moment: whoever needs the end looks whether it has come.
    """
    parts = [order.broker_order_id] if order.status is OrderStatus.WORKING else _open_legs(order)
    for broker_order_id in parts:
        cancel(broker_order_id, broker, ledger, lease)
    return settle(order, broker, ledger, lease)[0]


def _open_legs(order: Order) -> list[str]:
    return [leg.broker_order_id for leg in order.legs if not leg.status.ended]


def cancel(broker_order_id: str, broker: Broker, ledger: Ledger, lease: Lease) -> None:
    """Ask for the end of an order at the broker, if the lease is still ours; one that has ended by itself is left."""
    ledger.check_lease(lease)
    with suppress(OrderNotCancelable):  # the next look books what it did
        broker.cancel(broker_order_id)


def drop(order: Order, why: str, ledger: Ledger, lease: Lease) -> Order:
    """Give up an order that was never sent."""
    return ledger.save_order(replace(order, status=OrderStatus.DROPPED, note=why), lease)
