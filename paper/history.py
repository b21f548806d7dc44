"""Daily bars of many symbols over the sessions of the exchange.

Prices stay floats, as the source has them, in arrays of shape `(n_sessions, n_symbols)`; a missing one is NaN. What is
traded leaves this module as a Decimal of four decimal places, rounded once, here (`DayPrices`).
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paper.sessions import Calendar, nyse

type Floats = NDArray[np.float64]
type Rows = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Split:
    """`ratio` new shares for each old one (4 for four to one, 0.1 for a reverse split) from `ex_date` on."""

    symbol: str
    ex_date: date
    ratio: Decimal
    cash_in_lieu: bool = False  # parts of a new share are paid out

    def __post_init__(self) -> None:
        if self.ratio <= 0:
            raise ValueError(f"split of {self.symbol} on {self.ex_date}: the ratio must be above 0, got {self.ratio}")


@dataclass(frozen=True, slots=True)
class Dividend:
    """`rate` USD for each share that is held at the opening of `ex_date`, paid on `pay_date` (default: at once)."""

    symbol: str
    ex_date: date
    rate: Decimal
    pay_date: date | None = None

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError(f"dividend of {self.symbol} on {self.ex_date}: must be above 0 USD, got {self.rate}")


@dataclass(frozen=True, slots=True)
class DayPrices:
    """The tradable prices (USD) of one session; None where the data has none, or none above 0."""

    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None

    @property
    def has_range(self) -> bool:
        """Whether the session is known from its open on: without one of open, high and low only its close counts."""
        return self.open is not None and self.high is not None and self.low is not None


NO_PRICES = DayPrices(None, None, None, None)


@dataclass(frozen=True)
class BarArrays:
    """Prices in USD and volumes in shares: `(n_sessions, n_symbols)`, NaN where missing, None where never known."""

    close: Floats
    open: Floats | None = None
    high: Floats | None = None
    low: Floats | None = None
    volume: Floats | None = None


class History:
    """Bars by symbol and session. Symbols are spelled as Alpaca spells them (BRK.B)."""

    def __init__(
        self,
        symbols: Sequence[str],
        sessions: Sequence[date],
        bars: BarArrays,
        splits: Sequence[Split] = (),
        dividends: Sequence[Dividend] = (),
    ) -> None:
        self.symbols = tuple(symbols)
        self.sessions = tuple(sessions)
        self.bars = bars
        self.splits = tuple(sorted(splits, key=lambda split: split.ex_date))
        self.dividends = tuple(sorted(dividends, key=lambda dividend: dividend.ex_date))
        self.columns: Mapping[str, int] = {symbol: column for column, symbol in enumerate(self.symbols)}
        self._rows = {day: row for row, day in enumerate(self.sessions)}
        self._known: dict[int, Rows] = {}
        self._check_shapes()

    def _check_shapes(self) -> None:
        expected = (len(self.sessions), len(self.symbols))
        if 0 in expected:
            raise ValueError("a history needs at least one session and one symbol")
        if list(self.sessions) != sorted(set(self.sessions)):
            raise ValueError("the sessions of a history must ascend")
        for name, array in vars(self.bars).items():
            if array is not None and array.shape != expected:
                raise ValueError(f"{name} has the shape {array.shape}, expected {expected}")

    @property
    def has_ohl(self) -> bool:
        """Whether opens, highs and lows are known at all."""
        return self.bars.open is not None

    @cached_property
    def calendar(self) -> Calendar:
        """The exchange's sessions from the first bar until a year after the last."""
        return nyse(self.sessions[0], self.sessions[-1])

    def prices(self, symbol: str, day: date) -> DayPrices:
        """The session's tradable prices; all None if there is no bar."""
        row, column = self._rows.get(day), self.columns.get(symbol)
        if row is None or column is None:
            return NO_PRICES
        bars = self.bars
        return DayPrices(*(_price(array, row, column) for array in (bars.open, bars.high, bars.low, bars.close)))

    def last_close(self, symbol: str, before: date) -> tuple[date, Decimal] | None:
        """The last close above 0 of a session before `before`, with its date."""
        known = self.known_rows(symbol)
        for row in reversed(known[: np.searchsorted(known, bisect_left(self.sessions, before))]):
            close = _price(self.bars.close, row, self.columns[symbol])
            if close is not None:
                return self.sessions[row], close
        return None

    def known_rows(self, symbol: str) -> Rows:
        """Indices of the sessions in which the symbol has a bar, ascending; empty for an unknown symbol."""
        column = self.columns.get(symbol)
        if column is None:
            return np.empty(0, dtype=np.intp)
        if column not in self._known:
            self._known[column] = np.flatnonzero(~np.isnan(self.bars.close[:, column]))
        return self._known[column]

    def split_factor(self, symbol: str, after: date, until: date) -> Decimal:
        """New shares today for one share held on `after`: the product of ratios with after < ex-date <= until."""
        ratios = (split.ratio for split in self.splits if split.symbol == symbol and after < split.ex_date <= until)
        return math.prod(ratios, start=Decimal(1))

    def split_factors(self, symbol: str, rows: Rows, until: date) -> Floats:
        """`split_factor` from the session of each row, `(n_rows,)`."""
        factors = np.ones(len(rows))
        for split in self.splits:
            if split.symbol == symbol and split.ex_date <= until:
                factors[rows < bisect_left(self.sessions, split.ex_date)] *= float(split.ratio)
        return factors


def _price(array: Floats | None, row: int, column: int) -> Decimal | None:
    if array is None:
        return None
    value = float(array[row, column])
    return Decimal(f"{value:.4f}") if value >= 0.00005 else None  # noqa: PLR2004 - half of the smallest price
