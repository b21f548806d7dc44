"""Prices from one source, from a second one for what the first lacks, and from the last run where neither has them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import pandas as pd

from openbell.errors import OpenbellError, RetryableError
from openbell.exchange_calendar import is_session
from openbell.model import NEW_YORK
from openbell.ports import Archive, MarketData
from openbell.runs import LATEST_CLOSES
from openbell.snapshot import Fetched, LastPrice, fetch_closes, last_trades, read_closes, stale

LAST_RUN = "closes of the last run"
_MOST_MISSING = 0.5  # if the primary fails and more is lacking after all, a later try is worth more than this one


class FallbackData:
    """`openbell.ports.MarketData` over two sources and the archive; only `primary` must be given.

    A column is never mixed of two sources, because each adjusts in its own way. RateLimited or DataUnavailable of
    `primary` are raised only if the others cannot stand in for it.
    """

    def __init__(
        self, primary: MarketData, secondary: MarketData | None = None, last_good: Archive | None = None
    ) -> None:
        self._primary = primary
        self._secondary = secondary
        self._last_good = last_good
        self.name = f"{primary.name}, else {secondary.name}" if secondary else primary.name

    def daily_closes(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """See MarketData."""
        return self.fetch(symbols, start, end).closes

    def fetch(self, symbols: Sequence[str], start: date, end: date) -> Fetched:
        """See TellingSource. What has no bar of the last session up to `end` is asked for elsewhere."""
        failure = None
        try:
            found = fetch_closes(self._primary, symbols, start, end)
        except RetryableError as error:
            failure, found = error, _nothing(symbols, error)
        if self._secondary:
            lacking = _lacking(found, symbols, _last_session(end))
            found = _completed(found, _tried(self._secondary, lacking, start, end))
        if self._last_good:
            newest = found.closes.index.max() if len(found.closes) else _last_session(end)
            lacking = _lacking(found, symbols, newest)
            found = _completed(found, _of_last_run(self._last_good, lacking, start, newest))
        if failure and len(found.missing) > _MOST_MISSING * len(symbols):
            raise type(failure)(next(iter(found.missing.values()))) from failure
        return Fetched(found.closes[[s for s in symbols if s in found.sources]], found.sources, found.missing)

    def latest_prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        """See MarketData."""
        return {symbol: last.price for symbol, last in self.last_trades(symbols).items()}

    def last_trades(self, symbols: Sequence[str]) -> dict[str, LastPrice]:
        """See TimedSource. An earlier run's price is none of now: nothing stands in for both sources."""
        if not self._secondary:
            return last_trades(self._primary, symbols)
        failure, prices = None, {}
        try:
            prices = last_trades(self._primary, symbols)
        except RetryableError as error:
            failure = error
        lacking = _without_price_of_today(prices, symbols)
        try:
            return prices | _newer(last_trades(self._secondary, lacking) if lacking else {}, prices)
        except OpenbellError as error:
            if failure:
                raise type(failure)(f"{failure}; {error}") from error
            return prices  # a symbol without a price is not traded, and the report says so


def _newer(found: Mapping[str, LastPrice], known: Mapping[str, LastPrice]) -> dict[str, LastPrice]:
    """What is found of symbols that are not known, or known by an older trade."""
    never = datetime.min.replace(tzinfo=NEW_YORK)
    return {s: last for s, last in found.items() if s not in known or (last.at or never) > (known[s].at or never)}


def _without_price_of_today(prices: Mapping[str, LastPrice], symbols: Sequence[str]) -> list[str]:
    """The symbols without a price, or with one of an earlier day than others have."""
    newest = max((last.at.astimezone(NEW_YORK).date() for last in prices.values() if last.at), default=date.min)
    old = stale(prices, newest)
    return [symbol for symbol in symbols if symbol not in prices or symbol in old]


def _tried(data: MarketData, symbols: Sequence[str], start: date, end: date) -> Fetched:
    """What the second source has; whatever its trouble is, it is not the run's."""
    if not symbols:
        return _nothing((), "")
    try:
        return fetch_closes(data, symbols, start, end)
    except OpenbellError as error:
        return _nothing(symbols, error)


def _of_last_run(archive: Archive, symbols: Sequence[str], start: date, newest: pd.Timestamp) -> Fetched:
    """The columns of the last run that have a bar of the session `newest`: older ones are of no use."""
    if not symbols:
        return _nothing((), "")
    try:
        stored = read_closes(archive.get(LATEST_CLOSES)).loc[pd.Timestamp(start) :]
    except KeyError:
        return _nothing(symbols, "no run before this one has stored closes")
    except OpenbellError as error:
        return _nothing(symbols, error)
    fresh = [symbol for symbol in symbols if symbol in stored.columns and _last_bar(stored, symbol) >= newest]
    why = f"the {LAST_RUN} have no bar of {newest:%Y-%m-%d}"
    return Fetched(stored[fresh], dict.fromkeys(fresh, LAST_RUN), {s: why for s in symbols if s not in fresh})


def _nothing(symbols: Sequence[str], why: object) -> Fetched:
    return Fetched(pd.DataFrame(index=pd.DatetimeIndex([])), {}, dict.fromkeys(symbols, str(why)))


def _lacking(found: Fetched, symbols: Sequence[str], newest: pd.Timestamp) -> list[str]:
    """The symbols without a bar of the session `newest`."""
    return [s for s in symbols if s not in found.sources or _last_bar(found.closes, s) < newest]


def _completed(found: Fetched, other: Fetched) -> Fetched:
    """`found` with those columns of `other` that are newer, or the only ones."""
    better = [
        symbol
        for symbol in other.sources
        if symbol not in found.sources or _last_bar(other.closes, symbol) > _last_bar(found.closes, symbol)
    ]
    kept = found.closes.drop(columns=better, errors="ignore")
    return Fetched(
        closes=pd.concat([kept, other.closes[better]], axis="columns", sort=True),
        sources={**found.sources, **{symbol: other.sources[symbol] for symbol in better}},
        missing={
            symbol: f"{why}; {other.missing[symbol]}" if symbol in other.missing else why
            for symbol, why in found.missing.items()
            if symbol not in better
        },
    )


def _last_bar(closes: pd.DataFrame, symbol: str) -> pd.Timestamp:
    return pd.DatetimeIndex(closes.index[closes[symbol].notna()])[-1]


def _last_session(day: date) -> pd.Timestamp:
    while not is_session(day):
        day -= timedelta(days=1)
    return pd.Timestamp(day)
