"""The prices of a run: fetched once, checked, and the same for every later state."""

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import exp
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from openbell.model import NEW_YORK
from openbell.ports import MarketData


@dataclass(frozen=True)
class Snapshot:
    """Closes and last prices as of one moment.

    `closes`: `(n_sessions, n_symbols)` adjusted closes in USD, tz-naive session dates ascending, complete sessions
    only. `prices`: raw last prices in USD. `tradable`: symbols that the broker trades now. `left_out`: candidates
    without usable prices, each with its reason. `sources`: who gave a symbol's closes. `doubtful`: holdings whose price
    is good enough to sell at the market, and not to buy, with the reason.
    """

    as_of: datetime
    source: str
    closes: pd.DataFrame
    prices: Mapping[str, Decimal]
    tradable: frozenset[str]
    left_out: Mapping[str, str]
    sources: Mapping[str, str] = field(default_factory=dict)
    doubtful: Mapping[str, str] = field(default_factory=dict)

    def last_closes(self) -> dict[str, Decimal]:
        """The last close of each symbol (USD, to a hundredth of a cent)."""
        last = self.closes.ffill().iloc[-1].dropna() if len(self.closes) else pd.Series(dtype=float)
        return {str(symbol): Decimal(f"{value:.4f}") for symbol, value in last.items()}

    def bar_ages(self) -> dict[str, int]:
        """Sessions between each symbol's last bar and the snapshot's last session."""
        last = len(self.closes) - 1
        ages = {}
        for symbol in self.closes.columns:
            present = np.flatnonzero(self.closes[symbol].notna().to_numpy())
            if len(present):
                ages[str(symbol)] = int(last - present[-1])
        return ages

    def to_bytes(self) -> tuple[bytes, bytes]:
        """The closes as gzipped CSV that reads back bit by bit, and the rest as JSON."""
        meta = {
            "as_of": self.as_of.isoformat(),
            "source": self.source,
            "prices": {symbol: str(price) for symbol, price in sorted(self.prices.items())},
            "tradable": sorted(self.tradable),
            "left_out": dict(sorted(self.left_out.items())),
            "sources": dict(sorted(self.sources.items())),
            "doubtful": dict(sorted(self.doubtful.items())),
        }
        return write_closes(self.closes), json.dumps(meta).encode()

    @classmethod
    def from_bytes(cls, closes: bytes, meta: bytes) -> "Snapshot":
        """What `to_bytes` gave."""
        frame = read_closes(closes)
        facts = json.loads(meta)
        return cls(
            as_of=datetime.fromisoformat(facts["as_of"]),
            source=facts["source"],
            closes=frame,
            prices={symbol: Decimal(price) for symbol, price in facts["prices"].items()},
            tradable=frozenset(facts["tradable"]),
            left_out=facts["left_out"],
            sources=facts.get("sources", {}),
            doubtful=facts.get("doubtful", {}),
        )


def write_closes(closes: pd.DataFrame) -> bytes:
    """`closes` as gzipped CSV that reads back bit by bit."""
    return gzip.compress(closes.to_csv(index_label="session", date_format="%Y-%m-%d").encode(), mtime=0)


def read_closes(content: bytes, symbols: Sequence[str] | None = None) -> pd.DataFrame:
    """The closes in a snapshot's CSV, of `symbols` only if given: a Forecast reads just its columns."""
    columns = None if symbols is None else ["session", *symbols]
    return pd.read_csv(
        io.BytesIO(gzip.decompress(content)),
        index_col="session",
        parse_dates=["session"],
        usecols=columns,
    )


@dataclass(frozen=True)
class Fetched:
    """What a price source gave: `closes` as MarketData.daily_closes gives them, and the story of every symbol.

    `sources`: who gave a symbol's column. `missing`: why a symbol has none.
    """

    closes: pd.DataFrame
    sources: Mapping[str, str]
    missing: Mapping[str, str]


