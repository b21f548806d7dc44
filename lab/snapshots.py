"""The snapshot of each session as SelectUniverse takes it, cut out of tables that are made once."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import isnan
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.quick_exchange import QuickExchange
from lab.quick_history import Columns
from openbell.config import PlatformConfig
from openbell.errors import StaleData
from openbell.model import MarketClock
from openbell.snapshot import Quality, Snapshot, usable
from paper.history import Floats

type Flags = NDArray[np.bool_]
type Counts = NDArray[np.int64]

_NAMES = pd.StringDtype("python", na_value=np.nan)  # "str" as everywhere in pandas, without a detour through Arrow
_MOST_CLOSED_WEEKDAYS = 4  # in a row, as openbell.snapshot.usable has it


class QuickSnapshot(Snapshot):
    """`Snapshot` that reads its facts from the array, not column by column."""

    def last_closes(self) -> dict[str, Decimal]:
        """See Snapshot."""
        closes, last = self._last_bars()
        values = closes[last, np.arange(len(last))].tolist() if len(closes) else [np.nan] * len(last)
        return {symbol: Decimal(f"{v:.4f}") for symbol, v in zip(self._symbols, values, strict=True) if not isnan(v)}

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
    """Rows of the history that a run may see, `first` to before `beyond`; `late`: the newest of them is too old."""

    first: int
    beyond: int
    late: bool


@dataclass(frozen=True)
class Windows:
    """Many windows at once: arrays `(n,)`."""

    first: Counts
    beyond: Counts
    late: Flags


class Closes:
    """Adjusted closes `(n_sessions, n_symbols)` in the order of the symbols' names, and what is usable of them."""

    def __init__(self, exchange: QuickExchange, quality: Quality) -> None:
        history = exchange.history
        self.sessions = history.sessions
        self.symbols: tuple[str, ...] = tuple(sorted(history.symbols))
        self.columns: Mapping[str, int] = {symbol: column for column, symbol in enumerate(self.symbols)}
        self._history = history
        self.quality = quality
        order = [history.columns[symbol] for symbol in self.symbols]
        self._raw: Floats = np.asfortranarray(history.bars.close[:, order])  # a symbol's closes lie side by side
        self._splits = 0
        self._days = pd.DatetimeIndex(np.array(self.sessions, dtype="datetime64[us]"), name="session")
        self._names = pd.Index(self.symbols, dtype=_NAMES)
        self._take(self._raw)

    def _take(self, values: Floats) -> None:
        """Tabulate what the data checks ask for."""
        self.values: Floats = self._frozen(values)
        present = ~np.isnan(values)
        bad = present & ~((values > 0) & np.isfinite(values))
        self._known, self._bad = _running(present), _running(bad)
        self._next, self._last = _next_rows(present), _last_rows(present)
        self._jumps = _running(_jumps(values, self._last, self.quality.max_jump))
        self._flawless = bool(present.all()) and not bad.any() and not self._jumps[-1].any()

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
            self._take(np.asfortranarray(self._raw / np.column_stack(factors)))

    def window(self, today: date, last_complete: date | None, bars: int) -> Window:
        """The rows that a run on `today` fetches to have `bars` bars."""
        last = min(today - timedelta(days=1), last_complete) if last_complete else date.min
        first = bisect_left(self.sessions, fetch_start(today, bars))
        beyond = max(first, bisect_right(self.sessions, last))
        return Window(first, beyond, late=beyond > first and self._is_late(beyond, today))

    def _is_late(self, beyond: int, today: date) -> bool:
        newest = self.sessions[beyond - 1] + timedelta(days=1)
        days = (today - newest).days
        return days > _MOST_CLOSED_WEEKDAYS and bool(np.busday_count(newest, today) > _MOST_CLOSED_WEEKDAYS)

    def windows(self, days: Sequence[date], bars: int) -> Windows:
        """The windows of runs on `days`, each of which sees the sessions before it."""
        found = [self.window(day, day - timedelta(days=1), bars) for day in days]
        first, beyond, late = zip(*((w.first, w.beyond, w.late) for w in found), strict=True)
        return Windows(np.array(first), np.array(beyond), np.array(late))

    def usable(self, seen: Window | Windows, columns: Columns) -> Flags:
        """Whether `openbell.snapshot.usable` lets a column pass, `(n_columns,)`, or `(n, n_columns)` for n windows."""
        rules = self.quality
        first, beyond, late = np.asarray(seen.first), np.asarray(seen.beyond), np.asarray(seen.late)
        if self._flawless:
            passes = (beyond - first >= rules.fewest_bars) & ~late
            return np.broadcast_to(passes[..., None], (*passes.shape, len(columns))).copy()
        known = self._between(self._known, first, beyond)
        began = self._next[first]
        since = beyond[..., None] - began
        jumps = self._jumps[beyond] - np.take_along_axis(
            self._jumps, np.atleast_2d(np.minimum(began + 1, beyond[..., None])), axis=0
        ).reshape(began.shape)
        age = beyond[..., None] - 1 - self._last[np.maximum(beyond - 1, 0)]
        passes = (
            (known >= rules.fewest_bars)
            & (self._between(self._bad, first, beyond) == 0)
            & (since - known <= rules.most_gaps * since)
            & (jumps == 0)
            & (age <= rules.max_age_sessions)
            & ~late[..., None]
        )
        return np.asarray(passes[..., columns])

    @staticmethod
    def _between(counts: Counts, first: Counts, beyond: Counts) -> Counts:
        return np.asarray(counts[beyond] - counts[first])

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
        rules = config.data
        self.closes = Closes(exchange, Quality(max_jump=rules.max_jump, max_age_sessions=rules.max_age_sessions))
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
        good = known[self.closes.usable(window, known)]
        if len(candidates) - len(good) > self._config.data.max_missing * len(candidates):
            raise StaleData(self._why_stale(clock, window, known, candidates))
        return Prices(window, good)

    def _why_stale(self, clock: MarketClock, window: Window, known: Columns, candidates: Sequence[str]) -> str:
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


def _last_rows(flags: Flags) -> Counts:
    """For each row the last set one up to it; -1 if there is none."""
    return np.maximum.accumulate(np.where(flags, np.arange(len(flags))[:, None], -1), axis=0)


def _jumps(values: Floats, last: Counts, most: float) -> Flags:
    """Bars whose logarithm differs by more than `most` from that of the bar before, gaps left out."""
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(values)
    before = np.vstack([np.full((1, values.shape[1]), -1), last[:-1]])
    earlier = np.where(before >= 0, np.take_along_axis(logs, np.maximum(before, 0), axis=0), np.nan)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(logs - earlier) > most)
