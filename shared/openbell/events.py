"""What the platform tells the world: facts in the past tense, made of what the ledger writes (docs/events.md).

Each is written to the ledger's outbox in the same transaction as the change that it tells of, and published later: at
least once, in no order. The same change always makes the same id, so that whoever gets an event twice can tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from openbell.codec import to_plain
from openbell.model import Halt, Leg, LegKind, Order, OrderStatus, Run, RunStatus, Side

VERSION = 1  # of every schema; a field that is taken away or changes its meaning makes it 2


class EventKind(StrEnum):
    """The names by which rules choose."""

    RUN_COMPLETED = "RunCompleted"
    RUN_SKIPPED = "RunSkipped"
    RUN_FAILED = "RunFailed"
    ORDER_FILLED = "OrderFilled"
    ORDER_REJECTED = "OrderRejected"
    DRIFT_FOUND = "DriftFound"
    HALTED = "Halted"
    RESUMED = "Resumed"


@dataclass(frozen=True)
class DomainEvent:
    """One fact; `detail` is ready for JSON, with money and quantities as decimal text."""

    id: str
    kind: EventKind
    detail: Mapping[str, Any]
    version: int = VERSION


_OF_RUN = {
    RunStatus.COMPLETED: EventKind.RUN_COMPLETED,
    RunStatus.SKIPPED: EventKind.RUN_SKIPPED,
    RunStatus.FAILED: EventKind.RUN_FAILED,
}


def run_events(run: Run) -> list[DomainEvent]:
    """That the run has ended; nothing while it goes on."""
    kind = _OF_RUN.get(run.status)
    if kind is None:
        return []
    told = ("run_id", "execution", "as_of", "schedule", "strategies", "note")
    return [_event(kind, run.run_id, {name: to_plain(getattr(run, name)) for name in told})]


def order_events(before: Order | None, after: Order) -> list[DomainEvent]:
    """That an order, or a leg of it, has ended with shares filled, or that it was rejected; nothing if that is old."""
    events = []
    if _tells(after) and not (before is not None and before.status.ended):
        kind = EventKind.ORDER_REJECTED if after.status is OrderStatus.REJECTED else EventKind.ORDER_FILLED
        part = LegKind.TAKE_PROFIT if after.protective else LegKind.ENTRY
        detail = _detail(after, part, after.side, after.filled_qty, after.filled_value)
        events.append(_event(kind, after.client_order_id, detail))
    told = {leg.broker_order_id for leg in before.legs if _fills(leg)} if before else set()
    for leg in after.legs:
        if _fills(leg) and leg.broker_order_id not in told:
            detail = _detail(after, leg.kind, Side.SELL, leg.filled_qty, leg.filled_value)
            events.append(_event(EventKind.ORDER_FILLED, f"{after.client_order_id}/{leg.kind}", detail))
    return events


def tells(order: Order) -> bool:
    """Whether an order that stands so may be worth an event."""
    return _tells(order) or any(_fills(leg) for leg in order.legs)


def _tells(order: Order) -> bool:
    return order.status is OrderStatus.REJECTED or (order.status.ended and order.filled_qty > 0)


def _fills(leg: Leg) -> bool:
    return leg.status.ended and leg.filled_qty > 0


def _detail(order: Order, leg: LegKind, side: Side, qty: Decimal, value: Decimal) -> dict[str, Any]:
    return {
        "run_id": order.run_id,
        "client_order_id": order.client_order_id,
        "leg": leg.value,
        "symbol": order.symbol,
        "side": side.value,
        "qty": str(order.qty),
        "filled_qty": str(qty),
        "filled_avg_price": f"{value / qty:.4f}" if qty else None,
        "strategies": list(order.strategies),
        "note": order.note,
    }


def drift_events(run: Run, differences: Sequence[Mapping[str, str]]) -> list[DomainEvent]:
    """That ledger and broker differed at the end of the run; each difference has symbol, ledger and broker (shares)."""
    if not differences:
        return []
    return [_event(EventKind.DRIFT_FOUND, run.run_id, {"run_id": run.run_id, "differences": list(differences)})]


def halted(halt: Halt) -> DomainEvent:
    """That trading stands still; once more when the halt takes on the wish to flatten."""
    subject = f"{halt.at.isoformat()}{'/flatten' if halt.flatten else ''}"
    return _event(EventKind.HALTED, subject, to_plain(halt))


def resumed(halt: Halt) -> DomainEvent:
    """That `halt` is over."""
    return _event(EventKind.RESUMED, halt.at.isoformat(), {"halt": to_plain(halt)})


def _event(kind: EventKind, subject: str, detail: dict[str, Any]) -> DomainEvent:
    return DomainEvent(f"{kind}/{subject}", kind, detail)
