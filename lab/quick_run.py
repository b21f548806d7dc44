"""One run of a backtest: the decisions and the books of the workflow, without its messages, files and reports.

The same functions decide and book as in the Lambdas: reconcile, rank_universe, forecast_tickers, decide, execute_order,
settle_orders. What differs is how they get what they need. tests/integration/lab/test_identity.py holds both ways
against each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import pandas as pd

from lab.forecasts import ForecastStore
from lab.membership import Membership
from lab.quick_exchange import QuickBroker, QuickExchange
from lab.ranking import Ranked, ranks_by_default
from lab.snapshots import Prices, SnapshotTaker
from lab.workflow import settle_all, submit
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.codec import to_json
from openbell.config import PlatformConfig
from openbell.decision import choose_universes, decide, rank_universe
from openbell.errors import BooksDisagree, Halted, MarketClosed, TooManyForecastFailures
from openbell.execution.protection import guarded, pending, protect
from openbell.execution.rebalances import settle_rebalances
from openbell.execution.reconciliation import Reconciliation, reconcile
from openbell.execution.record import book_record, open_line
from openbell.forecasts import Forecast, spec_id
from openbell.model import ZERO, Account, Lease, MarketClock, Order, OrderStatus, Side, Sleeve
from openbell.portfolio.cash import committed
from openbell.ports import Desk
from openbell.runs import Decisions, RunInputs, run_id
from openbell.snapshot import Snapshot
from openbell.strategies import build_strategies
from openbell.workflow.aggregate_signals import changed_sleeves
from openbell.workflow.open_run import IN_FLIGHT, LEASE_SECONDS, end_what_should_not_fill, open_sleeves

_UNSEEN = pd.DataFrame()


class LastInputs:
    """`openbell.ports.Archive` of the newest run's inputs alone, made JSON only if somebody asks."""

    def __init__(self) -> None:
        self.inputs: RunInputs | None = None

    def put(self, key: str, content: bytes) -> None:
        """Nothing of a backtest's run is kept as a file."""

    def get(self, key: str) -> bytes:
        """See Archive."""
        if self.inputs is None:
            raise KeyError(key)
        return to_json(self.inputs)


class NoAlerts:
    """`openbell.ports.Alerts` for a past in which nobody can be called."""

    def alert(self, subject: str, message: str) -> None:
        """What would be told is in the result."""


@dataclass(frozen=True)
class Ran:
    """What a run saw and decided."""

    inputs: RunInputs
    snapshot: Snapshot
    decisions: Decisions
    forecasts: Mapping[str, Mapping[str, Forecast]]  # by strategy


def owned(sleeves: Mapping[str, Sleeve]) -> dict[str, Decimal]:
    """Shares by symbol of all sleeves together."""
    total: dict[str, Decimal] = {}
    for sleeve in sleeves.values():
        for symbol, position in sleeve.positions.items():
            total[symbol] = total.get(symbol, ZERO) + position.qty
    return total


