"""Alpaca's market data: bars of complete sessions in pages, latest trades and snapshots.

A bar whose open, high or low the source does not have is served with the close in their place, and an unknown volume
as 0: Alpaca's shape has no way to leave them out.
"""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import numpy as np

from paper.errors import bad_request
from paper.history import Floats, History, Rows
from paper.market import Market
from paper.requests_in import read_bound
from paper.sessions import NEW_YORK
from paper.text import instant

type Json = dict[str, Any]

_MOST = 10_000
_USUAL = 1_000
_ADJUSTMENTS = frozenset({"raw", "split", "dividend", "spin-off", "all"})
_DAILY = frozenset({"1Day", "1D", "Day", "D"})


@dataclass(frozen=True)
class BarsQuery:
    """What is asked for; instants include both ends, and `limit` counts the bars of all symbols together."""

    start: datetime
    end: datetime
    limit: int
    adjusted: bool
    descending: bool
    position: tuple[str, int]  # the symbol to go on with, and how many of its bars have been served


def read_bars_query(query: Mapping[str, str], now: datetime) -> BarsQuery:
    """The query of a bars endpoint; Refused (400) if it asks for what there is not."""
    if (timeframe := query.get("timeframe", "")) not in _DAILY:
        raise bad_request(f"invalid timeframe {timeframe!r}: only daily bars (1Day) are in this history")
    wanted = set(query.get("adjustment", "raw").split(","))
    if not wanted <= _ADJUSTMENTS:
        raise bad_request(f"invalid adjustment: {query['adjustment']}")
    today = datetime.combine(now.date(), time.min, NEW_YORK)
    return BarsQuery(
        start=read_bound(query, "start", at_end=False) or today,
        end=read_bound(query, "end", at_end=True) or now,
        limit=_limit(query),
        adjusted=bool(wanted & {"split", "all"}),
        descending=query.get("sort", "asc") == "desc",
        position=_read_token(query.get("page_token", "")),
    )


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit") or str(_USUAL)
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _MOST:
        raise bad_request(f"limit must be a whole number from 1 to {_MOST}, got {text}")
    return int(text)


def _token(symbol: str, served: int) -> str:
    return base64.urlsafe_b64encode(f"{symbol}|{served}".encode()).decode()


def _read_token(token: str) -> tuple[str, int]:
    if not token:
        return "", 0
    try:
        symbol, served = base64.urlsafe_b64decode(token).decode().rsplit("|", 1)
        return symbol, int(served)
    except (binascii.Error, ValueError) as error:
        raise bad_request("page_token is invalid") from error


class BarServer:
    """Bars as JSON, none before its session has ended."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._history: History = market.history
        midnights = [datetime.combine(day, time.min, NEW_YORK) for day in self._history.sessions]
        self._stamps = np.array([at.timestamp() for at in midnights])
        self._texts = [instant(at) for at in midnights]

    def page(self, symbols: Sequence[str], query: BarsQuery, now: datetime) -> tuple[dict[str, list[Json]], str | None]:
        """Bars by symbol, and the token of the next page if there is one."""
        found: dict[str, list[Json]] = {}
        left = query.limit
        for symbol in sorted(symbol for symbol in symbols if symbol >= query.position[0]):
            rows = self._rows(symbol, query, now)
            served = query.position[1] if symbol == query.position[0] else 0
            chosen = rows[served : served + left]
            if len(chosen):
                found[symbol] = list(self._bars(symbol, chosen, query.adjusted, now))
            left -= len(chosen)
            if served + len(chosen) < len(rows):
                return found, _token(symbol, served + len(chosen))
        return found, None

    def latest(self, symbol: str, now: datetime) -> list[Json]:
        """The last two complete bars, oldest first; fewer if there are none."""
        return list(self._bars(symbol, self._complete(symbol, now)[-2:], adjusted=False, now=now))

    def _complete(self, symbol: str, now: datetime) -> Rows:
        last = self._market.last_complete(now)
        rows = self._history.known_rows(symbol)
        return rows[: np.searchsorted(rows, bisect_right(self._history.sessions, last))] if last else rows[:0]

    def _rows(self, symbol: str, query: BarsQuery, now: datetime) -> Rows:
        rows = self._complete(symbol, now)
        stamps = self._stamps[rows]
        first = np.searchsorted(stamps, query.start.timestamp(), side="left")
        beyond = np.searchsorted(stamps, query.end.timestamp(), side="right")
        chosen = rows[first:beyond]
        return chosen[::-1] if query.descending else chosen

    def _bars(self, symbol: str, rows: Rows, adjusted: bool, now: datetime) -> Iterator[Json]:
        column, bars = self._history.columns.get(symbol, -1), self._history.bars
        closes = bars.close[rows, column]
        opens, highs, lows = (_or_closes(array, rows, column, closes) for array in (bars.open, bars.high, bars.low))
        volumes = np.nan_to_num(bars.volume[rows, column]) if bars.volume is not None else np.zeros(len(rows))
        factors = self._history.split_factors(symbol, rows, self._market.splits_until(now)) if adjusted else 1.0
        prices = ((array / factors).tolist() for array in (opens, highs, lows, closes))
        volumes = np.rint(volumes * factors).astype(np.int64).tolist()
        for row, o, h, l, c, v in zip(rows.tolist(), *prices, volumes, strict=True):  # noqa: E741 - Alpaca's letters
            yield {"t": self._texts[row], "o": o, "h": h, "l": l, "c": c, "v": v, "n": 0, "vw": c}


def _or_closes(array: Floats | None, rows: Rows, column: int, closes: Floats) -> Floats:
    if array is None:
        return closes
    values = array[rows, column]
    return np.where(np.isnan(values), closes, values)


def trade_view(market: Market, symbol: str, now: datetime) -> Json | None:
    """The last printed price as a trade; None before the first."""
    latest = market.latest(symbol, now)
    if latest is None:
        return None
    at = latest.at.astimezone(UTC)
    return {"t": instant(at), "x": "N", "p": float(latest.price), "s": 100, "c": ["@"], "i": 1, "z": "A"}
