"""Price sources that are lists in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pandas as pd

from openbell.errors import OpenbellError


@dataclass
class ListedData:
    """`openbell.ports.MarketData` that has what it is given, or fails."""

    name: str
    closes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(index=pd.DatetimeIndex([])))
    prices: dict[str, Decimal] = field(default_factory=dict)
    failure: OpenbellError | None = None
    asked: list[list[str]] = field(default_factory=list)

    def daily_closes(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """The days and symbols that it has."""
        self._note(symbols)
        known = [symbol for symbol in symbols if symbol in self.closes.columns]
        return self.closes.loc[pd.Timestamp(start) : pd.Timestamp(end), known].dropna(axis="columns", how="all")

    def latest_prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        """The prices that it has."""
        self._note(symbols)
        return {symbol: self.prices[symbol] for symbol in symbols if symbol in self.prices}

    def _note(self, symbols: Sequence[str]) -> None:
        self.asked.append(list(symbols))
        if self.failure:
            raise self.failure
