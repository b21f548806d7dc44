"""What the platform tells the world: facts in the past tense, made of what the ledger writes (docs/events.md).

Each is written to the ledger's outbox in the same transaction as the change that it tells of, and published later: at
least once, in no order. The same change always makes the same id, so that whoever gets an event twice can tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from openbell.codec import to_plain
from openbell.model import Halt, Order, OrderStatus, Run, RunStatus

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
    """That an order has ended with shares filled, or was rejected; nothing if it had ended before."""
    if not tells(after) or (before is not None and before.status.ended):
        return []
    kind = EventKind.ORDER_REJECTED if after.status is OrderStatus.REJECTED else EventKind.ORDER_FILLED
    price = after.filled_avg_price
    detail = {
        "run_id": after.run_id,
        "client_order_id": after.client_order_id,
        "symbol": after.symbol,
        "side": after.side.value,
        "qty": str(after.qty),
        "filled_qty": str(after.filled_qty),
        "filled_avg_price": None if price is None else f"{price:.4f}",
        "strategies": list(after.strategies),
        "note": after.note,
    }
    return [_event(kind, after.client_order_id, detail)]


def tells(order: Order) -> bool:
    """Whether an order that stands so may be worth an event."""
    return order.status is OrderStatus.REJECTED or (order.status.ended and order.filled_qty > 0)


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
