"""What reconciling the books would do, found by doing it to a copy of the ledger: nothing real is written."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from openbell.adapters.memory.ledger import MemoryLedger
from openbell.errors import BooksDisagree, BrokerRefused
from openbell.execution.drift import set_drift_apart
from openbell.execution.reconciliation import Reconciliation, reconcile
from openbell.execution.record import book_record
from openbell.model import (
    Account,
    Activity,
    BrokerOrder,
    BrokerPosition,
    CorporateAction,
    Lease,
    MarketClock,
    Order,
    OrderRequest,
    Quarantine,
    Sleeve,
    UnsentAlert,
)
from openbell.ports import Broker, Ledger
from openbell.runs import fenced
from openbell.workflow.open_run import IN_FLIGHT

_HOLDER, _SECONDS = "rehearsal", 60


@dataclass(frozen=True)
class Rehearsal:
    """Orders and sleeves before and after the next run reconciles, and what it would find. `failure`: why it fails."""

    found: Reconciliation
    orders: Mapping[str, tuple[Order, Order]]  # open ones by client_order_id: before, after
    sleeves: Mapping[str, Sleeve]  # after
    cancelled: tuple[str, ...]  # broker's ids of orders that it would cancel
    quarantines: tuple[Quarantine, ...]  # after
    failure: str = ""


def rehearse_reconciliation(broker: Broker, ledger: Ledger, clock: MarketClock) -> Rehearsal:
    """Reconcile a copy of the ledger with the broker as OpenRun does; the broker is only read.

    Raises what the broker raises when it does not answer.
    """
    before = {order.client_order_id: order for order in ledger.open_orders()}
    copy, lease = _copied(ledger, list(before.values()), clock)
    looking = _LookingOnly(broker)
    found, failure = Reconciliation(), ""
    try:
        record = book_record(looking, copy, lease, clock)
        found = replace(reconcile(looking, copy, lease, clock.now - IN_FLIGHT), record=record)
        set_drift_apart(found.drift, clock.now, copy, lease)
    except BooksDisagree as error:  # as it would end the next run
        failure = f"{type(error).__name__}: {error}"
    after = {order_id: copy.order(order.run_id, order_id) or order for order_id, order in before.items()}
    pairs = {order_id: (before[order_id], after[order_id]) for order_id in before}
    quarantines = tuple(copy.quarantines())
    return Rehearsal(found, pairs, copy.sleeves(), tuple(looking.cancelled), quarantines, failure)


def _copied(ledger: Ledger, orders: list[Order], clock: MarketClock) -> tuple[MemoryLedger, Lease]:
    """A ledger of its own with the same sleeves, runs and open orders, and a lease to write to it."""
    copy = MemoryLedger()
    copy.acquire_lease(_HOLDER, clock.now, _SECONDS)
    lease = fenced(_HOLDER, 1)  # a new ledger counts from 1
    for sleeve in ledger.sleeves().values():
        copy.open_sleeve(sleeve, lease)
    line = ledger.account_line()
    if line:
        copy.save_account(replace(line, version=0), lease)
    for found in ledger.quarantines():
        copy.quarantine(found, UnsentAlert("", ""), lease)
    for run in ledger.runs():
        copy.start_run(run, None)
    by_run: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        by_run[order.run_id].append(order)
    for run_id, planned in by_run.items():
        copy.save_plan(run_id, planned, [], [], lease)
    return copy, lease


@dataclass
class _LookingOnly:
    """`openbell.ports.Broker` that reads, keeps what it was asked to cancel, and refuses to send an order."""

    broker: Broker
    cancelled: list[str] = field(default_factory=list)

    def clock(self) -> MarketClock:
        return self.broker.clock()

    def account(self) -> Account:
        return self.broker.account()

    def positions(self) -> dict[str, BrokerPosition]:
        return self.broker.positions()

    def other_holdings(self) -> dict[str, BrokerPosition]:
        return self.broker.other_holdings()

    def open_orders(self) -> list[BrokerOrder]:
        return self.broker.open_orders()

    def orders_since(self, since: datetime) -> list[BrokerOrder]:
        return self.broker.orders_since(since)

    def activities(self, since: date) -> list[Activity]:
        return self.broker.activities(since)

    def fill_activities(self, since: datetime) -> list[Activity]:
        return self.broker.fill_activities(since)

    def corporate_actions(self, symbols: Collection[str], first: date, last: date) -> list[CorporateAction]:
        return self.broker.corporate_actions(symbols, first, last)

    def tradable_symbols(self) -> frozenset[str]:
        return self.broker.tradable_symbols()

    def find_order(self, client_order_id: str) -> BrokerOrder | None:
        return self.broker.find_order(client_order_id)

    def submit(self, request: OrderRequest) -> BrokerOrder:
        raise BrokerRefused(f"a look at the books sends no order ({request.client_order_id})")

    def cancel(self, order_id: str) -> None:
        self.cancelled.append(order_id)
