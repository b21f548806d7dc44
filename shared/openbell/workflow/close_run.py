"""CloseRun: the last look at the orders, the check of the books, the report, and the lease goes back."""

from dataclasses import dataclass, replace
from typing import Any

from openbell.codec import to_plain
from openbell.errors import BooksDisagree, LeaseLost, RetryableError
from openbell.events import drift_events
from openbell.execution.halting import alert_halt, failed_in_a_row
from openbell.execution.reconciliation import Drift, reconcile
from openbell.model import Halt, Run, RunStatus
from openbell.ports import Desk
from openbell.reporting import make_report
from openbell.runs import lease_of, report_key
from openbell.workflow.score_forecasts import score_forecasts


@dataclass(frozen=True)
class ClosedRun:
    """How the run ended, and where its report is."""

    run_id: str
    status: RunStatus
    report_key: str
    report: dict[str, Any]


def close_run(execution: str, outcome: RunStatus, failure: str, desk: Desk, max_failed_runs: int) -> ClosedRun:
    """End the run that `execution` started, COMPLETED or FAILED. Doing it twice does no harm.

    Orders that were not sent are dropped. Where the sleeves hold more than the broker, a person is alerted. After
    `max_failed_runs` failures in a row the platform halts itself.
    """
    run = desk.ledger.run_of(execution)
    if run is None:
        return ClosedRun("", outcome, "", {})
    lease = lease_of(run)
    if run.status is not RunStatus.RUNNING:
        if outcome is RunStatus.COMPLETED and run.status is RunStatus.FAILED:  # by the run that took the lease over
            _alert_lost_lease(run, desk)
        desk.ledger.release_lease(lease)
        return ClosedRun(run.run_id, run.status, report_key(run.run_id), {})
    drift: tuple[Drift, ...] = ()
    try:
        # A SUBMITTING order may still be on its way from a Lambda that was cut off: the next run looks it up.
        drift = reconcile(desk.broker, desk.ledger, lease, dead_before=None).drift
    except LeaseLost:  # the books belong to another run now
        if outcome is RunStatus.COMPLETED:
            _alert_lost_lease(run, desk)
        outcome, failure = RunStatus.FAILED, failure or "another run has taken over the lease"
    ended = replace(run, status=outcome, note=failure)
    _score(run, desk)
    report = make_report(ended, desk, drift)
    desk.archive.put(report_key(run.run_id), report.to_bytes())
    if drift and not failure.startswith(BooksDisagree.__name__):  # which has told of it
        _alert_drift(ended, drift, desk)
    desk.ledger.finish_run(ended, drift_events(ended, to_plain(list(drift))))
    _halt_after_failures(ended, desk, max_failed_runs)
    desk.ledger.release_lease(lease)
    return ClosedRun(run.run_id, outcome, report_key(run.run_id), report.content)


def _halt_after_failures(run: Run, desk: Desk, limit: int) -> None:
    if run.status is not RunStatus.FAILED or desk.ledger.halt():
        return
    failed = failed_in_a_row(desk.ledger.runs())
    if failed >= limit:
        reason = f"{failed} runs in a row have failed, the last one with: {run.note}"
        halt = Halt(reason, f"the limit of {limit} failed runs", desk.broker.clock().now)
        desk.ledger.set_halt(halt)
        alert_halt(halt, desk.alerts)


def _score(run: Run, desk: Desk) -> None:
    """Scoring tells how good the forecasts are; its trouble must not keep a run from ending."""
    try:
        score_forecasts(run, ledger=desk.ledger, archive=desk.archive)
    except RetryableError:
        raise
    except Exception as error:
        desk.alerts.alert(
            "Openbell: forecasts were not scored",
            f"At the end of run {run.run_id}: {type(error).__name__}: {error}\n"
            "Orders and positions are not concerned. The next run tries again.\n"
            "First thing to do: read the log of CloseRun; then docs/runbook.md, 'Forecasts were not scored'",
        )


def _alert_lost_lease(run: Run, desk: Desk) -> None:
    """The execution succeeds, so that nothing else would tell of it."""
    desk.alerts.alert(
        "Openbell: a trading run failed",
        f"Run {run.run_id} of execution {run.execution} had sent its orders, but before it could close, another run "
        "has taken over the lease.\n"
        "Its orders stay as they are at the broker, protective legs included, and the other run books them.\n"
        "First thing to do: openbell status; then docs/runbook.md, 'A run failed'",
    )


def _alert_drift(run: Run, drift: tuple[Drift, ...], desk: Desk) -> None:
    lines = "\n".join(f"  {d.symbol}: the strategies own {d.ledger}, the broker holds {d.broker}" for d in drift)
    desk.alerts.alert(
        "Openbell: drift found",
        f"After run {run.run_id} the ledger and the broker differ:\n{lines}\n"
        "The next run will not trade until they agree. Positions stay as they are.\n"
        "First thing to do: openbell positions; then docs/runbook.md, 'Drift found'",
    )
