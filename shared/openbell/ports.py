"""The seams where the outside begins: broker, prices, ledger, archive."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from openbell.accuracy import Tally
from openbell.events import DomainEvent
from openbell.forecasts import Forecast
from openbell.model import (
    Account,
    AccountLine,
    Activity,
    BrokerOrder,
    BrokerPosition,
    CorporateAction,
    Cross,
    Halt,
    Lease,
    MarketClock,
    Order,
    OrderRequest,
    Quarantine,
    Repair,
    Run,
    Sleeve,
    UnsentAlert,
)

if TYPE_CHECKING:  # the Forecast function does without
    import pandas as pd


class Broker(Protocol):
    """The brokerage account. Reads are complete or raise: an empty answer means empty, never unknown.

    Every method raises BrokerUnavailable, RateLimited or BrokerRefused, unless it says otherwise.
    """

    def clock(self) -> MarketClock:
        """The exchange's time and hours."""
        ...

    def account(self) -> Account:
        """Equity, cash, buying power, and whether it may trade."""
        ...

    def positions(self) -> dict[str, BrokerPosition]:
        """US equity positions by symbol."""
        ...

    def other_holdings(self) -> dict[str, BrokerPosition]:
        """What the account holds that is no US equity (crypto, options), by symbol."""
        ...

    def open_orders(self) -> list[BrokerOrder]:
        """Every order that has not ended, legs nested."""
        ...

    def orders_since(self, since: datetime) -> list[BrokerOrder]:
        """Every order submitted after `since`, however it stands, legs nested."""
        ...

    def activities(self, since: date) -> list[Activity]:
        """What came and went by the broker's record since the day `since`, oldest first; without fills."""
        ...

    def fill_activities(self, since: datetime) -> list[Activity]:
        """Every fill after `since`, of whatever order, oldest first."""
        ...

    def corporate_actions(self, symbols: Collection[str], first: date, last: date) -> list[CorporateAction]:
        """What was announced for these symbols with an ex-date from `first` to `last`, oldest first."""
        ...

    def tradable_symbols(self) -> frozenset[str]:
        """Symbols of US equities that may be traded now."""
        ...

    def find_order(self, client_order_id: str) -> BrokerOrder | None:
        """The order with this client_order_id, legs nested; None if the broker never booked one."""
        ...

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send the order once, without retry; OrderRejected in the broker's words, OutcomeUnknown in doubt."""
        ...

    def cancel(self, order_id: str) -> None:
        """Ask to cancel; OrderNotCancelable if it has ended."""
        ...


class MarketData(Protocol):
    """Where prices come from. Symbols are spelled as the broker spells them (BRK.B)."""

    name: str

    def daily_closes(self, symbols: Sequence[str], start: date, end: date) -> "pd.DataFrame":
        """Closes adjusted for splits and dividends, complete sessions only: `(n_sessions, n_symbols)` floats in USD.

        The index holds tz-naive session dates from `start` to `end`, both included, ascending; a missing price is
        NaN; a symbol without any price has no column. Raises DataUnavailable or RateLimited.
        """
        ...

    def latest_prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        """Last traded raw price in USD of each symbol that has one."""
        ...


class ForecastStore(Protocol):
    """The part of the ledger that holds forecasts; raises as the Ledger does."""

    def save_forecasts(
        self, run_id: str, spec: str, forecasts: Sequence[Forecast], failures: Mapping[str, str]
    ) -> None:
        """Store the forecasts made by one specification, and why others failed (reason by symbol).

        Writing the same again is harmless.
        """
        ...

    def forecasts(self, run_id: str, spec: str) -> dict[str, Forecast]:
        """The run's forecasts by symbol, made by one specification."""
        ...

    def forecast_failures(self, run_id: str, spec: str) -> dict[str, str]:
        """Why the run has no forecast of a symbol, by symbol."""
        ...


