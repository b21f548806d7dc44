"""One run in full: its report, its orders as they stand now, and how its states went."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.day import Day
from cli.places import STATE_MACHINE
from cli.run_report import RunReport, read_report
from cli.tables import print_day
from cli.views.orders import orders_table
from cli.views.runs import known_run, runs_table
from cli.workflow import read_story
from openbell.model import Order, Run, RunStatus
from openbell.ports import Archive, Ledger
from openbell.runs import report_key

type History = Callable[[str], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class RunShown:
    """A run; `report` is its report.json, None if it wrote none (yet)."""

    run: Run
    orders: tuple[Order, ...]
    report: dict[str, Any] | None


def read_run(ledger: Ledger, archive: Archive, run_id: str) -> RunShown:
    """The run of that id; InvalidInput if there is none."""
    run = known_run(ledger, run_id)
    try:
        report = json.loads(archive.get(report_key(run_id)))
    except KeyError:
        report = None
    return RunShown(run, tuple(ledger.orders(run_id)), report)


def print_run(console: Console, shown: RunShown, history: History) -> None:
    """The run for people; `history` gives the events of an execution."""
    run = shown.run
    if run.status is RunStatus.RUNNING:
        for table in _so_far(shown):
            console.print(table, highlight=False)
        return
    story = read_story(history(run.execution), json.loads(STATE_MACHINE.read_text())["States"])
    report = _report(shown)
    print_day(console, Day(report, story, run.schedule), tuple(report.sleeves) or run.strategies)


def _so_far(shown: RunShown) -> Iterator[Table]:
    yield runs_table([shown.run], "A run that is under way, or was cut off")
    if shown.orders:
        yield orders_table(shown.orders, "Its orders so far", why=True)


def _report(shown: RunShown) -> RunReport:
    if shown.report is None:
        return RunReport.model_validate(vars(shown.run))
    return read_report(json.dumps(shown.report).encode(), report_key(shown.run.run_id))
