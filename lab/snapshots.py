"""The snapshot of each session as SelectUniverse takes it, cut out of tables that are made once."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.quick_exchange import QuickExchange
from lab.quick_history import Columns
from openbell.config import PlatformConfig
from openbell.errors import StaleData
from openbell.model import MarketClock
from openbell.snapshot import Snapshot, usable
from paper.history import Floats

type Flags = NDArray[np.bool_]
type Counts = NDArray[np.int64]

_NAMES = pd.StringDtype("python", na_value=np.nan)  # "str" as everywhere in pandas, without a detour through Arrow
_FEWEST_BARS = 30  # this and the share of gaps: as openbell.snapshot.usable has them
_MOST_GAPS = 0.05


class QuickSnapshot(Snapshot):
    """`Snapshot` that reads its facts from the array, not column by column."""

    def last_closes(self) -> dict[str, Decimal]:
        """See Snapshot."""
        closes, last = self._last_bars()
        values = closes[last, np.arange(len(last))].tolist() if len(closes) else []
        return {
            symbol: Decimal(f"{value:.4f}") for symbol, value in zip(self._symbols, values, strict=True) if value > 0
        }

    def bar_ages(self) -> dict[str, int]:
        """See Snapshot."""
        closes, last = self._last_bars()
        ages = (len(closes) - 1 - last).tolist()
        return {symbol: age for symbol, age in zip(self._symbols, ages, strict=True) if age < len(closes)}

    @property
    def _symbols(self) -> list[str]:
        return [str(symbol) for symbol in self.closes.columns.tolist()]

    def _last_bars(self) -> tuple[Floats, Counts]:
        """The closes, and for each column the row of its last bar; -1 if there is none."""
        closes = self.closes.to_numpy()
        if len(closes) and not np.isnan(closes[-1]).any():
            return closes, np.full(closes.shape[1], len(closes) - 1)
        known = ~np.isnan(closes)
        if not len(closes):
            return closes, np.full(closes.shape[1], -1)
        return closes, np.where(known.any(axis=0), len(closes) - 1 - np.argmax(known[::-1], axis=0), -1)


@dataclass(frozen=True)
class Window:
    """Rows of the history that a run may see, `first` to before `beyond`."""

    first: int
    beyond: int


class Closes:
    """Adjusted closes `(n_sessions, n_symbols)` in the order of the symbols' names, and what is usable of them."""

    def __init__(self, exchange: QuickExchange) -> None:
        history = exchange.history
        self.sessions = history.sessions
        self.symbols: tuple[str, ...] = tuple(sorted(history.symbols))
        self.columns: Mapping[str, int] = {symbol: column for column, symbol in enumerate(self.symbols)}
        order = [history.columns[symbol] for symbol in self.symbols]
        self._history = history
        self._raw: Floats = np.asfortranarray(history.bars.close[:, order])  # a symbol's closes lie side by side
        self._splits = 0
        self.values: Floats = self._frozen(self._raw)
        self._days = pd.DatetimeIndex(np.array(self.sessions, dtype="datetime64[us]"), name="session")
        self._names = pd.Index(self.symbols, dtype=_NAMES)
        present = ~np.isnan(self._raw)
        with np.errstate(invalid="ignore"):
            bad = (self._raw <= 0) | np.isinf(self._raw)
        self._present = present
        self._clean = bool(present.all()) and not bad.any()
        self._known = _running(present)
        self._bad = _running(bad)
        self._next = _next_rows(present)

    @staticmethod
    def _frozen(values: Floats) -> Floats:
        values = values.view()
        values.flags.writeable = False  # a run sees a part of this very array
        return values

    def as_of(self, splits_until: date) -> None:
        """Adjust `values` for the splits up to a date, as a data vendor does on that date."""
        happened = sum(split.ex_date <= splits_until for split in self._history.splits)
        if happened != self._splits:
            self._splits = happened
            every = np.arange(len(self.sessions))
            factors = [self._history.split_factors(symbol, every, splits_until) for symbol in self.symbols]
            self.values = self._frozen(self._raw / np.column_stack(factors))

    def window(self, today: date, last_complete: date | None, bars: int) -> Window:
        """The rows that a run on `today` fetches to have `bars` bars."""
        last = min(today - timedelta(days=1), last_complete) if last_complete else date.min
        first = bisect_left(self.sessions, fetch_start(today, bars))
        return Window(first, max(first, bisect_right(self.sessions, last)))

    def usable(self, first: Any, beyond: Any, columns: Columns) -> Flags:
        """Whether `openbell.snapshot.usable` lets a column pass, in one window (ints) or many (arrays of rows)."""
        if self._clean:
            enough = np.asarray(beyond) - first >= _FEWEST_BARS
            return np.broadcast_to(enough[..., None], (*enough.shape, len(columns))).copy()
        known = (self._known[beyond] - self._known[first])[..., columns]
        bad = (self._bad[beyond] - self._bad[first])[..., columns]
        since = np.asarray(beyond)[..., None] - self._next[first][..., columns]
        ends = self._present[np.maximum(np.asarray(beyond) - 1, 0)][..., columns]
        return np.asarray((known >= _FEWEST_BARS) & (bad == 0) & (since - known <= _MOST_GAPS * since) & ends)

    def row_of(self, day: date) -> int:
        """The first row that a run on `day` does not see."""
        return bisect_left(self.sessions, day)

    def table(self, window: Window, columns: Columns) -> "Table":
        """The closes of a window as a run's snapshot has them."""
        values, names = self.values[window.first : window.beyond], self._names
        if len(columns) != len(self.symbols):
            values, names = values[:, columns], names.take(columns)
        return Table.of(values, self._days[window.first : window.beyond], names)


