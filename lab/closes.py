"""Closes cut out of tables that are made once, and which of them SelectUniverse would trade on."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.quick_history import Columns
from lab.ranking import default_ranking
from openbell.snapshot import Quality, usable
from openbell.workflow.select_universe import fetch_start
from paper.history import Floats, History

type Flags = NDArray[np.bool_]
type Counts = NDArray[np.int64]

_NAMES = pd.StringDtype("python", na_value=np.nan)  # "str" as everywhere in pandas, without a detour through Arrow


class Table(pd.DataFrame):
    """A frame of closes that gives some of its columns without pandas' detours, as a frame like any other."""

    _metadata: ClassVar[list[str]] = ["positions"]  # pandas lets a subclass keep what it names here
    positions: Mapping[str, int]

    @classmethod
    def of(cls, values: Floats, days: pd.DatetimeIndex, names: "pd.Index[Any]", positions: Mapping[str, int]) -> Self:
        """`values` `(n_sessions, n_symbols)`, not copied; `positions` of the names among the columns."""
        table = cls(values, days, names, copy=False)
        table.positions = positions
        return table

    def __getitem__(self, key: Any) -> Any:
        """Columns by a list of symbols; all else as pandas does."""
        if type(key) is not list or not all(name in self.positions for name in key):
            return super().__getitem__(key)
        chosen = np.array([self.positions[name] for name in key], dtype=np.intp)
        values = np.asfortranarray(self.to_numpy()[:, chosen])
        return pd.DataFrame(values, self.index, self.columns.take(chosen), copy=False)


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

    def at(self, number: int) -> Window:
        """One of them."""
        return Window(int(self.first[number]), int(self.beyond[number]), bool(self.late[number]))


class Closes:
    """Adjusted closes `(n_sessions, n_symbols)` in the order of the symbols' names, and what is usable of them."""

    def __init__(self, history: History, quality: Quality) -> None:
        self.sessions = history.sessions
        self.symbols: tuple[str, ...] = tuple(sorted(history.symbols))
        self.columns: Mapping[str, int] = {symbol: column for column, symbol in enumerate(self.symbols)}
        self._history = history
        self._calendar = history.calendar
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
        self._sums = _return_sums(values)
        self._rounding = _rounding_of(self._sums)
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
        return Window(first, beyond, late=self._is_late(first, beyond, today))

    def _is_late(self, first: int, beyond: int, today: date) -> bool:
        """Whether the newest bar is too old for a run; asked of the data checks where a session is missing at all."""
        days = self._calendar.days
        if beyond == first or bisect_left(days, today) == bisect_right(days, self.sessions[beyond - 1]):
            return False
        flawless = pd.DataFrame({"A": np.ones(beyond - first)}, self._days[first:beyond])
        good, _ = usable(flawless, ["A"], today - timedelta(days=1), self.quality)
        return good.empty

    def windows(self, days: Sequence[date], bars: int) -> Windows:
        """The windows of runs on `days`, each of which sees the sessions before it."""
        today, sessions = np.array(days, dtype="datetime64[D]"), np.array(self.sessions, dtype="datetime64[D]")
        calendar = np.array(self._calendar.days, dtype="datetime64[D]")
        first = np.searchsorted(sessions, today - np.timedelta64((days[0] - fetch_start(days[0], bars)).days, "D"))
        beyond = np.maximum(first, np.searchsorted(sessions, today))
        missing = np.searchsorted(calendar, today) - np.searchsorted(calendar, sessions[beyond - 1], side="right")
        late = np.zeros(len(days), dtype=np.bool_)
        for run in np.flatnonzero((missing > 0) & (beyond > first)).tolist():
            late[run] = self._is_late(int(first[run]), int(beyond[run]), days[run])
        return Windows(first, beyond, late)

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

    def ranking(self, window: Window, columns: Columns, size: int, lookback: int) -> tuple[str, ...] | None:
        """What `Strategy.universe` gives for the window's `columns`; None where means are too close to tell."""
        if window.beyond - window.first <= lookback:
            return ()
        bars = self._known[window.beyond] - self._known[window.beyond - lookback - 1]
        complete = columns[bars[columns] == lookback + 1]
        means = (self._sums[window.beyond - 1] - self._sums[window.beyond - 1 - lookback])[complete] / lookback
        order = np.argsort(-means)[: size + 1]
        if (np.diff(means[order]) > -self._rounding).any():
            values = self.values[window.beyond - lookback - 1 : window.beyond, complete]
            return default_ranking(values, [self.symbols[column] for column in complete], size, lookback)
        return tuple(self.symbols[column] for column in complete[order[:size]].tolist())

    def row_of(self, day: date) -> int:
        """The first row that a run on `day` does not see."""
        return bisect_left(self.sessions, day)

    def table(self, window: Window, columns: Columns) -> Table:
        """The closes of a window as a run's snapshot has them."""
        days, values = self._days[window.first : window.beyond], self.values[window.first : window.beyond]
        if len(columns) == len(self.symbols):
            return Table.of(values, days, self._names, self.columns)
        names = self._names.take(columns)
        return Table.of(values[:, columns], days, names, {name: place for place, name in enumerate(names.tolist())})


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


def _return_sums(values: Floats) -> Floats:
    """The returns from bar to bar, added up from the first row on; what is unknown or without bounds counts as 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = np.nan_to_num(values[1:] / values[:-1] - 1, posinf=0, neginf=0)
    return np.vstack([np.zeros((1, values.shape[1])), np.cumsum(returns, axis=0)])


def _rounding_of(sums: Floats) -> float:
    """More than rounding can have moved a difference of `sums`, or a mean made of it."""
    moved = np.abs(np.diff(sums, axis=0)).sum(axis=0)
    return float(8 * np.finfo(np.float64).eps * len(sums) * moved.max(initial=0.0))