class Ledger(ForecastStore, Protocol):
    """What the platform knows of itself. Every change is one conditional transaction.

    Changes that the world hears of put their event into the outbox in the same transaction (`openbell.events`): a run
    that ended or was skipped, an order that was filled or rejected, a halt and its end.

    Methods that take a Lease raise LeaseLost when its fencing number is no longer the newest, or was given back. Any
    method may raise StoreUnavailable; a write that lost against a concurrent one raises it too: try again from a fresh
    read. StoreRefused: no repetition helps.
    """

    def claim_tick(self, tick: str, execution: str) -> bool:
        """Take one firing of a schedule for `execution`; False if another execution has taken it."""
        ...

    def acquire_lease(self, holder: str, now: datetime, seconds: int, above: int = 0) -> Lease | None:
        """The lease with a higher fencing number, the same one if `holder` has it, None if another holds it.

        A new number is higher than `above` too.
        """
        ...

    def lease(self) -> Lease | None:
        """Who holds the lease, if anybody."""
        ...

    def check_lease(self, lease: Lease) -> None:
        """Nothing, or LeaseLost: to be asked before anything is changed at the broker."""
        ...

    def fence(self) -> int:
        """The newest fencing number, 0 if none was ever given."""
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give it back; nothing happens if it is no longer ours."""
        ...

    def halt(self) -> Halt | None:
        """Why trading is halted, if it is."""
        ...

    def set_halt(self, halt: Halt) -> None:
        """Halt trading; an earlier halt keeps its reason, and takes on the wish to flatten."""
        ...

    def clear_halt(self) -> None:
        """Resume trading."""
        ...

    def quarantines(self) -> list[Quarantine]:
        """Symbols and sleeves that are not traded until a person has repaired their books, oldest first."""
        ...

    def quarantine(self, found: Quarantine, alert: UnsentAlert, lease: Lease) -> None:
        """Keep a symbol or a sleeve from being traded, and the alert of it with it; an earlier quarantine stays."""
        ...

    def lift_quarantine(self, done: Repair, lease: Lease) -> None:
        """Trade it again, and keep how it was repaired."""
        ...

    def repairs(self) -> list[Repair]:
        """Every repair, oldest first."""
        ...

    def unsent_alerts(self) -> list[UnsentAlert]:
        """Alerts that no person has got yet."""
        ...

    def keep_alert(self, alert: UnsentAlert) -> None:
        """Keep an alert that could not be sent; the same twice is one."""
        ...

    def forget_alert(self, alert: UnsentAlert) -> None:
        """Take a sent alert out."""
        ...

    def start_run(self, run: Run, lease: Lease | None) -> None:
        """Record a run that started (with its lease) or was skipped (without); the same run twice is no error.

        A run that has ended is never started again, and an execution starts one run at one moment: StoreUnavailable, as
        for any write that came too late.
        """
        ...

    def finish_run(self, run: Run, found: Sequence[DomainEvent] = ()) -> None:
        """Record how the run ended, and what was found at its end."""
        ...

    def run(self, run_id: str) -> Run | None:
        """One run."""
        ...

    def run_of(self, execution: str) -> Run | None:
        """The run that an execution of the workflow started."""
        ...

    def runs(self, limit: int = 50, *, skipped: bool = True) -> list[Run]:
        """The newest runs, newest first; with `skipped=False` those that may have traded, however many lie between."""
        ...

    def sleeves(self) -> dict[str, Sleeve]:
        """Every sleeve by strategy."""
        ...

    def open_sleeve(self, sleeve: Sleeve, lease: Lease) -> None:
        """Write a sleeve that does not exist yet, its cash taken from the account line; nothing happens if it does."""
        ...

    def account_line(self) -> AccountLine | None:
        """The account line, once there is one."""
        ...

    def save_account(
        self, line: AccountLine, lease: Lease, sleeves: Sequence[Sleeve] = (), orders: Sequence[Order] = ()
    ) -> None:
        """Write the account line with what an entry of the broker's record changes besides, in one transaction.

        Conditional on the versions of all of them; a line of version 0 is the first one.
        """
        ...

    def save_sleeves(self, sleeves: Sequence[Sleeve], lease: Lease) -> None:
        """Write sleeves (conditional on their version) that something else than an order changed, all or none."""
        ...

    def rearrange_sleeves(
        self,
        changed: Sequence[Sleeve],
        opened: Sequence[Sleeve],
        removed: Sequence[Sleeve],
        orders: Sequence[Order],
        lease: Lease,
    ) -> None:
        """Write, open and remove sleeves, and write open orders, all or none, each conditional on its version.

        Cash that they give up goes to the account line, and what they get comes from there.

        Raises InvalidInput if that is too much for one transaction.
        """
        ...

    def save_plan(
        self, run_id: str, orders: Sequence[Order], sleeves: Sequence[Sleeve], crosses: Sequence[Cross], lease: Lease
    ) -> None:
        """Write the orders, the sleeves that the plan itself changes (conditional on their version), and the seal.

        All or nothing for the reader: orders without the seal are not a plan. A sealed plan is never written again.
        """
        ...

    def plan_sealed(self, run_id: str) -> bool:
        """Whether the run's plan is complete."""
        ...

    def order(self, run_id: str, client_order_id: str) -> Order | None:
        """One order."""
        ...

    def orders(self, run_id: str) -> list[Order]:
        """The run's orders in the order of their ids."""
        ...

    def open_orders(self) -> list[Order]:
        """Orders of any run to which something can still happen, protective legs included."""
        ...

    def add_order(self, order: Order, lease: Lease) -> None:
        """Add an order that no plan has: the next revision, or a protective one; nothing happens if it is there."""
        ...

    def save_order(self, order: Order, lease: Lease, sleeves: Sequence[Sleeve] = ()) -> Order:
        """Write an order (conditional on its version) with the sleeves that its fills changed, in one transaction.

        Gives the order with its new version.
        """
        ...

    def restore(
        self,
        runs: Sequence[Run],
        plans: Mapping[str, Sequence[Cross]],
        orders: Sequence[Order],
        sleeves: Sequence[Sleeve],
        lease: Lease,
    ) -> None:
        """Write all of these as they are, whatever was there, and the seals of `plans` (crosses by run).

        Not all at once: the caller sees to it that nobody trades meanwhile, and does it again after a failure. Nothing
        is announced: the world has heard of it when it happened.
        """
        ...

    def save_accuracy(self, strategy: str, session: date, tallies: Mapping[int, Tally]) -> None:
        """Record how the strategy's forecasts of one session did, by horizon in bars; the same again is harmless."""
        ...

    def accuracy(self, strategy: str, since: date) -> dict[date, dict[int, Tally]]:
        """The record of a strategy by session and horizon, from the session `since` on."""
        ...

    def outbox(self) -> list[DomainEvent]:
        """Events that are not published yet."""
        ...

    def forget_events(self, events: Sequence[DomainEvent]) -> None:
        """Take published events out of the outbox."""
        ...