class Table(pd.DataFrame):
    """A frame of closes that gives some of its columns without pandas' detours, as a frame like any other."""

    _metadata: ClassVar[list[str]] = ["positions"]  # pandas lets a subclass keep what it names here
    positions: dict[str, int]

    @classmethod
    def of(cls, values: Floats, days: pd.DatetimeIndex, names: "pd.Index[Any]") -> Self:
        """`values` `(n_sessions, n_symbols)`, not copied."""
        table = cls(values, days, names, copy=False)
        table.positions = {name: position for position, name in enumerate(names.tolist())}
        return table

    def __getitem__(self, key: Any) -> Any:
        """Columns by a list of symbols; all else as pandas does."""
        if type(key) is not list or not all(name in self.positions for name in key):
            return super().__getitem__(key)
        chosen = np.array([self.positions[name] for name in key], dtype=np.intp)
        values = np.asfortranarray(self.to_numpy()[:, chosen])
        return pd.DataFrame(values, self.index, self.columns.take(chosen), copy=False)


def fetch_start(today: date, bars: int) -> date:
    """From which day on SelectUniverse fetches prices to have `bars` bars."""
    return today - timedelta(days=int(bars * 365 / 252) + 15)


def bars_wanted(config: PlatformConfig, strategies: Sequence[str]) -> int:
    """How many bars the strategies need between them."""
    entries = [config.strategies[name] for name in strategies]
    return max(max(entry.universe.lookback + 1, entry.forecast.bars) for entry in entries)


@dataclass(frozen=True)
class Prices:
    """What a run may choose from: usable candidates, as columns of `Closes`, and the rows of its window."""

    window: Window
    columns: Columns


class SnapshotTaker:
    """Takes the snapshot of a run."""

    def __init__(self, exchange: QuickExchange, config: PlatformConfig) -> None:
        self.closes = Closes(exchange)
        self._exchange = exchange
        self._config = config

    def candidates(self, tradable: frozenset[str], held: Collection[str]) -> list[str]:
        """All that the exchange trades, and whatever is held; sorted."""
        return sorted(tradable | set(held))

    def prices(self, clock: MarketClock, strategies: Sequence[str], candidates: Sequence[str]) -> Prices:
        """The usable ones among `candidates`; StaleData, in SelectUniverse's words, if there are too few."""
        market = self._exchange.market
        self.closes.as_of(market.splits_until(clock.now))
        window = self.closes.window(
            clock.session, market.last_complete(clock.now), bars_wanted(self._config, strategies)
        )
        known = np.array([self.closes.columns[s] for s in candidates if s in self.closes.columns], dtype=np.intp)
        good = known[self.closes.usable(window.first, window.beyond, known)]
        if len(candidates) - len(good) > self._config.data.max_missing * len(candidates):
            raise StaleData(self._why_stale(clock, window, known, candidates))
        return Prices(window, good)

    def _why_stale(self, clock: MarketClock, window: Window, known: Columns, candidates: Sequence[str]) -> str:
        frame = self.closes.table(window, known).dropna(axis="columns", how="all")
        _, left_out = usable(frame, candidates, clock.session - timedelta(days=1))
        first = "; ".join(f"{symbol}: {reason}" for symbol, reason in list(left_out.items())[:5])
        return (
            f"{len(left_out)} of {len(candidates)} tickers have no usable prices from Paper exchange "
            f"(allowed: {self._config.data.max_missing:.0%}). {first}"
        )

    def snapshot(
        self, clock: MarketClock, prices: Prices, chosen: Collection[str], tradable: frozenset[str]
    ) -> Snapshot:
        """The snapshot of the chosen symbols."""
        wanted = {self.closes.columns[symbol] for symbol in chosen if symbol in self.closes.columns}
        columns = np.array([column for column in prices.columns.tolist() if column in wanted], dtype=np.intp)
        table = self.closes.table(prices.window, columns)
        symbols = list(table.positions)
        trades = {symbol: self._exchange.market.latest(symbol, clock.now) for symbol in symbols}
        # Spelled as the data API spells them, whose prices are JSON numbers.
        latest = {symbol: Decimal(str(float(trade.price))) for symbol, trade in trades.items() if trade}
        return QuickSnapshot(clock.now, "Paper exchange", table, latest, tradable & frozenset(symbols), {})


def _running(flags: Flags) -> Counts:
    """How many rows before each are set: `(n + 1, n_symbols)`."""
    return np.vstack([np.zeros((1, flags.shape[1]), dtype=np.int64), np.cumsum(flags, axis=0, dtype=np.int64)])


def _next_rows(flags: Flags) -> Counts:
    """For each row the first set one from it on, `(n + 1, n_symbols)`; the number of rows if there is none."""
    rows = np.where(flags, np.arange(len(flags))[:, None], len(flags))
    ahead = np.minimum.accumulate(rows[::-1], axis=0)[::-1]
    return np.vstack([ahead, np.full((1, flags.shape[1]), len(flags))])
