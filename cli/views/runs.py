"""Runs: the newest, and one by its id."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from cli.grid import grid, moment, run_status
from openbell.errors import InvalidInput
from openbell.model import Run
from openbell.ports import Ledger

MOST_RUNS = 1000


@dataclass(frozen=True)
class Runs:
    """Newest first."""

    runs: tuple[Run, ...]


def read_runs(ledger: Ledger, limit: int) -> Runs:
    """The newest runs; InvalidInput unless the limit lies from 1 to 1000."""
    if not 1 <= limit <= MOST_RUNS:
        raise InvalidInput(f"--limit {limit}: expected a number of runs from 1 to {MOST_RUNS}")
    return Runs(tuple(ledger.runs(limit)))


def known_run(ledger: Ledger, run_id: str) -> Run:
    """The run; InvalidInput if there is none of that id."""
    run = ledger.run(run_id)
    if run is None:
        newest = ledger.runs(1)
        example = f"; the newest is {newest[0].run_id}" if newest else ""
        raise InvalidInput(f"there is no run {run_id!r}; `openbell runs` lists them{example}")
    return run


def runs_table(runs: Sequence[Run], title: str = "Runs") -> Table:
    """A line for each run."""
    table = grid(title, "Run", "New York", "Schedule", "Outcome", "Strategies", "Note")
    for run in runs:
        names = escape(", ".join(run.strategies))
        outcome = run_status(run.status.value)
        table.add_row(escape(run.run_id), moment(run.as_of), escape(run.schedule), outcome, names, escape(run.note))
    for column in table.columns[:4]:
        column.no_wrap = True
    return table


def runs_tables(found: Runs) -> Iterator[Table | str]:
    """The view for people."""
    yield runs_table(found.runs) if found.runs else "No run yet."
