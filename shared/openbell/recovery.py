"""A lost or stale ledger, rebuilt from the newest books in the archive and what the broker says has happened since.

What comes back: sleeves, orders with their legs, runs, seals, the halt, the ticks of the last day. What does not:
skipped runs, forecasts, and how good they were; the decisions of a run need none of them.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from openbell.books import Books
from openbell.codec import from_json
from openbell.config import ExecutionConfig
from openbell.errors import ImpossibleFill, InvalidInput, LedgerBehind, RunInProgress
from openbell.execution.booking import book_all, observe
from openbell.execution.corporate import SHARES
from openbell.execution.protection import known_again
from openbell.execution.reconciliation import compare
from openbell.model import (
    NEW_YORK,
    AccountLine,
    BrokerOrder,
    BrokerPosition,
    Cross,
    Fill,
    Halt,
    Lease,
    Order,
    OrderStatus,
    Run,
    RunStatus,
    Sleeve,
)
from openbell.ports import Archive, Broker, Ledger
from openbell.runs import LATEST_FENCE, Decisions, RunInputs, books_key, decisions_key, inputs_key
from openbell.unkept import as_sent, repriced

FENCE_GAP = 1000  # runs that took a fencing number and died before the archive heard of it are fewer
_LEASE_SECONDS = 3600
_TICKS_OF = timedelta(days=1)  # an older tick starts no run any more
_READERS = 16
_ASKED_BEFORE = timedelta(hours=1)  # the broker's list begins after an instant, and a run sends orders at its own
_OURS = re.compile(r"\d{8}-\d{4}-[0-9a-f]{4}-")  # how our client_order_ids begin: with their run's


@dataclass(frozen=True)
class Archived:
    """What the archive knows, oldest run first."""

    books: tuple[Books, ...]
    crosses: Mapping[str, tuple[Cross, ...]]  # of sealed plans, by run
    without_books: tuple[str, ...]  # runs that left inputs and no books
    fence: int
    repricing: ExecutionConfig | None  # of the newest run


@dataclass(frozen=True)
class Recovered:
    """What the ledger should hold, and what nobody can be sure of."""

    runs: Mapping[str, Run]
    plans: Mapping[str, tuple[Cross, ...]]  # crosses of the sealed ones, by run
    orders: Mapping[str, Order]
    sleeves: Mapping[str, Sleeve]
    halt: Halt | None
    line: AccountLine | None = None
    booked: tuple[Fill, ...] = ()  # since the newest books
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """What has to be written for the ledger to hold what was recovered; nothing is ever removed from it."""

    runs: tuple[Run, ...] = ()
    plans: Mapping[str, tuple[Cross, ...]] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()
    sleeves: tuple[Sleeve, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.runs or self.plans or self.orders or self.sleeves)


@dataclass(frozen=True)
class Recovery:
    """What a person is shown before anything is written."""

    recovered: Recovered
    changes: Changes
    behind: bool  # the ledger's fencing number is older than the archive's
    before: Mapping[str, Sleeve]  # the ledger's sleeves as they are


def look(archived: Archived, broker: Broker, ledger: Ledger) -> Recovery:
    """What the ledger should hold, and what it lacks. Writes nothing."""
    recovered = rebuild(archived, broker)
    strange = _unknown_to_the_archive(recovered, ledger)
    recovered = replace(recovered, unsure=(*recovered.unsure, *strange))
    behind = ledger.fence() < archived.fence
    return Recovery(recovered, _changes(recovered, ledger), behind, ledger.sleeves())


def read_archive(archive: Archive, folders: Sequence[str]) -> Archived:
    """What the folders under `runs/` hold, of which some are runs; InvalidInput if none of them has books."""
    run_ids = [folder for folder in folders if _OURS.match(f"{folder}-")]
    with ThreadPoolExecutor(_READERS) as readers:
        found = dict(zip(run_ids, readers.map(lambda run: _read(Books, archive, books_key(run)), run_ids), strict=True))
        sealed = [run for run, books in found.items() if books and books.sealed]
        plans = readers.map(lambda run: _read(Decisions, archive, decisions_key(run)), sealed)
        crosses = {run: plan.plan.crosses if plan else () for run, plan in zip(sealed, plans, strict=True)}
    books = sorted((b for b in found.values() if b), key=lambda books: (books.run.fence, books.run.as_of))
    if not books:
        raise InvalidInput("the archive holds no books of any run: there is nothing to rebuild the ledger from")
    newest = _read(RunInputs, archive, inputs_key(books[-1].run.run_id))
    without = [run for run, kept in found.items() if not kept and _has_inputs(archive, run)]
    fence = max(_read(int, archive, LATEST_FENCE) or 0, books[-1].run.fence)
    return Archived(tuple(books), crosses, tuple(without), fence, newest.config.execution if newest else None)


def _read[T](kind: type[T], archive: Archive, key: str) -> T | None:
    try:
        return from_json(kind, archive.get(key))
    except KeyError:
        return None


def _has_inputs(archive: Archive, run: str) -> bool:
    return _read(RunInputs, archive, inputs_key(run)) is not None


def rebuild(archived: Archived, broker: Broker) -> Recovered:
    """What the ledger should hold now. Raises what the broker raises when it does not answer: unknown is not empty."""
    work = _Work(archived, broker.find_order)
    work.settle_known()
    work.add_unkept(broker.orders_since(archived.books[-1].run.as_of - _ASKED_BEFORE))
    record = broker.activities(archived.books[-1].run.as_of.astimezone(NEW_YORK).date())
    corporate = {entry.symbol for entry in record if entry.kind in SHARES}
    work.unsure += _positions(work.sleeves, broker.positions(), corporate)
    work.unsure += [f"run {run} left inputs, but no books: it is not in the history" for run in archived.without_books]
    return Recovered(
        runs=_runs(archived.books),
        plans=archived.crosses,
        orders=work.orders,
        sleeves=work.sleeves,
        halt=archived.books[-1].halt,
        line=archived.books[-1].line,
        booked=tuple(work.booked),
        unsure=tuple(work.unsure),
    )


class _Work:
    """The newest books, brought up to the broker order by order."""

    def __init__(self, archived: Archived, find: Callable[[str], BrokerOrder | None]) -> None:
        newest = archived.books[-1]
        self._find = find
        self._repricing = archived.repricing
        self._unbooked = {order.client_order_id for order in newest.orders}  # the sleeves may lack their fills
        self.orders = {order.client_order_id: order for books in archived.books for order in books.orders}
        self.sleeves = dict(newest.sleeves)
        self.booked: list[Fill] = []
        self.unsure: list[str] = []

    def settle_known(self) -> None:
        """Every order that was open when it was last seen."""
        for order in list(self.orders.values()):
            if order.open:
                found = self._find(order.client_order_id)
                if found:
                    self._observe(order, found)
                elif order.status is OrderStatus.WORKING or order.status.ended:
                    self.unsure.append(
                        f"{order.client_order_id}: the broker does not know it (any more); left as it was"
                    )

    def add_unkept(self, listed: Iterable[BrokerOrder]) -> None:
        """Orders of ours that were sent after the newest books were kept; protection comes after what it protects."""
        unkept = [found for found in listed if _OURS.match(found.client_order_id)]
        unkept = [found for found in unkept if found.client_order_id not in self.orders]
        unkept.sort(key=lambda found: found.client_order_id)
        for make in (lambda found: repriced(found, self.orders, self._repricing), self._protective):
            for found in list(unkept):
                if order := make(found):
                    self._unbooked.add(order.client_order_id)
                    self._observe(order, found)
                    unkept.remove(found)
        for found in unkept:
            filled = f"{found.side.value} {found.filled_qty} of {found.qty} {found.symbol}"
            self.unsure.append(f"{found.client_order_id}: ours at the broker ({filled}), in no books: not booked")

    def _protective(self, found: BrokerOrder) -> Order | None:
        return known_again(found, self.sleeves)

    def _observe(self, order: Order, found: BrokerOrder) -> None:
        sent = as_sent(order, found)
        if sent != order and len(order.shares) > 1:
            cut = f"cut from {order.qty} to {found.qty} shares"
            self.unsure.append(f"{order.client_order_id}: {cut}; by how much for each strategy is a guess")
        try:
            seen, fills = observe(sent, found)
            # The sleeves of the newest books have had the fills of what was closed before.
            booked = fills if order.client_order_id in self._unbooked else ()
            changed = book_all(self.sleeves, booked)
        except (KeyError, ValueError, ImpossibleFill) as error:
            self.unsure.append(f"{order.client_order_id}: {error}; its fills are not booked")
            return
        self.orders[order.client_order_id] = seen
        self.sleeves |= {sleeve.strategy: sleeve for sleeve in changed}
        self.booked += booked


def _positions(
    sleeves: Mapping[str, Sleeve], positions: Mapping[str, BrokerPosition], in_record: Collection[str]
) -> list[str]:
    """Where sleeves and broker differ: shares of nobody are no doubt, they belong to no strategy."""
    drift, _ = compare(sleeves, positions)
    lines = []
    for found in drift:
        if found.symbol in in_record:
            lines.append(f"{found.symbol}: a corporate action, which the next run books")
        else:
            lines.append(
                f"{found.symbol}: the sleeves would own {found.ledger} shares, the broker holds {found.broker}"
            )
    return lines


def _runs(books: Sequence[Books]) -> dict[str, Run]:
    """The runs as they ended; of those that never did only the newest can still be going on."""
    runs = {kept.run.run_id: kept.run for kept in books}
    newest = books[-1].run.run_id
    for run in runs.values():
        if run.status is RunStatus.RUNNING and run.run_id != newest:
            runs[run.run_id] = replace(run, status=RunStatus.FAILED, note="its execution ended without closing it")
    return runs


def _changes(recovered: Recovered, ledger: Ledger) -> Changes:
    """What differs between the ledger and what was recovered."""
    known = {run.run_id: run for run in ledger.runs(limit=10**6)}
    orders = {o.client_order_id: o for run in recovered.plans if run in known for o in ledger.orders(run)}
    return Changes(
        runs=tuple(run for run in recovered.runs.values() if known.get(run.run_id) != run),
        plans={run: crosses for run, crosses in recovered.plans.items() if not ledger.plan_sealed(run)},
        orders=tuple(_differing(recovered.orders, orders)),
        sleeves=tuple(_differing(recovered.sleeves, ledger.sleeves())),
    )


def _differing[T: (Order, Sleeve)](wanted: Mapping[str, T], there: Mapping[str, T]) -> Iterable[T]:
    """Those that are not there as they are wanted, under the next version; a version alone is no difference."""
    for name, value in wanted.items():
        other = there.get(name)
        if other is None or replace(other, version=value.version) != value:
            yield replace(value, version=max(value.version, other.version if other else 0) + 1)


def _unknown_to_the_archive(recovered: Recovered, ledger: Ledger) -> tuple[str, ...]:
    """What the ledger holds beyond what was recovered; it stays there."""
    sleeves = [
        f"sleeve {name}: in the ledger, in no books" for name in ledger.sleeves() if name not in recovered.sleeves
    ]
    orders = [order.client_order_id for order in ledger.open_orders() if order.client_order_id not in recovered.orders]
    return (*sleeves, *(f"{name}: open in the ledger, in no books" for name in orders))


def recover(archived: Archived, shown: Recovery, broker: Broker, ledger: Ledger, *, by: str, now: datetime) -> None:
    """Write what was shown. Trading is halted from before the first change until a person resumes it.

    Raises RunInProgress while a run holds the lease, and LedgerBehind if ledger or broker are not as they were when it
    was shown. Doing it twice does no harm; after a failure in between, do it again.
    """
    lease = _take_lease(ledger, archived.fence, f"recovery by {by}", now)
    try:
        found = look(archived, broker, ledger)
        if (found.recovered, found.changes) != (shown.recovered, shown.changes):
            raise LedgerBehind("ledger or broker have changed since the differences were shown: look again")
        _write(shown, ledger, lease, Halt("the ledger was recovered; compare the books, then resume", by, now))
    finally:
        ledger.release_lease(lease)


def _take_lease(ledger: Ledger, fence: int, holder: str, now: datetime) -> Lease:
    """The lease, above every number that was ever given."""
    above = fence + FENCE_GAP if ledger.fence() < fence else 0
    lease = ledger.acquire_lease(holder, now, _LEASE_SECONDS, above=above)
    if lease is None:
        other = ledger.lease()
        raise RunInProgress(f"{other.holder if other else 'another execution'} is trading: wait until it has ended")
    return lease


def _write(shown: Recovery, ledger: Ledger, lease: Lease, halt: Halt) -> None:
    recovered, wanted = shown.recovered, shown.changes
    ledger.set_halt(recovered.halt or halt)
    ledger.restore(wanted.runs, wanted.plans, wanted.orders, wanted.sleeves, lease)
    if recovered.line:  # what came into the record since is booked by the next run
        there = ledger.account_line()
        ledger.save_account(replace(recovered.line, version=there.version if there else 0), lease)
    for run in recovered.runs.values():
        if run.tick and halt.at - run.as_of < _TICKS_OF:
            ledger.claim_tick(run.tick, run.execution)