@runtime_checkable
class TellingSource(Protocol):
    """A MarketData that can tell the story of every symbol."""

    def fetch(self, symbols: Sequence[str], start: date, end: date) -> Fetched:
        """As MarketData.daily_closes; every one of `symbols` is in `sources` or in `missing`."""
        ...


def fetch_closes(data: MarketData, symbols: Sequence[str], start: date, end: date) -> Fetched:
    """The daily closes, with as much of their story as `data` can tell. Errors as MarketData.daily_closes."""
    if isinstance(data, TellingSource):
        return data.fetch(symbols, start, end)
    closes = data.daily_closes(symbols, start, end)
    missing = {symbol: f"{data.name} has no prices" for symbol in symbols if symbol not in closes.columns}
    return Fetched(closes, {str(symbol): data.name for symbol in closes.columns}, missing)


# The quality gate.


@dataclass(frozen=True)
class LastPrice:
    """A raw last price (USD), and when it was traded, if the source tells: zone-aware; a date alone is its midnight."""

    price: Decimal
    at: datetime | None = None


@runtime_checkable
class TimedSource(Protocol):
    """A MarketData that tells of when its last prices are."""

    def last_trades(self, symbols: Sequence[str]) -> dict[str, LastPrice]:
        """As MarketData.latest_prices, with times."""
        ...


def last_trades(data: MarketData, symbols: Sequence[str]) -> dict[str, LastPrice]:
    """The last prices, with their times as far as `data` tells them. Errors as MarketData.latest_prices."""
    if isinstance(data, TimedSource):
        return data.last_trades(symbols)
    return {symbol: LastPrice(price) for symbol, price in data.latest_prices(symbols).items()}


def stale(trades: Mapping[str, LastPrice], session: date) -> dict[str, str]:
    """Why a last price is none of `session`, for each that is not: yesterday's close is no price of today."""
    return {
        symbol: f"its last price is of {last.at.astimezone(NEW_YORK):%Y-%m-%d}, not of this session"
        for symbol, last in trades.items()
        if last.at and last.at.astimezone(NEW_YORK).date() != session
    }


def believable(prices: Mapping[str, Decimal]) -> tuple[dict[str, Decimal], dict[str, str]]:
    """The last prices (USD) that are finite and above 0, and the reason for each symbol whose price is not."""
    good = {symbol: price for symbol, price in prices.items() if price.is_finite() and price > 0}
    bad = {s: f"last price {price}; prices must be above 0 and finite" for s, price in prices.items() if s not in good}
    return good, bad


@dataclass(frozen=True)
class Quality:
    """What closes must meet to be traded on."""

    fewest_bars: int = 30
    most_gaps: float = 0.05  # of the sessions since the symbol's first bar
    # |log return| from bar to bar: 0.6 is a fall by 45 % or a rise by 82 %. A split of 2 for 1 that nobody adjusted
    # for is 0.69; of 20 large stocks in 33 years, two ever moved as far in a day.
    max_jump: float = 0.6
    max_age_sessions: int = 0  # of the last bar, against the newest of all symbols


_MOST_CLOSED_WEEKDAYS = 4  # in a row, in September 2001: a source whose newest bar is older has fallen behind


