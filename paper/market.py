"""What the market has shown by a given moment, and nothing later. The model of prints is told in `paper.matching`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import takewhile

from paper.history import DayPrices, History
from paper.sessions import Session

_MINUTE = timedelta(minutes=1)
_SEARCHED_SESSIONS = 10  # how far ahead a symbol's next price is looked for


@dataclass(frozen=True, slots=True)
class LatestTrade:
    """The last price that was printed (USD), and when."""

    price: Decimal
    at: datetime


class Market:
    """Prices of a history as of any instant. Instants are zone-aware."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.calendar = history.calendar
        for split in history.splits:
            if self.calendar.of(split.ex_date) is None:
                raise ValueError(f"split of {split.symbol}: the exchange was closed on its ex-date {split.ex_date}")

    def latest(self, symbol: str, at: datetime) -> LatestTrade | None:
        """The symbol's last print at or before `at`, in today's shares; None before its first one."""
        session = self.calendar.of(at.date())
        prices = self.history.prices(symbol, at.date())
        if session and at >= session.closing and prices.close is not None:
            return LatestTrade(prices.close, min(at, session.close))
        if session and at >= session.open and prices.open is not None:
            return LatestTrade(prices.open, session.open)
        earlier = self._earlier(symbol, at)
        if session and at >= session.open and prices.close is not None and earlier:
            return LatestTrade(earlier.price, session.open)  # a bar without an open: it opens where it closed
        return earlier

    def _earlier(self, symbol: str, at: datetime) -> LatestTrade | None:
        """The last close of a day before that of `at`, divided by the splits since."""
        known = self.history.last_close(symbol, at.date())
        if known is None:
            return None
        day, close = known
        session = self.calendar.of(day)
        if session is None:
            raise ValueError(f"{symbol} has a bar on {day}, which is not a session")
        factor = self.history.split_factor(symbol, day, self.splits_until(at))
        return LatestTrade((close / factor).quantize(Decimal("0.0001")), session.close)

    def splits_until(self, at: datetime) -> date:
        """The last date whose splits have happened: they do at the opening bell of their ex-date."""
        session = self.calendar.of(at.date())
        return at.date() - timedelta(days=1) if session and at < session.open else at.date()

    def in_closing_window(self, at: datetime) -> Session | None:
        """The session whose close is being traded at `at`."""
        session = self.calendar.of(at.date())
        return session if session and session.closing <= at < session.close else None

    def next_print(self, symbol: str, after: datetime, only: date | None = None) -> datetime | None:
        """The next instant at which the symbol prints a price, in the session `only` or the next ten; None if none."""
        first = self.calendar.current_or_next(after)
        days = self.calendar.between(first.day, first.day + timedelta(days=2 * _SEARCHED_SESSIONS))
        for session in (s for s in days if only is None or s.day == only):
            prices = self.history.prices(symbol, session.day)
            for at in prints_of(session, prices):
                if at > after:
                    return at
        return None

    def last_complete(self, at: datetime) -> date | None:
        """The last session whose bar is complete."""
        return self.calendar.last_complete(at)


def prints_of(session: Session, prices: DayPrices) -> Iterator[datetime]:
    """The instants at which a bar's prices are printed: the opening bell, and every minute of the closing window."""
    if prices.open is not None:
        yield session.open
    if prices.close is not None:
        yield from closing_prints(session)


def closing_prints(session: Session) -> Sequence[datetime]:
    """The minutes of the closing window."""
    minutes = (session.closing + count * _MINUTE for count in range(60))
    return list(takewhile(lambda at: at < session.close, minutes))
