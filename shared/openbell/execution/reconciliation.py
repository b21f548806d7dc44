"""Bring the ledger up to the broker before a run decides anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from openbell.execution.settling import drop, settle
from openbell.model import ZERO, BrokerPosition, Fill, Lease, OrderStatus, Sleeve
from openbell.ports import Broker, Ledger


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


def reconcile(broker: Broker, ledger: Ledger, lease: Lease) -> Reconciliation:
    """Book what ended since the last run, adopt what a dead run left, and compare every position.

    Run it only while the lease is held: then no order of ours can be on its way, so a SUBMITTING order that the broker
    does not know has never arrived.
    """
    booked: list[Fill] = []
    adopted: list[str] = []
    for order in ledger.open_orders():
        settled, fills = settle(order, broker, ledger, lease)
        booked += fills
        if settled.status in {OrderStatus.PLANNED, OrderStatus.SUBMITTING}:
            drop(settled, "its run ended before it was sent", ledger, lease)
            adopted.append(order.client_order_id)
    differences, unmanaged = compare(ledger.sleeves(), broker.positions())
    return Reconciliation(tuple(booked), tuple(adopted), differences, unmanaged)


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
