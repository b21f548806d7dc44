"""Repairing the books by the word of a person: what would be done, and doing it under the lease of a run."""

from collections.abc import Iterator, Sequence

from cli.formats import shares
from cli.rehearsed_books import rehearse_reconciliation
from openbell.errors import RunInProgress
from openbell.execution.drift import drift_quarantine
from openbell.execution.repair import RepairPlan, plan_repair, repair
from openbell.model import QuarantineKind
from openbell.ports import Broker, Ledger

_SECONDS = 900  # for which nobody else may trade; given back when all is done


def plan_repairs(ledger: Ledger, broker: Broker) -> list[RepairPlan]:
    """What is quarantined, would be by the next run, or stops it, each with its repair; reads only."""
    clock = broker.clock()
    rehearsal = rehearse_reconciliation(broker, ledger, clock)
    broken = {(found.kind, found.name): found for found in rehearsal.quarantines}
    for drift in rehearsal.found.drift:
        broken.setdefault((QuarantineKind.SYMBOL, drift.symbol), drift_quarantine(drift, clock.now))
    return [plan_repair(found, broker, ledger) for found in broken.values()]


def told_repairs(plans: Sequence[RepairPlan]) -> Iterator[str]:
    """The plans, for the person who is asked."""
    if not plans:
        yield "Nothing needs a repair."
    for plan in plans:
        yield f"{plan.quarantine.name}: {plan.quarantine.reason} ({plan.quarantine.evidence})"
        for order in plan.orders:
            yield f"  order {order} takes the broker's figures, its fills are booked to nobody"
        for line in plan.sleeves:
            yield f"  {line.strategy} has {shares(line.after)} {line.symbol} from then on, not {shares(line.before)}"
        yield "  it is traded again"


def repair_all(plans: Sequence[RepairPlan], by: str, reason: str, ledger: Ledger, broker: Broker) -> None:
    """Carry the plans out. RunInProgress if a run trades now."""
    now = broker.clock().now
    holder = f"repair by {by} at {now.isoformat()}"
    lease = ledger.acquire_lease(holder, now, _SECONDS)
    if lease is None:
        held = ledger.lease()
        raise RunInProgress(f"{held.holder if held else 'a run'} is trading now: repair when it has ended")
    try:
        for plan in plans:
            repair(plan, by, reason, now, broker, ledger, lease)
    finally:
        ledger.release_lease(lease)