class Archive(Protocol):
    """Large things, by key: snapshots, reports, a run's inputs."""

    def put(self, key: str, content: bytes) -> None:
        """Store `content`."""
        ...

    def get(self, key: str) -> bytes:
        """What is stored; KeyError if nothing is."""
        ...


class Executions(Protocol):
    """What became of the workflow's executions."""

    def ended(self, name: str) -> bool:
        """Whether the execution of this name has ended, in whatever way; False if that cannot be learned."""
        ...


class Alerts(Protocol):
    """Where a person hears of trouble."""

    def alert(self, subject: str, message: str) -> None:
        """Tell what happened, what it means for open positions, and the first thing to do."""
        ...


class Events(Protocol):
    """Where the world hears of what happened."""

    def publish(self, events: Sequence[DomainEvent]) -> list[DomainEvent]:
        """Those events that were taken. Raises StoreUnavailable if it is not known which."""
        ...


@dataclass(frozen=True)
class Desk:
    """What a state works with that opens or closes a run."""

    broker: Broker
    ledger: Ledger
    archive: Archive
    alerts: Alerts


class Emitter(Protocol):
    """Where business metrics go."""

    def metric(self, name: str, value: float, unit: str = "Count", dimensions: Mapping[str, str] | None = None) -> None:
        """Record one figure."""
        ...