def usable(
    closes: pd.DataFrame,
    symbols: Sequence[str],
    end: date,
    quality: Quality | None = None,
    missing: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The columns of `closes` that can be traded on, and the reason for every symbol of `symbols` that cannot.

    Sessions are the dates on which any column has a bar; `end` is the last day that was asked for. A few gaps inside
    the history stay as NaN. `missing` are the reasons that are known for symbols without a column.
    """
    late = _behind(closes, end)
    left_out = {}
    good = []
    for symbol in symbols:
        if symbol in closes.columns:
            reason = late or _fault(closes[symbol], end, quality or Quality())
        else:
            reason = (missing or {}).get(symbol, "no prices at all")
        if reason:
            left_out[symbol] = reason
        else:
            good.append(symbol)
    return _one_row_a_session(closes[good]), left_out


def _one_row_a_session[T: (pd.DataFrame, "pd.Series[float]")](closes: T) -> T:
    """Ascending, where the rows of other symbols were in disorder."""
    in_order = closes.index.is_monotonic_increasing and closes.index.is_unique
    return closes if in_order else closes.groupby(level=0).first()


def _behind(closes: pd.DataFrame, end: date) -> str:
    if not len(closes):
        return ""
    newest = closes.index.max().date()
    weekdays = int(np.busday_count(newest + timedelta(days=1), end + timedelta(days=1)))
    if weekdays <= _MOST_CLOSED_WEEKDAYS:
        return ""
    return f"the newest bar of any ticker is of {newest}, {weekdays} weekdays before {end}"


def _fault(series: "pd.Series[float]", end: date, quality: Quality) -> str:
    disorder = _disorder(series.dropna())
    if disorder:
        return disorder
    series = _one_row_a_session(series)
    present = series.dropna()
    return (
        _too_few(present, end, quality)
        or _no_price(present)
        or _gaps(series, present, quality)
        or _jump(present, quality)
        or _stale(series, present, quality)
    )


def _disorder(present: "pd.Series[float]") -> str:
    index = present.index
    if not index.is_unique:
        day = index[index.duplicated()][0]
        prices = " and ".join(f"{price:g}" for price in present[index == day])
        return f"several bars of {day:%Y-%m-%d}: {prices}"
    if not index.is_monotonic_increasing:
        late = int(np.flatnonzero(index[1:] < index[:-1])[0]) + 1
        return f"the bar of {index[late]:%Y-%m-%d} ({present.iloc[late]:g}) comes after {index[late - 1]:%Y-%m-%d}"
    return ""


def _too_few(present: "pd.Series[float]", end: date, quality: Quality) -> str:
    if len(present) >= quality.fewest_bars:
        return ""
    return f"only {len(present)} bars up to {end}; at least {quality.fewest_bars} are needed"


def _no_price(present: "pd.Series[float]") -> str:
    bad = present[(present <= 0) | ~np.isfinite(present)]
    return f"price {bad.iloc[-1]:g} on {bad.index[-1]:%Y-%m-%d}; prices must be above 0 and finite" if len(bad) else ""


def _gaps(series: "pd.Series[float]", present: "pd.Series[float]", quality: Quality) -> str:
    since = series.loc[present.index[0] :]
    gaps = since.index[since.isna()]
    if len(gaps) <= quality.most_gaps * len(since):
        return ""
    first = f"{gaps[0]:%Y-%m-%d}"
    return f"{len(gaps)} of {len(since)} bars are missing, first {first}; at most {quality.most_gaps:.0%} may be"


def _jump(present: "pd.Series[float]", quality: Quality) -> str:
    prices = present.to_numpy()
    jumps = np.flatnonzero(np.abs(np.diff(np.log(prices))) > quality.max_jump)
    if not len(jumps):
        return ""
    before, after = int(jumps[-1]), int(jumps[-1]) + 1
    low, high = exp(-quality.max_jump), exp(quality.max_jump)
    return (
        f"a jump from {prices[before]:g} on {present.index[before]:%Y-%m-%d} to {prices[after]:g} on "
        f"{present.index[after]:%Y-%m-%d}, times {prices[after] / prices[before]:.2f}; "
        f"believed without a split is {low:.2f} to {high:.2f} (data.max_jump)"
    )


def _stale(series: "pd.Series[float]", present: "pd.Series[float]", quality: Quality) -> str:
    last, newest = present.index[-1], series.index[-1]
    age = int((series.index > last).sum())
    if age <= quality.max_age_sessions:
        return ""
    return f"no bar for the last session {newest:%Y-%m-%d}; the last one is of {last:%Y-%m-%d} ({present.iloc[-1]:g})"
