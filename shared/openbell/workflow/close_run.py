"""CloseRun: the last look at the orders, the check of the books, the report, and the lease goes back."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from openbell.books import keep_books
from openbell.codec import to_plain
from openbell.errors import LeaseLost, OpenbellError, RetryableError, StoreUnavailable
from openbell.events import drift_events
from openbell.execution.alerting import send_unsent, tell
from openbell.execution.cash import CashCheck
from openbell.execution.drift import set_drift_apart
from openbell.execution.halting import alert_halt, failed_in_a_row
from openbell.execution.protection import Unprotected
from openbell.execution.rebalances import settle_rebalances
from openbell.execution.reconciliation import Drift, reconcile
from openbell.execution.record import book_record
from openbell.execution.settling import withdraw
from openbell.model import Halt, Run, RunStatus, Side
from openbell.ports import Desk
from openbell.reporting import RunReport, make_report
from openbell.runs import lease_of, report_key
from openbell.workflow.guarding import compare_cash, guard, unsold
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

    Orders that were not sent are dropped. Symbols of which the sleeves hold more than the broker are quarantined. After
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
    look = _last_look(run, outcome, failure, desk)
    report = _report(look, desk)
    desk.ledger.finish_run(look.ended, drift_events(look.ended, to_plain(list(look.drift))))
    _halt_after_failures(look.ended, desk, max_failed_runs)
    desk.ledger.release_lease(lease)
    return ClosedRun(run.run_id, look.ended.status, report_key(run.run_id), report.content)


@dataclass(frozen=True)
class _LastLook:
    """The run as it has ended, what its strategies own that the broker does not hold, and what nothing protects."""

    ended: Run
    drift: tuple[Drift, ...] = ()
    unprotected: tuple[Unprotected, ...] = ()
    cash: CashCheck | None = None


def _last_look(run: Run, outcome: RunStatus, failure: str, desk: Desk) -> _LastLook:
    """Book what happened, and compare. A run that has failed already ends whatever the broker answers."""
    lease = lease_of(run)
    try:
        # A SUBMITTING order may still be on its way from a Lambda that was cut off: the next run looks it up.
        if outcome is RunStatus.FAILED:  # nobody would look at what they fill
            own = (order for order in desk.ledger.orders(run.run_id) if order.side is Side.BUY)
            withdraw(own, desk.broker, desk.ledger, lease)
        clock = desk.broker.clock()
        book_record(desk.broker, desk.ledger, lease, clock)
        drift = reconcile(desk.broker, desk.ledger, lease, dead_before=None).drift
        settle_rebalances(desk.ledger, lease)
        set_drift_apart(drift, _now_or(run.as_of, desk), desk.ledger, lease, stop=outcome is RunStatus.COMPLETED)
        unprotected = guard(run, desk, lease)
        cash = compare_cash(run, clock.now, desk, lease)
        keep_books(run.run_id, desk.ledger, desk.archive, replace(run, status=outcome, note=failure))
    except LeaseLost:  # the books belong to another run now
        if outcome is RunStatus.COMPLETED:
            _alert_lost_lease(run, desk)
        why = failure or "another run has taken over the lease"
        return _LastLook(replace(run, status=RunStatus.FAILED, note=why))
    except StoreUnavailable:
        raise
    except Exception as error:
        if outcome is RunStatus.COMPLETED:
            raise
        why = f"{failure}; its last look at the books failed too: {type(error).__name__}: {error}"
        return _LastLook(replace(run, status=outcome, note=why))
    return _LastLook(replace(run, status=outcome, note=failure), drift, unprotected, cash)


def _report(look: _LastLook, desk: Desk) -> RunReport:
    """Written, and as whole as the run allows: of one that failed, no trouble with its parts keeps it from ending."""
    ended = look.ended
    send_unsent(desk)
    try:
        _score(ended, desk)
        report = make_report(ended, desk, look.drift, look.unprotected, unsold(ended, desk))
        if look.cash:
            report.content["checks"]["cash"] = to_plain(look.cash)
    except StoreUnavailable:
        raise
    except Exception as error:
        if ended.status is RunStatus.COMPLETED:
            raise
        report = RunReport(
            to_plain(ended) | {"trouble": f"the report could not be made: {type(error).__name__}: {error}"}
        )
    desk.archive.put(report_key(ended.run_id), report.to_bytes())
    return report


def _halt_after_failures(run: Run, desk: Desk, limit: int) -> None:
    if run.status is not RunStatus.FAILED or desk.ledger.halt():
        return
    failed = failed_in_a_row(desk.ledger.runs(limit, skipped=False))
    if failed >= limit:
        reason = f"{failed} runs in a row have failed, the last one with: {run.note}"
        halt = Halt(reason, f"the limit of {limit} failed runs", _now_or(run.as_of, desk))
        desk.ledger.set_halt(halt)
        alert_halt(halt, desk)


def _score(run: Run, desk: Desk) -> None:
    """Scoring tells how good the forecasts are; its trouble must not keep a run from ending."""
    try:
        score_forecasts(run, ledger=desk.ledger, archive=desk.archive)
    except RetryableError:
        raise
    except Exception as error:
        tell(
            "Openbell: forecasts were not scored",
            f"At the end of run {run.run_id}: {type(error).__name__}: {error}\n"
            "Orders and positions are not concerned. The next run tries again.\n"
            "First thing to do: read the log of CloseRun; then docs/runbook.md, 'Forecasts were not scored'",
            desk,
        )


def _alert_lost_lease(run: Run, desk: Desk) -> None:
    """The execution succeeds, so that nothing else would tell of it."""
    tell(
        "Openbell: a trading run failed",
        f"Run {run.run_id} of execution {run.execution} had sent its orders, but before it could close, another run "
        "has taken over the lease.\n"
        "Its orders stay as they are at the broker, protective legs included, and the other run books them.\n"
        "First thing to do: openbell status; then docs/runbook.md, 'A run failed'",
        desk,
    )


def _now_or(otherwise: datetime, desk: Desk) -> datetime:
    """The broker's time, or another one if it does not answer."""
    try:
        return desk.broker.clock().now
    except OpenbellError:
        return otherwise
