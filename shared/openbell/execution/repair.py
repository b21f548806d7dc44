"""What a person agrees to when books are broken: the sleeves take the broker's count, and trading goes on.

A repair never sends or cancels an order. Shares that a sleeve loses leave at their average cost, as a realised loss;
what a sale by hand brought stays in the account, and belongs to no strategy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from openbell.errors import ImpossibleFill
from openbell.execution.booking import adopt, book_all, observe
from openbell.execution.quarantine import quarantine
from openbell.execution.settling import settle
from openbell.model import ZERO, Lease, Order, Quarantine, QuarantineKind, Repair, RepairedSleeve, Sleeve
from openbell.money import allocate, quantum_of, to_cents
from openbell.ports import Broker, Ledger


@dataclass(frozen=True)
class RepairPlan:
    """What a repair of one quarantine would do."""

    quarantine: Quarantine
    sleeves: tuple[RepairedSleeve, ...]
    orders: tuple[str, ...]  # client_order_ids that take the broker's figures without booking their fills


def plan_repair(found: Quarantine, broker: Broker, ledger: Ledger) -> RepairPlan:
    """What `repair` would do now; reads only."""
    if found.kind is QuarantineKind.SLEEVE:  # whose figures are its own: a person says that they are right now
        return RepairPlan(found, (), ())
    sleeves = _counted(found.name, broker, list(ledger.sleeves().values()))
    stuck = tuple(order.client_order_id for order, _ in _stuck(found.name, broker, ledger))
    return RepairPlan(found, tuple(line for line, _ in sleeves), stuck)


def repair(plan: RepairPlan, by: str, reason: str, now: datetime, broker: Broker, ledger: Ledger, lease: Lease) -> None:
    """Do it, from fresh reads, and lift the quarantine. Doing it twice does no harm."""
    found = plan.quarantine
    changes: list[tuple[RepairedSleeve, Sleeve]] = []
    if found.kind is QuarantineKind.SYMBOL:
        quarantine(found, ledger, lease)  # stands until all is done
        for order in _open(found.name, ledger):
            settle(order, broker, ledger, lease)
        for _, adopted in _stuck(found.name, broker, ledger):
            ledger.save_order(replace(adopted, note=f"repaired by {by}, fills not booked: {reason}"), lease)
        changes = _counted(found.name, broker, list(ledger.sleeves().values()))
        if changes:
            ledger.save_sleeves([sleeve for _, sleeve in changes], lease)
    done = Repair(found, by, reason, now, tuple(line for line, _ in changes))
    ledger.lift_quarantine(done, lease)


def _open(symbol: str, ledger: Ledger) -> list[Order]:
    return [order for order in ledger.open_orders() if order.symbol == symbol]


def _stuck(symbol: str, broker: Broker, ledger: Ledger) -> list[tuple[Order, Order]]:
    """Orders whose fills cannot be booked, each with itself as the broker tells it."""
    stuck = []
    for order in _open(symbol, ledger):
        found = broker.find_order(order.client_order_id)
        if found is None:
            continue
        try:
            book_all(ledger.sleeves(), observe(order, found)[1])
        except (ImpossibleFill, ValueError, ArithmeticError):
            stuck.append((order, adopt(order, found)))
    return stuck


def _counted(symbol: str, broker: Broker, sleeves: Sequence[Sleeve]) -> list[tuple[RepairedSleeve, Sleeve]]:
    """The sleeves that own more of `symbol` than the broker holds, together, with their part of what it holds."""
    owners = [sleeve for sleeve in sleeves if sleeve.held(symbol)]
    ours = sum((sleeve.held(symbol) for sleeve in owners), ZERO)
    position = broker.positions().get(symbol)
    theirs = max(position.qty, ZERO) if position else ZERO
    if theirs >= ours:
        return []
    held = [sleeve.held(symbol) for sleeve in owners]
    parts = allocate(theirs, held, quantum_of(theirs, *held))
    pairs = zip(owners, parts, strict=True)
    return [
        (RepairedSleeve(sleeve.strategy, symbol, sleeve.held(symbol), qty), _with(sleeve, symbol, qty))
        for sleeve, qty in pairs
        if qty != sleeve.held(symbol)
    ]


def _with(sleeve: Sleeve, symbol: str, qty: Decimal) -> Sleeve:
    """The sleeve with `qty` shares of `symbol`, fewer than it has."""
    held = sleeve.positions[symbol]
    cost = to_cents(held.cost * qty / held.qty)
    positions = dict(sleeve.positions)
    if qty:
        positions[symbol] = replace(held, qty=qty, cost=cost)
    else:
        del positions[symbol]
    return replace(sleeve, positions=positions, realised_pnl=sleeve.realised_pnl - (held.cost - cost))
