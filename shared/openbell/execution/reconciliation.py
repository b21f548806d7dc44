"""Bring the ledger up to the broker: book what happened, give up what never will, tell the rest.

What the sleeves own together may differ from what the broker holds:

- the broker holds more, or has sold short what no sleeve owns: it belongs to no strategy ("unmanaged") and is never
  touched;
- the sleeves own more (shares sold by hand, transferred, lost): drift, which only a person repairs; the symbol is
  quarantined until then.

What companies did to the shares was booked before, out of the broker's record (`openbell.execution.record`).

Unknown is never flat: positions that cannot be all of them, measured by the account's equity, are no answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from openbell.errors import BrokerUnavailable
from openbell.execution.record import Booked
from openbell.execution.settling import drop, settle, told_by_lists
from openbell.model import ZERO, BrokerPosition, Fill, Lease, Order, OrderStatus, QuarantineKind, Sleeve
from openbell.ports import Broker, Ledger

_LOOKS = 3  # a protective order may fill between the look at the orders and the look at the positions
_MISSING_VALUE = Decimal("0.05")  # of equity: more than prices move between two requests


@dataclass(frozen=True)
class Drift:
    """A symbol of which the strategies' sleeves hold more than the broker has."""

    symbol: str
    ledger: Decimal
    broker: Decimal


@dataclass(frozen=True)
class Reconciliation:
    """What was found: fills booked, orders of dead runs given up, the record, and where the books differ."""

    booked: tuple[Fill, ...] = ()
    adopted: tuple[str, ...] = ()  # client_order_ids
    drift: tuple[Drift, ...] = ()
    unmanaged: tuple[tuple[str, Decimal], ...] = ()  # (symbol, shares) that no sleeve owns
    others: tuple[tuple[str, Decimal], ...] = ()  # (symbol, quantity) of what is no equity: crypto, options
    record: Booked = field(default_factory=Booked)


def reconcile(broker: Broker, ledger: Ledger, lease: Lease, dead_before: datetime | None) -> Reconciliation:
    """Book what ended since the last look, give up what will not be sent any more, and compare every position.

    PLANNED orders are given up; orders that were being sent and that the broker does not know only if the attempt began
    before `dead_before` (None: never): a later one may still be on its way. Raises BrokerUnavailable when the broker's
    positions cannot be complete.
    """
    booked: list[Fill] = []
    adopted: list[str] = []
    for _ in range(_LOOKS):
        orders = ledger.open_orders()
        told = told_by_lists(orders, broker)
        for order in orders:
            settled, fills = settle(order, broker, ledger, lease, told.get(order.client_order_id))
            booked += fills
            if _never_sent(settled, dead_before):
                drop(settled, "its run ended before it was sent", ledger, lease)
                adopted.append(order.client_order_id)
        positions = broker.positions()
        drift, unmanaged = compare(ledger.sleeves(), positions)
        if not _news(drift, ledger):
            break
        _refuse_incomplete(broker, positions)
    return Reconciliation(tuple(booked), tuple(adopted), drift, unmanaged)


def _news(drift: tuple[Drift, ...], ledger: Ledger) -> bool:
    """Whether a symbol drifts that is not quarantined: a second look may find that it does not."""
    if not drift:
        return False
    known = {found.name for found in ledger.quarantines() if found.kind is QuarantineKind.SYMBOL}
    return any(found.symbol not in known for found in drift)


def _never_sent(order: Order, dead_before: datetime | None) -> bool:
    if order.status is OrderStatus.PLANNED:
        return True
    if order.status is not OrderStatus.SUBMITTING or dead_before is None:
        return False
    return order.sending_since is None or order.sending_since < dead_before


def _refuse_incomplete(broker: Broker, positions: Mapping[str, BrokerPosition]) -> None:
    """Raise unless the positions are worth what the account says that it holds beside cash."""
    account = broker.account()
    others = broker.other_holdings()
    told = sum((held.qty * held.price for held in (*positions.values(), *others.values())), ZERO)
    missing = account.equity - account.cash - told
    if missing > _MISSING_VALUE * account.equity:
        raise BrokerUnavailable(
            f"the broker lists positions worth {told:.2f} USD, but its equity of {account.equity} USD and cash of "
            f"{account.cash} USD say {missing:.2f} USD more: the list is not complete"
        )


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
        if ours and ours > theirs:
            drift.append(Drift(symbol, ours, theirs))
        elif theirs != ours:
            unmanaged.append((symbol, theirs - ours))
    return tuple(drift), tuple(unmanaged)
