"""Prices from Alpaca."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import batched
from typing import Any, Literal

import numpy as np
import pandas as pd
from alpaca_trade_api.rest import TimeFrame

from openbell.adapters.alpaca.client import FAILURES, AlpacaClient, explain_read
from openbell.errors import BrokerUnavailable, DataUnavailable, OpenbellError
from openbell.snapshot import LastPrice

_SYMBOLS = 200  # in one request: their names stay within a URL of usual length
_PAST = "sip"  # trades of all exchanges: free plans may see it too, but for the last 15 minutes
_NO_LIMIT = 10**9  # makes the library ask for the largest pages, 10,000 bars


class AlpacaData:
    """`openbell.ports.MarketData` over Alpaca's market data API.

    Closes are those of all exchanges. Last prices are of `feed`: iex, one exchange, which every plan may see; or sip,
    all of them, which a plan that is paid for may see.
    """

    name = "Alpaca"

    def __init__(self, data_url: str, key_id: str, secret_key: str, feed: Literal["iex", "sip"] = "iex") -> None:
        self._client = AlpacaClient(data_url, data_url, key_id, secret_key)
        self._feed = feed

    def daily_closes(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """See MarketData."""
        closes: dict[str, dict[date, float]] = {}
        for group in batched(symbols, _SYMBOLS, strict=False):
            for bar in self._bars(group, start, end):
                closes.setdefault(bar["S"], {})[_session(bar["t"])] = float(bar["c"])
        sessions = sorted({session for column in closes.values() for session in column})
        values = np.array([[closes[s].get(day, np.nan) for s in sorted(closes)] for day in sessions], dtype=float)
        shape = (len(sessions), len(closes))
        return pd.DataFrame(values.reshape(shape), index=pd.DatetimeIndex(sessions), columns=sorted(closes))

    def latest_prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        """See MarketData."""
        return {symbol: last.price for symbol, last in self.last_trades(symbols).items()}

    def last_trades(self, symbols: Sequence[str]) -> dict[str, LastPrice]:
        """See TimedSource."""
        prices: dict[str, LastPrice] = {}
        for group in batched(symbols, _SYMBOLS, strict=False):
            try:
                trades = self._client.get_latest_trades(list(group), feed=self._feed)
            except FAILURES as error:
                raise _explain(error, "latest trades") from error
            prices |= {symbol: _last_price(trade) for symbol, trade in trades.items()}
        return prices

    def _bars(self, symbols: Sequence[str], start: date, end: date) -> list[dict[str, Any]]:
        try:
            return list(
                self._client.get_bars_iter(
                    list(symbols),
                    TimeFrame.Day,
                    start.isoformat(),
                    end.isoformat(),
                    adjustment="all",
                    limit=_NO_LIMIT,
                    feed=_PAST,
                    raw=True,
                )
            )
        except FAILURES as error:
            raise _explain(error, "daily bars") from error


def _last_price(trade: Mapping[str, Any]) -> LastPrice:
    return LastPrice(Decimal(str(trade["p"])), datetime.fromisoformat(trade["t"]) if trade.get("t") else None)


@cache
def _session(stamp: str) -> date:
    """The session of a daily bar: it is stamped with midnight in New York, which is the same date in UTC."""
    return date.fromisoformat(stamp[:10])


def _explain(error: Exception, what: str) -> OpenbellError:
    explained = explain_read(error, what)
    return DataUnavailable(str(explained)) if isinstance(explained, BrokerUnavailable) else explained
