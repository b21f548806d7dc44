"""Prices from Yahoo Finance."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import yfinance
from yfinance.data import YfData

from openbell.errors import DataUnavailable

_THREADS = 8
_SECONDS = 10
_LEAST_ANSWERED = 0.5  # with fewer of the tickers answered, it is Yahoo that fails and not the tickers
_PLACES = 4  # the finest price increment of US equities


class YahooData:
    """`openbell.ports.MarketData` over yfinance, which keeps its files in `cache_folder`."""

    name = "Yahoo Finance"

    def __init__(self, cache_folder: Path) -> None:
        cache_folder.mkdir(parents=True, exist_ok=True)
        yfinance.set_tz_cache_location(str(cache_folder))

    def daily_closes(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """See MarketData."""
        closes = _download(symbols, start=start, end=end + timedelta(days=1), auto_adjust=True)
        return closes.loc[pd.Timestamp(start) : pd.Timestamp(end)]

    def latest_prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        """See MarketData. During a session the day's bar has the last trade as its close."""
        closes = _download(symbols, period="5d", auto_adjust=False)
        last = {str(symbol): closes[symbol].dropna() for symbol in closes.columns}
        return {
            symbol: Decimal(repr(round(float(column.iloc[-1]), _PLACES)))
            for symbol, column in last.items()
            if len(column)
        }


def _download(symbols: Sequence[str], **options: Any) -> pd.DataFrame:
    """Closes by symbol; DataUnavailable when Yahoo itself fails: yfinance logs failures and gives nothing."""
    if not symbols:
        return pd.DataFrame(index=pd.DatetimeIndex([]))
    # Error answers are cached for the life of a process, which in a warm Lambda is hours.
    YfData.cache_get.cache_clear()
    try:
        frame = yfinance.download(
            [to_yahoo(symbol) for symbol in symbols],
            interval="1d",
            threads=_THREADS,
            progress=False,
            timeout=_SECONDS,
            **options,
        )
    except Exception as error:  # yfinance promises no set of exceptions
        raise DataUnavailable(f"Yahoo Finance failed: {type(error).__name__}: {error}") from error
    closes = frame["Close"] if frame is not None and len(frame) else pd.DataFrame()
    answered = closes.dropna(axis="columns", how="all").rename(columns=from_yahoo)
    if answered.shape[1] < _LEAST_ANSWERED * len(symbols):
        raise DataUnavailable(
            f"Yahoo Finance gave prices for {answered.shape[1]} of {len(symbols)} tickers: it refuses or is down"
        )
    answered.index = pd.DatetimeIndex(answered.index).as_unit("ns").tz_localize(None)
    return answered.sort_index()


def to_yahoo(symbol: str) -> str:
    """Yahoo's spelling of a symbol: BRK.B is BRK-B there."""
    return symbol.replace(".", "-")


def from_yahoo(symbol: str) -> str:
    """The broker's spelling of Yahoo's symbol."""
    return symbol.replace("-", ".")