class QuickDesk:
    """What all runs of a backtest work with."""

    def __init__(
        self,
        exchange: QuickExchange,
        config: PlatformConfig,
        store: ForecastStore,
        broker: QuickBroker | None = None,  # default: the exchange's own
        members: Membership | None = None,
    ) -> None:
        self.exchange = exchange
        self.config = config
        self.strategies = build_strategies(config)
        self.names = tuple(config.enabled)
        self.broker = broker or QuickBroker(exchange)
        self.ledger = MemoryLedger()
        self.snapshots = SnapshotTaker(exchange, config, members)
        self._store = store
        self._archive = LastInputs()
        self._desk = Desk(self.broker, self.ledger, self._archive, NoAlerts())

    @property
    def idle(self) -> bool:
        """Whether nothing can happen to any order before the next run."""
        return self.exchange.idle and not self.ledger.open_orders()

    def run(self, execution: str) -> Ran:
        """One whole run at the exchange's time.

        Raises what the workflow's run is skipped for (MarketClosed, Halted) or fails with (StaleData,
        TooManyForecastFailures, BooksDisagree).
        """
        clock = self.broker.clock()
        if not clock.is_open:
            raise MarketClosed(f"the market is closed at {clock.now}")
        lease = self._lease(execution, clock)
        try:
            inputs = self._open(run_id(clock.now, execution), lease, clock)
            ran = self._decide(inputs)
            self._trade(ran, lease)
            if not self.idle:  # otherwise nothing is left to book, and the next run compares the books
                reconcile(self.broker, self.ledger, lease, dead_before=None)
            settle_rebalances(self.ledger, lease)
            protect(inputs.run_id, self.broker, self.ledger, lease)
        finally:
            self.ledger.release_lease(lease)
        return ran

    def repeat(self, inputs: RunInputs) -> Ran:
        """A run that really happened, decided and traded once more from its own inputs, on a desk that is still empty.

        Raises what a run fails with when it decides (StaleData, TooManyForecastFailures).
        """
        lease = self._lease(inputs.run_id, inputs.clock)
        for sleeve in inputs.sleeves.values():
            self.ledger.open_sleeve(sleeve, lease)
        self._archive.inputs = inputs
        ran = self._decide(inputs)
        self._trade(ran, lease)
        return ran

    def book_what_is_left(self) -> None:
        """Book what protective orders did since the last run."""
        lease = self._lease("the end", self.broker.clock())
        reconcile(self.broker, self.ledger, lease, dead_before=None)
        self.ledger.release_lease(lease)

    def _lease(self, execution: str, clock: MarketClock) -> Lease:
        lease = self.ledger.acquire_lease(execution, clock.now, LEASE_SECONDS)
        if lease is None:
            raise RuntimeError(f"{execution}: the lease is taken, although runs of a backtest follow one another")
        return lease

    # What OpenRun does.

    def _open(self, run: str, lease: Lease, clock: MarketClock) -> RunInputs:
        found = self._reconcile(lease, clock)
        settle_rebalances(self.ledger, lease)
        values = self.broker.position_values()
        account = self.broker.account_with(values)
        self._stop_on_loss(account)
        end_what_should_not_fill(clock, None, self.broker, self.ledger, lease)
        open_sleeves(self.names, self.config, account, self.ledger, lease)
        orders = self.ledger.open_orders()
        inputs = RunInputs(
            run_id=run,
            fence=lease.fence,
            clock=clock,
            config=self.config,
            strategies=self.names,
            account=account,
            sleeves=self.ledger.sleeves(),
            position_values=values,
            pending=pending(orders),
            protected=guarded(orders),
            committed=committed(orders),
            reconciliation=found,
        )
        self._archive.inputs = inputs
        return inputs

    def _reconcile(self, lease: Lease, clock: MarketClock) -> Reconciliation:
        """Nothing is found where no order is open and the books are the same to the share."""
        same = self.idle and owned(self.ledger.sleeves()) == self.broker.shares()
        if same and self.ledger.account_line() and not self.exchange.has_record:
            return Reconciliation()
        record = book_record(self.broker, self.ledger, lease, clock)
        found = replace(reconcile(self.broker, self.ledger, lease, clock.now - IN_FLIGHT), record=record)
        open_line(self.broker, self.ledger, lease, clock)
        if found.drift:
            raise BooksDisagree(f"the strategies own more shares than the exchange holds: {found.drift}")
        return found

    def _stop_on_loss(self, account: Account) -> None:
        floor = account.last_equity * (1 - self.config.risk.max_daily_loss)
        if account.equity < floor:
            raise Halted(
                f"equity {account.equity:.2f} USD is below {floor:.2f} USD: the day's loss exceeds "
                f"{self.config.risk.max_daily_loss:.1%} of {account.last_equity:.2f} USD"
            )

    # What SelectUniverse, ForecastTickers and AggregateSignals do.

    def _decide(self, inputs: RunInputs) -> Ran:
        tradable = self.broker.tradable_symbols()
        held = {symbol for name in self.names for symbol in inputs.sleeves[name].positions}
        prices = self.snapshots.prices(inputs.clock, tradable, held)
        universes = choose_universes(inputs, lambda name: self._universe(name, inputs, prices))
        chosen = {symbol for symbols in universes.by_strategy.values() for symbol in symbols}
        snapshot = self.snapshots.snapshot(inputs.clock, prices, chosen, tradable)
        forecasts = self._forecasts(universes.by_strategy, snapshot)
        decisions = decide(inputs, snapshot, universes, forecasts, self.strategies)
        return Ran(inputs, snapshot, decisions, forecasts)

    def _universe(self, name: str, inputs: RunInputs, prices: Prices) -> tuple[str, ...]:
        rules, strategy, closes = self.config.strategies[name].universe, self.strategies[name], self.snapshots.closes
        by_default = ranks_by_default(strategy)
        ranking = closes.ranking(prices.window, prices.columns, rules.size, rules.lookback) if by_default else None
        frame = closes.table(prices.window, prices.columns) if ranking is None else _UNSEEN
        ranker = strategy if ranking is None else Ranked(ranking)
        return rank_universe(
            ranker, frame, rules.size, rules.lookback, inputs.sleeves[name], inputs.pending, self._seconds(name)
        )

    def _seconds(self, name: str) -> float:
        return self.config.seconds_of(name, len(self.names))

    def _forecasts(
        self, universe: Mapping[str, tuple[str, ...]], snapshot: Snapshot
    ) -> dict[str, Mapping[str, Forecast]]:
        """Forecasts for the strategies that need them: each ticker once for each specification."""
        specs = {n: self.config.strategies[n].forecast for n in self.names if self.strategies[n].needs_forecasts}
        if not specs:
            return {}
        known = set(map(str, snapshot.closes.columns))
        wanted: dict[str, set[str]] = {}
        for name, spec in specs.items():
            wanted.setdefault(spec_id(spec), set()).update(symbol for symbol in universe[name] if symbol in known)
        by_id = {spec_id(spec): spec for spec in specs.values()}
        made = {i: self._store.get(snapshot.closes, sorted(tickers), by_id[i]) for i, tickers in wanted.items()}
        failed = {ticker: why for part in made.values() for ticker, why in part.failed.items()}
        total = sum(len(tickers) for tickers in wanted.values())
        if len(failed) > self.config.data.max_failed_forecasts * total:
            first = "; ".join(f"{ticker}: {why}" for ticker, why in list(failed.items())[:5])
            raise TooManyForecastFailures(f"{len(failed)} of {total} tickers have no forecast. {first}")
        return {name: made[spec_id(spec)].made for name, spec in specs.items()}

    # What ExecuteOrders does.

    def _trade(self, ran: Ran, lease: Lease) -> None:
        run, plan = ran.inputs.run_id, ran.decisions.plan
        self._save_plan(ran, lease)
        for side in (Side.SELL, Side.BUY):
            orders = [order.client_order_id for order in plan.orders if order.side is side]  # in their sending order
            for client_order_id in orders:
                submit(run, client_order_id, self._desk, lease, self.exchange.wait)
            self._settle(ran.inputs, orders, lease)

    def _save_plan(self, ran: Ran, lease: Lease) -> None:
        plan, changed = ran.decisions.plan, changed_sleeves(ran.inputs, ran.decisions, self.strategies)
        self.ledger.save_plan(ran.inputs.run_id, plan.orders, changed, plan.crosses, lease)

    def _settle(self, inputs: RunInputs, orders: list[str], lease: Lease) -> None:
        known = self._known_already(inputs.run_id, orders)
        if known:
            self.exchange.wait(self.config.execution.poll_seconds)
        if orders:
            settle_all(inputs, orders, self._desk, lease, self.exchange.wait, rounds=int(known))

    def _known_already(self, run: str, orders: list[str]) -> bool:
        """Whether the workflow's first look at the orders would do nothing: some wait, and none has filled in part.

        It always does something if it is the last look too.
        """
        sent = [order for each in orders if (order := self.ledger.order(run, each))]
        waiting = [order for order in sent if self._waits(order)]
        rest = (order for order in sent if order not in waiting)
        nothing_new = all(order.status.ended and not order.filled_qty for order in rest)
        return bool(waiting) and nothing_new and self.config.execution.max_rounds > 1

    def _waits(self, order: Order) -> bool:
        """Whether an order rests at the exchange as the ledger knows it: nothing of it has filled."""
        return order.status is OrderStatus.WORKING and self.exchange.waits(order.broker_order_id)
