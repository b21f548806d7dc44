"""CloseRun: the last look at the orders, the check of the books, the report, and the lease goes back."""

from dataclasses import dataclass, replace
from typing import Any

from openbell.errors import LeaseLost
from openbell.execution.reconciliation import Drift, compare
from openbell.execution.settling import drop, settle
from openbell.model import Lease, OrderStatus, Run, RunStatus
from openbell.ports import Desk
from openbell.reporting import make_report
from openbell.runs import lease_of, report_key


@dataclass(frozen=True)
class ClosedRun:
    """How the run ended, and where its report is."""

    run_id: str
    status: RunStatus
    report_key: str
    report: dict[str, Any]


def close_run(execution: str, outcome: RunStatus, failure: str, desk: Desk) -> ClosedRun:
    """End the run that `execution` started, COMPLETED or FAILED. Doing it twice does no harm.

    A failed run's unsent orders are dropped. Where the sleeves hold more than the broker, a person is alerted.
    """
    run = desk.ledger.run_of(execution)
    if run is None:
        return ClosedRun("", outcome, "", {})
    lease = lease_of(run)
    try:
        _settle_all(run, desk, lease)
    except LeaseLost:
        outcome, failure = RunStatus.FAILED, failure or "another run has taken over the lease"
    ended = replace(run, status=outcome, note=failure)
    drift, _ = compare(desk.ledger.sleeves(), desk.broker.positions())
    report = make_report(ended, desk, drift)
    desk.archive.put(report_key(run.run_id), report.to_bytes())
    if drift:
        _alert_drift(ended, drift, desk)
    desk.ledger.finish_run(ended)
    desk.ledger.release_lease(lease)
    return ClosedRun(run.run_id, outcome, report_key(run.run_id), report.content)


def _settle_all(run: Run, desk: Desk, lease: Lease) -> None:
    for order in desk.ledger.orders(run.run_id):
        settled, _ = settle(order, desk.broker, desk.ledger, lease)
        if settled.status is OrderStatus.PLANNED:
            drop(settled, "its run ended before it was sent", desk.ledger, lease)


def _alert_drift(run: Run, drift: tuple[Drift, ...], desk: Desk) -> None:
    lines = "\n".join(f"  {d.symbol}: the strategies own {d.ledger}, the broker holds {d.broker}" for d in drift)
    desk.alerts.alert(
        "Openbell: drift found",
        f"After run {run.run_id} the ledger and the broker differ:\n{lines}\n"
        "The next run will not trade until they agree. Positions stay as they are.\n"
        "First thing to do: openbell positions; then docs/runbook.md, 'Drift found'",
    )
