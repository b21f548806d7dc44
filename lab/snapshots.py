"""The snapshot of each session as SelectUniverse takes it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import isnan

import numpy as np

from lab.closes import Closes, Counts, Flags, Table, Window, Windows
from lab.membership import Membership
from lab.quick_exchange import QuickExchange
from lab.quick_history import PER_USD, Columns
from openbell.config import PlatformConfig
from openbell.errors import StaleData
from openbell.model import MarketClock
from openbell.snapshot import Quality, Snapshot, usable
from openbell.workflow.select_universe import bars_wanted
from paper.history import Floats


class QuickSnapshot(Snapshot):
    """`Snapshot` that reads its facts from the array, not column by column."""

    def last_closes(self) -> dict[str, Decimal]:
        """See Snapshot."""
        closes, ages = self._last_bars()
        places = np.arange(len(ages))
        values = closes[len(closes) - 1 - ages, places] if ages.any() else closes[-1:].ravel()
        return {s: Decimal(f"{v:.4f}") for s, v in zip(self._symbols, values.tolist(), strict=False) if not isnan(v)}

    def bar_ages(self) -> dict[str, int]:
        """See Snapshot."""
        closes, ages = self._last_bars()
        if len(closes) and not ages.any():
            return dict.fromkeys(self._symbols, 0)
        return {symbol: age for symbol, age in zip(self._symbols, ages.tolist(), strict=True) if age < len(closes)}

    @property
    def _symbols(self) -> Sequence[str]:
        names = self.closes
        return list(names.positions) if isinstance(names, Table) else [str(name) for name in names.columns.tolist()]

    def _last_bars(self) -> tuple[Floats, Counts]:
        """The closes, and for each column how many rows ago its last bar was; the number of rows if there is none."""
        closes = self.closes.to_numpy()
        if not len(closes) or not np.isnan(closes[-1]).any():
            return closes, np.zeros(closes.shape[1], dtype=np.int64)
        known = ~np.isnan(closes[::-1])
        return closes, np.where(known.any(axis=0), known.argmax(axis=0), len(closes))


@dataclass(frozen=True)
class Prices:
    """What a run may choose from: usable candidates, as columns of `Closes`, and the rows of its window."""

    window: Window
    columns: Columns


class SnapshotTaker:
    """Takes the snapshot of a run of the enabled strategies, which look at `members` only if there are any."""

    def __init__(self, exchange: QuickExchange, config: PlatformConfig, members: Membership | None = None) -> None:
        rules = config.data
        self.closes = Closes(
            exchange.history, Quality(max_jump=rules.max_jump, max_age_sessions=rules.max_age_sessions)
        )
        self.bars = bars_wanted(config, tuple(config.enabled))
        self._exchange = exchange
        self._config = config
        self._members = members
        self._every = np.arange(len(self.closes.symbols))
        self._numbers: dict[date, int] = {}
        self._planned: Windows | None = None
        self._usable: Flags = np.empty((0, 0), dtype=np.bool_)
        self._told = False

    def plan(self, days: Sequence[date]) -> tuple[Windows, Flags]:
        """The windows of the runs that will be made on `days`, and which symbols are usable, `(n, n_symbols)`."""
        self._planned = self.closes.windows(days, self.bars)
        self._usable = self.closes.usable(self._planned, self._every)
        self._numbers = {day: number for number, day in enumerate(days)}
        return self._planned, self._usable

    def prices(self, clock: MarketClock, tradable: frozenset[str], held: Collection[str]) -> Prices:
        """The usable candidates; StaleData, in SelectUniverse's words, if there are too few.

        Candidates are all that the exchange trades, less what is no member, and whatever is held.
        """
        candidates = self._candidates(tradable, held, clock.session)
        number, known = self._numbers.get(clock.session), self._columns(candidates)
        if number is not None and self._planned:
            window, good = self._planned.at(number), known[self._usable[number][known]]
        else:
            window = self._window(clock)
            good = known[self.closes.usable(window, known)]
        if len(candidates) - len(good) > self._config.data.max_missing * len(candidates):
            raise StaleData(self._why_stale(clock, window, known, candidates))
        return Prices(window, good)

    def _window(self, clock: MarketClock) -> Window:
        market = self._exchange.market
        if self._exchange.history.splits:
            self.closes.as_of(market.splits_until(clock.now))
        return self.closes.window(clock.session, market.last_complete(clock.now), self.bars)

    def may_choose(self, days: Sequence[date], tradable: frozenset[str]) -> Flags:
        """Which symbols are candidates of runs that hold nothing, `(n, n_symbols)`."""
        traded = np.array([symbol in tradable for symbol in self.closes.symbols])
        if self._members is None:
            return np.broadcast_to(traded, (len(days), len(traded)))
        return np.asarray(self._members.flags(days, self.closes.symbols) & traded)

    def _columns(self, candidates: Sequence[str]) -> Columns:
        if candidates is self.closes.symbols:
            return self._every
        return np.array([self.closes.columns[s] for s in candidates if s in self.closes.columns], dtype=np.intp)

    def _candidates(self, tradable: frozenset[str], held: Collection[str], day: date) -> Sequence[str]:
        if self._members is not None:
            return sorted((tradable & self._members.on(day)) | set(held))
        if tradable == self.closes.columns.keys() and tradable.issuperset(held):
            return self.closes.symbols
        return sorted(tradable | set(held))

    def _why_stale(self, clock: MarketClock, window: Window, known: Columns, candidates: Sequence[str]) -> str:
        if self._told:  # only the first message is kept, and its reasons take long to find
            return "too many tickers have no usable prices"
        self._told = True
        frame = self.closes.table(window, known).dropna(axis="columns", how="all")
        _, left_out = usable(frame, candidates, clock.session - timedelta(days=1), self.closes.quality)
        first = "; ".join(f"{symbol}: {reason}" for symbol, reason in list(left_out.items())[:5])
        return (
            f"{len(left_out)} of {len(candidates)} tickers have no usable prices from Paper exchange "
            f"(allowed: {self._config.data.max_missing:.0%}). {first}"
        )

    def snapshot(
        self, clock: MarketClock, prices: Prices, chosen: Collection[str], tradable: frozenset[str]
    ) -> Snapshot:
        """The snapshot of the chosen symbols."""
        columns, symbols = prices.columns, [self.closes.symbols[column] for column in prices.columns.tolist()]
        if not all(symbol in chosen for symbol in symbols):
            symbols = [symbol for symbol in symbols if symbol in chosen]
            columns = np.array([self.closes.columns[symbol] for symbol in symbols], dtype=np.intp)
        table = self.closes.table(prices.window, columns)
        trades = self._exchange.market.prices(symbols, clock.now)
        # Spelled as the data API spells them, whose prices are JSON numbers: 289.532, not 289.5320.
        latest = {symbol: Decimal(str(price / PER_USD)) for symbol, price in trades.items()}
        return QuickSnapshot(clock.now, "Paper exchange", table, latest, tradable.intersection(symbols), {})
