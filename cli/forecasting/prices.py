"""The closes that are forecast: of the sample, of a file, or of Yahoo Finance."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from cli.formats import count
from cli.market import open_market
from openbell.errors import InvalidInput
from openbell.model import NEW_YORK
from paper.sessions import Calendar, nyse

_SHOWN = 8  # known tickers in a message about an unknown one
_DAYS_PER_BAR = 365 / 252
_SPARE_DAYS = 15  # for holidays in a row


@dataclass(frozen=True)
class Prices:
    """Closes adjusted for splits and dividends, USD `(n_sessions, n_tickers)`, and where they are from in words."""

    closes: pd.DataFrame
    calendar: Calendar
    source: str

    def of(self, tickers: Sequence[str]) -> pd.DataFrame:
        """The closes of `tickers`, all if none are named; InvalidInput for one that there is not."""
        known = [str(ticker) for ticker in self.closes.columns]
        for ticker in tickers:
            if ticker not in known:
                shown = list(dict.fromkeys([*get_close_matches(ticker, known), *sorted(known)]))[:_SHOWN]
                raise InvalidInput(
                    f"unknown ticker {ticker}; {self.source} has {count(len(known), 'ticker')}, such as "
                    f"{', '.join(shown)}"
                )
        return self.closes[list(tickers or known)]

    def row_of(self, as_of: date | None) -> int:
        """The row of the last session up to `as_of`, None meaning the newest; InvalidInput outside the data."""
        stamps = pd.DatetimeIndex(self.closes.index)
        first, last = stamps[0].date(), stamps[-1].date()
        if as_of is None:
            return len(stamps) - 1
        if not first <= as_of <= last:
            raise InvalidInput(f"--as-of {as_of} lies outside the data; expected a date from {first} to {last}")
        return int(stamps.searchsorted(pd.Timestamp(as_of), side="right")) - 1

    def sessions_after(self, day: date, number: int) -> list[date]:
        """The exchange's next sessions, whether the data has them or not."""
        session = self.calendar.of(day)
        if session is None:
            raise InvalidInput(f"the New York Stock Exchange was closed on {day}, for which {self.source} has closes")
        return [self.calendar.after(session, ahead).day for ahead in range(1, number + 1)]


def read_prices(bars: Path | None) -> Prices:
    """The closes in a file, or the sample that is shipped; InvalidInput says what is wrong with the file."""
    market = open_market(bars)
    history = market.history
    index = pd.DatetimeIndex([pd.Timestamp(day) for day in history.sessions])
    closes = pd.DataFrame(history.bars.close, index, pd.Index(history.symbols))
    return Prices(closes, history.calendar, str(bars) if bars else "the sample")


def fetch_prices(tickers: Sequence[str], as_of: date | None, bars: int, horizon: int) -> Prices:
    """`bars` closes up to `as_of` from Yahoo Finance, and those after it that have come already.

    Raises InvalidInput for tickers that Yahoo does not know, DataUnavailable if it does not answer.
    """
    from openbell.adapters.yahoo.data import YahooData  # noqa: PLC0415 most forecasts need no network

    now = datetime.now(NEW_YORK)
    complete = nyse(now.date() - timedelta(days=_SPARE_DAYS), now.date()).last_complete(now)
    newest = complete or now.date()
    last = as_of or newest
    if last > newest:
        raise InvalidInput(f"--as-of {last} lies after the last complete session, {newest}")
    start = last - timedelta(days=int(bars * _DAYS_PER_BAR) + _SPARE_DAYS)
    end = min(newest, last + timedelta(days=int(horizon * _DAYS_PER_BAR) + _SPARE_DAYS))
    source = YahooData(Path(tempfile.gettempdir()) / "openbell-yfinance")
    found = source.fetch(tickers, start, end)
    if found.missing:
        why = "; ".join(f"{ticker}: {reason}" for ticker, reason in found.missing.items())
        raise InvalidInput(f"{source.name} has no prices of {why}")
    return Prices(found.closes[list(tickers)], nyse(start, end), source.name)
