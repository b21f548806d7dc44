"""The platform with one of its precautions in keeping books taken out: what the explorer must find."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from openbell.adapters.dynamo.table import Table
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.execution import alerting, cash, reconciliation, settling
from openbell.execution.record import Booked
from openbell.execution.record import _Desk as Clerk
from openbell.ports import Desk
from openbell.workflow import close_run, guarding, open_run


@contextmanager
def reads_what_was() -> Iterator[None]:
    """Reads are not consistent."""
    call = Table._call

    def stale(self: Table, operation: str, **arguments: Any) -> dict[str, Any]:
        arguments.pop("ConsistentRead", None)
        return call(self, operation, **arguments)

    with patch.object(Table, "_call", stale):
        yield


@contextmanager
def books_a_split_twice() -> Iterator[None]:
    """What was exchanged is not kept among what is booked."""
    with _forgetting("book_exchange"):
        yield


@contextmanager
def books_cash_twice() -> Iterator[None]:
    """A dividend is not kept among what is booked."""
    with _forgetting("book_cash"):
        yield


@contextmanager
def _forgetting(name: str) -> Iterator[None]:
    book = getattr(Clerk, name)

    def forgetful(self: Clerk, *arguments: Any) -> Any:
        known = self._line.booked
        booked = book(self, *arguments)
        self._ledger.save_account(replace(self._line, booked=known), self._lease)
        return booked

    with patch.object(Clerk, name, forgetful):
        yield


@contextmanager
def reads_no_record() -> Iterator[None]:
    """Orders are settled, and nothing is booked of what companies did."""
    with (
        patch.object(open_run, "book_record", lambda *_: Booked()),
        patch.object(close_run, "book_record", lambda *_: Booked()),
    ):
        yield


def believes_any_list_of_positions() -> AbstractContextManager[object]:
    """A list without some of them is a list."""
    return patch.object(reconciliation, "_refuse_incomplete", lambda *_: None)


def ends_no_dead_runs() -> AbstractContextManager[object]:
    """A run whose execution was stopped goes on for ever."""
    return patch.object(open_run, "_end_dead_runs", lambda *_: None)


@contextmanager
def keeps_no_books() -> Iterator[None]:
    """The archive does not hear of how a run ended."""
    with patch.object(close_run, "keep_books", lambda *_: None):
        yield


def tells_nobody_of_a_lost_lease() -> AbstractContextManager[object]:
    """A run that another one has ended is nobody's news."""
    return patch.object(close_run, "_alert_lost_lease", lambda *_: None)


@contextmanager
def loses_an_alert_that_was_not_taken() -> Iterator[None]:
    """An alert is tried once."""

    def once(subject: str, message: str, desk: Desk) -> None:
        with suppress(Exception):
            desk.alerts.alert(subject, message)

    with patch.object(alerting, "tell", once), patch.object(close_run, "tell", once):
        yield


def never_looks_at_the_cash() -> AbstractContextManager[object]:
    """Nobody compares the cash."""
    return patch.object(guarding, "check_cash", lambda *_: None)


def tells_the_world_nothing() -> AbstractContextManager[object]:
    """No event goes into the outbox with what it tells of."""
    return patch.object(MemoryLedger, "_announce", lambda *_: None)


def keeps_the_lease() -> AbstractContextManager[object]:
    """A run that has ended gives nothing back."""
    return patch.object(MemoryLedger, "release_lease", lambda *_: None)


def gives_up_no_order_of_a_dead_run() -> AbstractContextManager[object]:
    """An order that was planned and never sent stays so."""
    return patch.object(reconciliation, "_never_sent", lambda *_: False)


def opens_no_account_line() -> AbstractContextManager[object]:
    """Cash beyond the sleeves' belongs to nobody."""
    return patch.object(open_run, "open_line", lambda *_: None)


def explains_no_trade_by_hand() -> AbstractContextManager[object]:
    """The owner's trades are not looked for when the cash differs."""
    return patch.object(cash, "_foreign", lambda *_: [])


def takes_another_attempt_for_broken_books() -> AbstractContextManager[object]:
    """A fill that another attempt has booked meanwhile is impossible."""
    return patch.object(settling, "_refuse_old", lambda *_: None)
