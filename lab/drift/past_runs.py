"""Runs that really happened, read from what they kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import ValidationError

from openbell.codec import from_json
from openbell.errors import InvalidInput
from openbell.model import NEW_YORK, Order, Run, RunStatus
from openbell.ports import Archive, Ledger
from openbell.runs import Decisions, RunInputs, decisions_key, inputs_key

MOST_RUNS = 1000


@dataclass(frozen=True)
class PastRun:
    """What a run looked at, decided and did; `decisions` are None if it failed before it had any."""

    run: Run
    inputs: RunInputs
    decisions: Decisions | None
    orders: tuple[Order, ...]


@dataclass(frozen=True)
class LeftOut:
    """A run that cannot be set beside a backtest."""

    run_id: str
    as_of: datetime
    why: str


class NotComparable(Exception):
    """The run has no counterpart; the message says why."""


def check_span(first: date, last: date) -> None:
    """Raise InvalidInput unless the dates are in order."""
    if first > last:
        raise InvalidInput(f"--from {first} is after --to {last}")


def runs_between(ledger: Ledger, first: date, last: date) -> list[Run]:
    """The runs from `first` to `last` (dates in New York, both included), oldest first.

    InvalidInput if there is none, with the dates of those that there are, or if the ledger tells too few to know.
    """
    newest = ledger.runs(MOST_RUNS)
    if len(newest) == MOST_RUNS and _day(newest[-1]) >= first:
        raise InvalidInput(
            f"--from {first}: the newest {MOST_RUNS:,} runs reach back to {_day(newest[-1])} only; choose a later date"
        )
    found = [run for run in reversed(newest) if first <= _day(run) <= last]
    if not found:
        raise InvalidInput(f"there is no run from {first} to {last}; {_what_there_is(newest)}")
    return found


def _day(run: Run) -> date:
    return run.as_of.astimezone(NEW_YORK).date()


def _what_there_is(newest: Sequence[Run]) -> str:
    if not newest:
        return "this platform has not run yet"
    return f"the runs of this platform are of {_day(newest[-1])} to {_day(newest[0])}"


def read_run(run: Run, ledger: Ledger, archive: Archive) -> PastRun:
    """What the run kept; NotComparable if that is too little for a decision."""
    if run.status in {RunStatus.SKIPPED, RunStatus.RUNNING}:
        why = f"it was skipped: {run.note}" if run.status is RunStatus.SKIPPED else "it has not ended"
        raise NotComparable(why)
    try:
        inputs = from_json(RunInputs, archive.get(inputs_key(run.run_id)))
    except KeyError as error:
        raise NotComparable(f"it ended before it had looked at the account: {run.note}") from error
    except ValidationError as error:
        raise NotComparable("this version cannot read what it kept") from error
    if inputs.flatten:
        raise NotComparable("it sold everything because of a halt: no strategy decided anything")
    return PastRun(run, inputs, _decisions(run.run_id, ledger, archive), tuple(ledger.orders(run.run_id)))


def _decisions(run_id: str, ledger: Ledger, archive: Archive) -> Decisions | None:
    """What the run decided, if its plan was completed: without that nothing of it was ever sent."""
    if not ledger.plan_sealed(run_id):
        return None
    try:
        return from_json(Decisions, archive.get(decisions_key(run_id)))
    except KeyError:
        return None
    except ValidationError as error:
        raise NotComparable("this version cannot read what it decided") from error
