"""The platform with one of its precautions in keeping books taken out: what the explorer must find."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from openbell.adapters.dynamo import writes
from openbell.adapters.dynamo.table import Table
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.decision import flatten
from openbell.execution import alerting, booking, reconciliation, record
from openbell.execution.record import Booked
from openbell.execution.record import _Desk as Clerk
from openbell.model import BrokerOrder, Fill, Lease, Leg, Order, Sleeve
from openbell.portfolio.plan import Plan
from openbell.ports import Desk
from openbell.runs import RunInputs
from openbell.workflow import close_run, open_run


@contextmanager
def forgets_what_a_leg_had_sold() -> Iterator[None]:
    """The value of a leg is that of its newest fill."""
    observe = booking._observe_legs

    def newest(order: Order, found: Sequence[BrokerOrder]) -> tuple[tuple[Leg, ...], tuple[Fill, ...]]:
        legs, fills = observe(order, found)
        before = {leg.broker_order_id: leg for leg in order.legs}
        sold = (leg.filled_value - getattr(before.get(leg.broker_order_id), "filled_value", 0) for leg in legs)
        return tuple(replace(leg, filled_value=value) for leg, value in zip(legs, sold, strict=True)), fills

    with patch.object(booking, "_observe_legs", newest):
        yield


@contextmanager
def saves_orders_without_the_fence() -> Iterator[None]:
    """Whoever once had the lease may write orders for ever."""
    save = MemoryLedger.save_order

    def unfenced(self: MemoryLedger, order: Order, lease: Lease, sleeves: Sequence[Sleeve] = ()) -> Order:
        with patch.object(MemoryLedger, "check_lease", lambda *_: None):
            return save(self, order, lease, sleeves)

    with patch.object(MemoryLedger, "save_order", unfenced):
        yield


@contextmanager
def reads_what_was() -> Iterator[None]:
    """Reads are not consistent."""
    call = Table._call

    def stale(self: Table, operation: str, **arguments: Any) -> dict[str, Any]:
        arguments.pop("ConsistentRead", None)
        return call(self, operation, **arguments)

    with patch.object(Table, "_call", stale):
        yield


def does_not_know_its_own_writes() -> AbstractContextManager[object]:
    """A conditional write whose answer was lost takes itself for another one's."""
    return patch.object(Table, "_is_ours", lambda *_: False)


def writes_chunks_into_any_draft() -> AbstractContextManager[object]:
    """A chunk of a plan asks for nothing."""
    return patch.object(writes, "draft_is", lambda _: {})


def trades_a_tick_twice() -> AbstractContextManager[object]:
    """Every execution takes the tick that it was started by."""
    return patch.object(MemoryLedger, "claim_tick", lambda *_: True)


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


def leaves_old_orders_after_a_split() -> AbstractContextManager[object]:
    """What rests at prices of the old shares is not withdrawn, nor adjusted in the ledger."""
    return patch.multiple(record._Desk, _withdraw=lambda *_: None, _adjusted=lambda *_: [])


@contextmanager
def flattens_enabled_strategies_only() -> Iterator[None]:
    """What belongs to a strategy of another configuration stays."""

    def enabled(inputs: RunInputs, *others: Any) -> Plan:
        sleeves = {name: sleeve for name, sleeve in inputs.sleeves.items() if name in inputs.config.enabled}
        return flatten(replace(inputs, sleeves=sleeves), *others)

    with patch.object(open_run, "flatten", enabled):
        yield


def looks_once_when_it_reconciles() -> AbstractContextManager[object]:
    """An order that fills between the looks at orders and positions is drift."""
    return patch.object(reconciliation, "_LOOKS", 1)


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
def waits_for_the_lease_of_the_dead() -> Iterator[None]:
    """The lease of an execution that was stopped is left until it expires."""
    enter = open_run._enter
    alive = SimpleNamespace(ended=lambda _: False)

    def wait(request: Any, clock: Any, ledger: Any, _: object) -> Lease:
        return enter(request, clock, ledger, alive)

    with patch.object(open_run, "_enter", wait):
        yield


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
    return patch.object(close_run, "check_cash", lambda *_: None)


def leaves_the_buys_of_a_failed_run() -> AbstractContextManager[object]:
    """What a failed run has sent goes on working, and nobody looks."""
    return patch.object(close_run, "withdraw", lambda *_: [])


def executes_any_plan() -> AbstractContextManager[object]:
    """A plan is planned again although it is sealed."""
    return patch.object(MemoryLedger, "plan_sealed", lambda *_: False)
