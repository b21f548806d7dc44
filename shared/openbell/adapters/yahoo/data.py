"""Prices from Yahoo Finance."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd

from openbell.adapters.yahoo.asking import Question, set_up_yfinance
from openbell.adapters.yahoo.download import Answers, Pace, download
from openbell.model import NEW_YORK
from openbell.snapshot import Fetched, LastPrice

_PLACES = 4  # the finest price increment of US equities


class YahooData:
    """`openbell.ports.MarketData` over yfinance, which keeps its files in `cache_folder`."""

    name = "Yahoo Finance"

    def __init__(self, cache_folder: Path, pace: Pace | None = None) -> None:
        set_up_yfinance(cache_folder)
        self._pace = pace or Pace()

    def fetch(self, symbols: Sequence[str], start: date, end: date) -> Fetched:
        """See MarketData.daily_closes; with the reason for every symbol that has no prices."""
        answers = self._ask(symbols, Question(start=start, end=end + timedelta(days=1)))
        frame = _table({symbol: _by_session(closes) for symbol, closes in answers.given.items()})
        kept = frame.loc[pd.Timestamp(start) : pd.Timestamp(end)].dropna(axis="columns", how="all")
        outside = dict.fromkeys(
            frame.columns.difference(kept.columns), f"Yahoo has prices, but none from {start} to {end}"
        )
        return Fetched(kept, dict.fromkeys(kept.columns, self.name), {**answers.missing, **outside})

    def daily_closes(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """See MarketData."""
        return self.fetch(symbols, start, end).closes

    def latest_prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        """See MarketData."""
        return {symbol: last.price for symbol, last in self.last_trades(symbols).items()}

    def last_trades(self, symbols: Sequence[str]) -> dict[str, LastPrice]:
        """See TimedSource. During a session the day's bar has the last trade as its close."""
        given = self._ask(symbols, Question(period="5d", adjusted=False)).given
        return {
            symbol: LastPrice(Decimal(repr(round(float(closes.iloc[-1]), _PLACES))), closes.index[-1].to_pydatetime())
            for symbol, closes in given.items()
        }

    def intraday_closes(self, symbols: Sequence[str], start: datetime, end: datetime, interval: str) -> pd.DataFrame:
        """Adjusted closes of the complete bars between two zone-aware moments: `(n_bars, n_symbols)` floats in USD.

        `interval` is a bar's length as Yahoo spells it: 1m, 5m, 15m, 30m, 1h. The index holds the bars' starts in New
        York time. Yahoo reaches back 8 days for 1m, 60 days up to 30m, and two years for 1h. Errors as daily_closes.
        """
        given = self._ask(symbols, Question(interval, start, end)).given
        frame = _table({symbol: _once(closes.tz_convert(NEW_YORK)) for symbol, closes in given.items()})
        complete = frame.loc[start : end - pd.Timedelta(interval)]
        return complete.dropna(axis="columns", how="all")

    def _ask(self, symbols: Sequence[str], question: Question) -> Answers:
        return download(symbols, question, self._pace) if symbols else Answers()


def _table(columns: dict[str, "pd.Series[float]"]) -> pd.DataFrame:
    if not columns:
        return pd.DataFrame(index=pd.DatetimeIndex([]))
    return pd.DataFrame(columns).sort_index()


def _by_session(closes: "pd.Series[float]") -> "pd.Series[float]":
    """A daily bar is stamped with midnight in New York; a session is a date without a zone.

    Yahoo may give the last day twice, as its bar and as the live one, which is the newer.
    """
    return _once(closes.set_axis(pd.DatetimeIndex(closes.index).tz_localize(None).normalize().as_unit("ns")))


def _once(closes: "pd.Series[float]") -> "pd.Series[float]":
    """The last of several bars with one stamp: one ticker's double must not spoil the table of all."""
    return closes[~closes.index.duplicated(keep="last")]
