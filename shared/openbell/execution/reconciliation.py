"""Bring the ledger up to the broker: book what happened, give up what never will, mend what is certain, tell the rest.

What the sleeves own together may differ from what the broker holds:

- the broker holds more: the surplus belongs to no strategy ("unmanaged") and is never touched;
- share counts changed by a simple ratio while their cost stayed the same: a stock split, which is booked;
- the sleeves own more for any other reason (shares sold by hand, transferred, lost): drift, which only a person
  repairs; the symbol is quarantined until then.

Unknown is never flat: positions that cannot be all of them, measured by the account's equity, are no answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from openbell.errors import BrokerUnavailable
from openbell.execution.settling import drop, settle, told_by_lists
from openbell.model import ZERO, BrokerPosition, Fill, Lease, Order, OrderStatus, Position, QuarantineKind, Sleeve
from openbell.money import SHARE_QUANTUM, allocate
from openbell.ports import Broker, Ledger

_LOOKS = 3  # a protective order may fill between the look at the orders and the look at the positions
_LARGEST_RATIO = 100  # of a split, either way
_SAME_COST = Decimal("0.005")  # cents that brokers round differently; a manual trade of even one share in 200 is more
_MISSING_VALUE = Decimal("0.05")  # of equity: more than prices move between two requests


@dataclass(frozen=True)
class Drift:
    """A symbol of which the strategies' sleeves hold more than the broker has."""

    symbol: str
    ledger: Decimal
    broker: Decimal


@dataclass(frozen=True)
class BookedSplit:
    """A stock split of which the sleeves' shares were adjusted: quantities of all strategies together."""

    symbol: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True)
class Reconciliation:
    """What was found: fills booked, orders of dead runs given up, splits, and where the books differ."""

    booked: tuple[Fill, ...] = ()
    adopted: tuple[str, ...] = ()  # client_order_ids
    drift: tuple[Drift, ...] = ()
    unmanaged: tuple[tuple[str, Decimal], ...] = ()  # (symbol, shares) that no sleeve owns
    splits: tuple[BookedSplit, ...] = ()


def reconcile(broker: Broker, ledger: Ledger, lease: Lease, dead_before: datetime | None) -> Reconciliation:
    """Book what ended since the last look, give up what will not be sent any more, and compare every position.

    PLANNED orders are given up; orders that were being sent and that the broker does not know only if the attempt began
    before `dead_before` (None: never): a later one may still be on its way. Raises BrokerUnavailable when the broker's
    positions cannot be complete.
    """
    booked: list[Fill] = []
    adopted: list[str] = []
    splits: list[BookedSplit] = []
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
        splits += _book_splits(ledger, positions, lease)
        drift, unmanaged = compare(ledger.sleeves(), positions)
        if not _news(drift, ledger):
            break
        _refuse_incomplete(broker, positions)
    return Reconciliation(tuple(booked), tuple(adopted), drift, unmanaged, tuple(splits))


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
    told = sum((position.qty * position.price for position in positions.values()), ZERO)
    missing = account.equity - account.cash - told
    if missing > _MISSING_VALUE * account.equity:
        raise BrokerUnavailable(
            f"the broker lists positions worth {told:.2f} USD, but its equity of {account.equity} USD and cash of "
            f"{account.cash} USD say {missing:.2f} USD more: the list is not complete"
        )


def _book_splits(ledger: Ledger, positions: Mapping[str, BrokerPosition], lease: Lease) -> list[BookedSplit]:
    """Adjust the sleeves for every symbol whose share count changed by a split, in one transaction."""
    sleeves = ledger.sleeves()
    changed: dict[str, Sleeve] = {}
    splits = []
    for symbol, position in sorted(positions.items()):
        owners = {name: sleeve.positions[symbol] for name, sleeve in sleeves.items() if symbol in sleeve.positions}
        before = sum((own.qty for own in owners.values()), ZERO)
        if not is_split(list(owners.values()), position):
            continue
        parts = allocate(position.qty, [own.qty for own in owners.values()], SHARE_QUANTUM)
        for (name, own), qty in zip(owners.items(), parts, strict=True):
            sleeve = changed.get(name, sleeves[name])
            protection = own.protection and own.protection.scaled(before / position.qty)
            held = {**sleeve.positions, symbol: Position(qty, own.cost, protection)}
            changed[name] = replace(sleeve, positions=held)
        splits.append(BookedSplit(symbol, before, position.qty))
    if changed:
        ledger.save_sleeves(list(changed.values()), lease)
    return splits


def is_split(owned: list[Position], held: BrokerPosition) -> bool:
    """Whether the broker's share count differs by a simple ratio while the cost of all shares is the same.

    10 shares that cost 1,000 USD and are now 20 at an average of 50: two to one. Bought by hand, they would have cost
    more.
    """
    before = sum((position.qty for position in owned), ZERO)
    if before <= 0 or held.qty <= 0 or held.qty == before:
        return False
    ratio = Fraction(held.qty) / Fraction(before)
    simple = max(ratio.numerator, ratio.denominator) <= _LARGEST_RATIO
    cost = sum((position.cost for position in owned), ZERO)
    return simple and abs(held.qty * held.average_price - cost) <= _SAME_COST * cost


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
