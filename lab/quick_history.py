"""A price history that answers the exchange's questions from tables made once: the same prices, to the digit."""

from bisect import bisect_left, bisect_right
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from paper.history import NO_PRICES, DayPrices, Floats, History

type Ticks = NDArray[np.int64]
type Columns = NDArray[np.intp]

NO_TICKS = -1  # no price, or none above 0
PER_USD = 10_000
_DOUBTFUL = 1e-4  # of a tick around a half, where the product may have been rounded across it
_LARGE = 1e11  # ticks beyond which a float64 product is not exact enough to tell
_SMALLEST = 0.00005  # USD, half a tick


def in_ticks(prices: Floats) -> Ticks:
    """Prices (USD) in ten-thousandths of a dollar, rounded as `f"{price:.4f}"` rounds; NO_TICKS where there is none.

    289.532 is 2,895,320 ticks.
    """
    with np.errstate(invalid="ignore"):
        known = np.isfinite(prices) & (prices >= _SMALLEST)
        scaled = np.where(known, prices * PER_USD, 0.0)
    ticks = np.rint(scaled).astype(np.int64)
    doubtful = (np.abs(scaled - np.floor(scaled) - 0.5) < _DOUBTFUL) | (scaled > _LARGE)
    for place in zip(*np.nonzero(doubtful), strict=True):
        ticks[place] = int(Decimal(f"{prices[place]:.4f}").scaleb(4))
    ticks[~known] = NO_TICKS
    return ticks


def to_usd(ticks: int) -> Decimal:
    """Ticks as USD with four decimal places."""
    return Decimal(ticks).scaleb(-4)


class QuickHistory(History):
    """`History` with its prices in ticks. Days asked for one after the other are remembered, older ones are not."""

    def __init__(self, history: History) -> None:
        super().__init__(history.symbols, history.sessions, history.bars, history.splits, history.dividends)
        bars = self.bars
        arrays = {"open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close}
        self._ticks = {name: in_ticks(array) for name, array in arrays.items() if array is not None}
        self.last_rows = _last_rows(self._ticks["close"])
        self._days: dict[date, dict[str, DayPrices]] = {}

    def ticks(self, rows: slice | NDArray[np.intp], columns: Columns) -> Ticks:
        """Closes in ticks, the last one known where a session has none: `(n_rows, n_columns)`; NO_TICKS before any."""
        last = self.last_rows[rows][:, columns]
        return np.where(last >= 0, self._ticks["close"][last, columns], NO_TICKS)

    def opens(self, rows: slice, columns: Columns) -> Ticks:
        """Opens in ticks, NO_TICKS where a session has none; KeyError if the data has no opens."""
        return self._ticks["open"][rows][:, columns]

    def lone_opens(self, rows: NDArray[np.intp], columns: Columns) -> NDArray[np.bool_]:
        """Where a session has an open and no close, so that the open is its last price: `(n_rows, n_columns)`."""
        cells = np.ix_(rows, columns)
        opens = self._ticks.get("open")
        if opens is None:
            return np.zeros((len(rows), len(columns)), dtype=np.bool_)
        return np.asarray((opens[cells] != NO_TICKS) & (self._ticks["close"][cells] == NO_TICKS))

    def row_at(self, day: date) -> int:
        """The row of the last session up to `day`; -1 before the first."""
        return bisect_right(self.sessions, day) - 1

    def prices(self, symbol: str, day: date) -> DayPrices:
        """See History."""
        known = self._days.get(day)
        if known is None:
            if len(self._days) > 1:  # a run asks for today and for the session before
                self._days.clear()
            known = self._days[day] = {}
        if symbol not in known:
            known[symbol] = self._prices(symbol, day)
        return known[symbol]

    def _prices(self, symbol: str, day: date) -> DayPrices:
        row, column = self._rows.get(day), self.columns.get(symbol)
        if row is None or column is None:
            return NO_PRICES
        names = ("open", "high", "low", "close")
        return DayPrices(*(self._price(name, row, column) for name in names))

    def _price(self, name: str, row: int, column: int) -> Decimal | None:
        ticks = self._ticks.get(name)
        if ticks is None or ticks[row, column] == NO_TICKS:
            return None
        return to_usd(int(ticks[row, column]))

    def last_close(self, symbol: str, before: date) -> tuple[date, Decimal] | None:
        """See History."""
        return self.close_at(symbol, bisect_left(self.sessions, before) - 1) if symbol in self.columns else None

    def close_at(self, symbol: str, row: int) -> tuple[date, Decimal] | None:
        """The last close of a known symbol up to a row, with its date."""
        column = self.columns[symbol]
        if row < 0 or (last := int(self.last_rows[row, column])) < 0:
            return None
        return self.sessions[last], to_usd(int(self._ticks["close"][last, column]))


def _last_rows(ticks: Ticks) -> NDArray[np.int32]:
    """For each cell the newest row up to it that has a price; -1 if there is none."""
    rows = np.where(ticks != NO_TICKS, np.arange(len(ticks), dtype=np.int32)[:, None], np.int32(-1))
    return np.maximum.accumulate(rows, axis=0)
