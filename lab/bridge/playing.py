"""A backtest in Backtrader: on every bar it holds the run of the session that follows, and trades through its broker.

Backtrader shows a bar when it is complete, and fills what is ordered then on the next one. So the run of a session at
15:00 is held on the bar of the session before, with nothing in sight but what a run sees; its orders meet the close.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import backtrader as bt
import pandas as pd

from lab.backtest import OnProgress, OnRun, Playing
from lab.bridge.broker import BacktraderBroker, TickBroker, usd
from lab.forecasts import ForecastStore
from lab.outcome import BacktestSettings, Outcome
from lab.quick_history import NO_TICKS, PER_USD, in_ticks
from lab.quick_run import QuickDesk, Ran
from lab.workflow import submit
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.config import PlatformConfig
from openbell.errors import InvalidInput
from openbell.execution.protection import protect
from openbell.execution.reconciliation import reconcile
from openbell.model import Lease, Order, Side, Sleeve
from paper import History


class ForeseenCash:
    """The ledger as buys shall see it that leave together with the sells that pay for them on the same bar."""

    def __init__(self, ledger: MemoryLedger, sells: Sequence[Order]) -> None:
        self._ledger = ledger
        self._sells = sells

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def sleeves(self) -> dict[str, Sleeve]:
        """See Ledger; cash counts what the sells will bring at the prices at which they were planned."""
        sleeves = self._ledger.sleeves()
        for order in self._sells:
            for share in order.shares:
                sleeve = sleeves[share.strategy]
                sleeves[share.strategy] = replace(sleeve, cash=sleeve.cash + share.qty * order.reference_price)
        return sleeves


class BridgeDesk(QuickDesk):
    """`QuickDesk` whose orders are filled on the next bar: after that bar they are booked, and protected."""

    _last_run = ""

    def after_bar(self) -> None:
        """What a run does when its orders have been filled."""
        if not self.idle and self._last_run:
            lease = self._lease("after a bar", self.broker.clock())
            reconcile(self.broker, self.ledger, lease, dead_before=None)
            protect(self._last_run, self.broker, self.ledger, lease)
            self.ledger.release_lease(lease)

    def _trade(self, ran: Ran, lease: Lease) -> None:
        self._save_plan(ran, lease)
        self._last_run = ran.inputs.run_id
        orders = ran.decisions.plan.orders
        sells = [order for order in orders if order.side is Side.SELL]
        for_buys = replace(self._desk, ledger=ForeseenCash(self.ledger, sells))
        for order in orders:
            desk = self._desk if order.side is Side.SELL else for_buys
            submit(ran.inputs.run_id, order.client_order_id, desk, lease, _at_once)


def _at_once(_: float) -> None:
    """Nothing here has to be waited for."""


class Trader(bt.Strategy):  # type: ignore[misc]
    """Backtrader's strategy, which leaves everything to the player."""

    params = (("player", None),)

    def start(self) -> None:
        """Before the first bar."""
        self.p.player.attach(self)

    def next(self) -> None:
        """On each bar."""
        self.p.player.on_bar(self.data.datetime.date(0))


class InBacktrader(Playing):
    """The runs of a backtest, filled by Backtrader."""

    def __init__(
        self, history: History, config: PlatformConfig, settings: BacktestSettings, store: ForecastStore
    ) -> None:
        if history.splits or history.dividends:
            raise InvalidInput(
                "--engine backtrader: the bars come with splits or dividends, which Backtrader does not know"
            )
        if any(entry.fractional for entry in config.enabled.values()):
            raise InvalidInput("--engine backtrader: it counts shares in floats; fractional: true is not played there")
        super().__init__(history, config, settings, store)
        self._history = history
        begin = max(0, bisect_left(history.sessions, settings.first) - 1)  # the bar on which the first run is held
        self._rows = slice(begin, bisect_right(history.sessions, settings.last))
        days = history.sessions[self._rows]
        self._following = dict(pairwise(days))
        self._due = {session.day: session for session in self._runs}
        self._values: list[tuple[date, Decimal]] = []
        self._on_run: OnRun | None = None
        self._on_progress: OnProgress | None = None
        self._done = 0

    def _make_desk(self, config: PlatformConfig, store: ForecastStore) -> QuickDesk:
        self._broker = BacktraderBroker(self._exchange, self._settings.cash)
        self._bridge = BridgeDesk(self._exchange, config, store, self._broker, self._settings.members)
        return self._bridge

    def play(self, on_run: OnRun | None, on_progress: OnProgress | None, *, skip_silent: bool) -> Outcome:  # noqa: ARG002
        """See Playing; every run is made, whatever `skip_silent` says."""
        self._on_run, self._on_progress = on_run, on_progress
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.broker = TickBroker(self._settings.cash, self._settings.slippage_bps)
        for symbol, frame in self._frames().items():
            cerebro.adddata(bt.feeds.PandasData(dataname=frame), name=symbol)
        cerebro.addstrategy(Trader, player=self)
        cerebro.run()
        self._exchange.jump(max(self._sessions[-1].close, self._exchange.now))
        self._desk.book_what_is_left()
        return self._outcome()

    def _frames(self) -> dict[str, pd.DataFrame]:
        """The bars of each symbol, from the one before the first run on.

        Backtrader fills orders at the open: the close stands in its place. A session without a bar repeats the last.
        """
        history, bars, rows = self._history, self._history.bars, self._rows
        index = pd.DatetimeIndex(history.sessions[rows])
        frames = {}
        for symbol, column in history.columns.items():
            ticks = in_ticks(bars.close[rows, column])
            close = pd.Series(ticks / PER_USD, index).where(ticks != NO_TICKS).ffill().bfill()
            high, low = close, close
            if bars.high is not None and bars.low is not None:
                high = pd.Series(bars.high[rows, column], index).fillna(close).clip(lower=close)
                low = pd.Series(bars.low[rows, column], index).fillna(close).clip(upper=close)
            frames[symbol] = pd.DataFrame({"open": close, "high": high, "low": low, "close": close, "volume": 0})
        return frames

    def attach(self, trader: Any) -> None:
        """Backtrader begins."""
        self._broker.attach(trader)
        self._cerebro_broker = trader.broker

    def on_bar(self, day: date) -> None:
        """A session is over: note what the account is worth, and hold the run of the next one."""
        self._broker.last_equity = usd(self._cerebro_broker.getvalue())
        if day >= self._settings.first:
            self._values.append((day, self._broker.last_equity))
        self._bridge.after_bar()
        session = self._due.get(self._following.get(day, day))
        if session is None or session.day == day:
            return
        self._exchange.jump(self._at(session))
        self._run(session, self._on_run)
        self._done += 1
        if self._on_progress:
            self._on_progress(self._done, len(self._runs))

    def _equities(self) -> Sequence[tuple[date, Decimal]]:
        return self._values

    def _last_filled(self, broker_order_id: str) -> datetime | None:
        day = self._broker.filled_on(broker_order_id)
        session = self._exchange.market.calendar.of(day) if day else None
        return session.closing if session else None

    def _describe_fills(self) -> str:
        slippage = f"{self._settings.slippage_bps.normalize():f} bps of slippage"
        return (
            f"By Backtrader {bt.__version__}, on daily bars: an order is filled at the close of its run's "
            f"session with {slippage}; protective orders from the next session on by Backtrader's rules, with the "
            "close standing for the open. No commissions, fees, dividends or market impact."
        )
