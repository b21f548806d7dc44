"""Bring the ledger up to the broker before a run decides anything."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from openbell.execution.settling import drop, settle
from openbell.model import ZERO, BrokerPosition, Fill, Lease, OrderStatus, Sleeve
from openbell.ports import Broker, Ledger

_LOOKS = 3  # a protective order may fill between the look at the orders and the look at the positions


@dataclass(frozen=True)
class Drift:
    """A symbol of which the strategies' sleeves hold more than the broker has."""

    symbol: str
    ledger: Decimal
    broker: Decimal


@dataclass(frozen=True)
class Reconciliation:
    """What OpenRun found: fills booked, orders of dead runs adopted, and where the books differ."""

    booked: tuple[Fill, ...] = ()
    adopted: tuple[str, ...] = ()  # client_order_ids
    drift: tuple[Drift, ...] = ()
    unmanaged: tuple[tuple[str, Decimal], ...] = ()  # (symbol, shares) that no sleeve owns


def reconcile(broker: Broker, ledger: Ledger, lease: Lease, never_sent: Collection[OrderStatus]) -> Reconciliation:
    """Book what ended since the last look, give up what will not be sent any more, and compare every position.

    Orders that the broker does not know and whose status is in `never_sent` are dropped. SUBMITTING may be among them
    only where no Lambda of an earlier attempt can still be on its way to the broker.
    """
    booked: list[Fill] = []
    adopted: list[str] = []
    for _ in range(_LOOKS):
        for order in ledger.open_orders():
            settled, fills = settle(order, broker, ledger, lease)
            booked += fills
            if settled.status in never_sent:
                drop(settled, "its run ended before it was sent", ledger, lease)
                adopted.append(order.client_order_id)
        drift, unmanaged = compare(ledger.sleeves(), broker.positions())
        if not drift:
            break
    return Reconciliation(tuple(booked), tuple(adopted), drift, unmanaged)


def compare(
    sleeves: Mapping[str, Sleeve], positions: Mapping[str, BrokerPosition]
) -> tuple[tuple[Drift, ...], tuple[tuple[str, Decimal], ...]]:
    """Symbols where the sleeves hold more than the broker, and shares at the broker that no sleeve owns."""
    owned: dict[str, Decimal] = {}
    for sleeve in sleeves.values():
        for symbol, position in sleeve.positions.items():
            owned[symbol] = owned.get(symbol, ZERO) + position.qty
    drift, unmanaged = [], []
    for symbol in sorted(owned.keys() | positions.keys()):
        ours = owned.get(symbol, ZERO)
        theirs = positions[symbol].qty if symbol in positions else ZERO
        if ours > theirs:
            drift.append(Drift(symbol, ours, theirs))
        elif theirs > ours:
            unmanaged.append((symbol, theirs - ours))
    return tuple(drift), tuple(unmanaged)
