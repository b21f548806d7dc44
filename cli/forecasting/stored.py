"""The record that a platform keeps of its own forecasts, which CloseRun scores when their bars arrive."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from sys import maxsize
from typing import Any

from rich.console import RenderableType

from cli.forecasting.answer import accuracy_answer
from cli.forecasting.past import told_of
from cli.forecasting.tables import accuracy_table
from openbell.accuracy import Accuracy
from openbell.forecasting.scoring import over_last
from openbell.ports import Ledger
from openbell.reporting import ACCURACY_SESSIONS

_NOTHING = (
    "No forecast has met its close yet: a later run scores those of an earlier day, for strategies that use forecasts."
)


@dataclass(frozen=True)
class StoredRecord:
    """Means by strategy and horizon in bars, and in words over which sessions."""

    span: str
    strategies: dict[str, dict[int, Accuracy]]


@dataclass(frozen=True)
class ToldRecord:
    """The same, ready for JSON."""

    span: str
    strategies: dict[str, dict[str, dict[str, Any]]]


def read_stored(ledger: Ledger, first: date | None, last: date | None) -> StoredRecord:
    """The record of every strategy from `first` to `last`; without a first session the last ones of the record."""
    names = {*ledger.sleeves(), *(name for run in ledger.runs() for name in run.strategies)}
    strategies = {}
    for name in sorted(names):
        by_session = ledger.accuracy(name, first or date.min)
        chosen = {day: found for day, found in by_session.items() if last is None or day <= last}
        if chosen:
            total = over_last(chosen, maxsize if first else ACCURACY_SESSIONS)
            strategies[name] = {horizon: one.accuracy for horizon, one in total.items()}
    span = f"from {first}" if first else f"the last {ACCURACY_SESSIONS} sessions that have any"
    return StoredRecord(f"{span}{f' up to {last}' if last else ''}", strategies)


def stored_tables(record: StoredRecord) -> Iterator[RenderableType]:
    """A table for each strategy."""
    if not record.strategies:
        yield _NOTHING
    for name, by_horizon in record.strategies.items():
        yield accuracy_table(f"{name}, {record.span}", told_of(by_horizon))


def told_stored(record: StoredRecord) -> ToldRecord:
    """The record for programs."""
    return ToldRecord(
        record.span,
        {
            name: {str(horizon): accuracy_answer(found) for horizon, found in by_horizon.items()}
            for name, by_horizon in record.strategies.items()
        },
    )
