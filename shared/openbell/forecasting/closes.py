"""Closes of many tickers as plain arrays. The Forecast function reads and forecasts them without pandas, whose import
would take as long as all its others together; everybody else hands over a DataFrame.
"""

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from openbell.forecasting.arrays import Days, Floats

if TYPE_CHECKING:
    import pandas as pd

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Closes:
    """Closes in USD: `prices` `(n, n_tickers)`, NaN where missing; `days` `(n,)` are the sessions, since 1970-01-01."""

    days: Days
    tickers: tuple[str, ...]
    prices: Floats

    def last(self, bars: int) -> "Closes":
        """The last `bars` sessions."""
        return Closes(self.days[-bars:], self.tickers, self.prices[-bars:])

    def of(self, ticker: str) -> Floats:
        """One ticker's closes, `(n,)`."""
        return self.prices[:, self.tickers.index(ticker)]

    @classmethod
    def from_frame(cls, frame: "pd.DataFrame") -> "Closes":
        """The closes in a DataFrame dates x tickers; ValueError if `fault_of_dates` finds one."""
        if fault := fault_of_dates(frame.index):
            raise ValueError(fault)
        days = frame.index.to_numpy().astype("datetime64[D]").astype(np.int64)
        return cls(days, tuple(map(str, frame.columns)), frame.to_numpy(dtype=np.float64))


def date_of(day: int) -> date:
    """The date of a day since 1970-01-01."""
    return _EPOCH + timedelta(days=day)


def day_of(session: date) -> int:
    """The day since 1970-01-01 of a date."""
    return (session - _EPOCH).days


def fault_of_dates(index: "pd.Index") -> str:
    """What is wrong with the dates that all tickers share; empty if nothing is."""
    if getattr(index.dtype, "kind", "") != "M" or getattr(index, "tz", None) is not None:
        return "the index must hold tz-naive session dates"
    stamps = index.to_numpy()
    if (stamps.astype("datetime64[D]") != stamps).any():
        return "the index must hold dates without a time of day"
    if (stamps[1:] > stamps[:-1]).all():
        return ""
    if index.has_duplicates:
        return f"session {index[index.duplicated()][0]:%Y-%m-%d} occurs more than once"
    return "sessions are not in ascending order"


def read_columns(content: bytes, tickers: Sequence[str]) -> Closes:
    """The closes of `tickers` in a snapshot's file, bit by bit as `openbell.snapshot.read_closes` reads them.

    ValueError if the file has no such ticker.
    """
    rows = csv.reader(io.StringIO(gzip.decompress(content).decode()))
    places = {name: place for place, name in enumerate(next(rows))}
    if unknown := [ticker for ticker in tickers if ticker not in places]:
        raise ValueError(f"the snapshot has no closes of {', '.join(unknown)}")
    columns = [places[ticker] for ticker in tickers]
    days, prices = [], []
    for row in rows:
        days.append(day_of(date.fromisoformat(row[0])))
        prices.append([float(row[column] or "nan") for column in columns])
    table = np.array(prices, dtype=np.float64).reshape(len(days), len(columns))
    return Closes(np.array(days, dtype=np.int64), tuple(tickers), table)
