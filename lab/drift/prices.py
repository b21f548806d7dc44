"""What the bars at hand tell of prices around a run."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from openbell.model import NEW_YORK, Side
from paper import History
from paper.market import Market
from paper.matching import with_slippage


class Prices:
    """Prices (USD) of a history at moments of runs, and what the fill model makes of them."""

    def __init__(self, history: History, slippage_bps: Decimal, until: date) -> None:
        self._history = history
        self._market = Market(history)
        self._slippage_bps = slippage_bps
        self._until = until

    def met(self, symbol: str, at: datetime) -> Decimal | None:
        """The price that a market order sent at `at` meets: the next one that is printed; None if the day has none."""
        at = at.astimezone(NEW_YORK)
        session = self._market.calendar.of(at.date())
        if session is None:
            return None
        if self._market.in_closing_window(at):
            return self._history.prices(symbol, session.day).close
        printed = self._market.next_print(symbol, at, only=session.day)
        found = self._market.latest(symbol, printed) if printed else None
        return found.price if found else None

    def filled(self, side: Side, met: Decimal) -> Decimal:
        """What a market order that meets a price is filled at."""
        return with_slippage(met, side.sign, self._slippage_bps)

    def mark(self, symbol: str, since: date, at: datetime | None) -> Decimal | None:
        """What a share of the day `since` is worth when the next order at `at` meets the market; None: at the end.

        The end is the last close. None for a symbol without prices.
        """
        day = at.astimezone(NEW_YORK).date() if at else None
        met = self.met(symbol, at) if at else None
        if day and met is not None:
            return met * self._history.split_factor(symbol, since, day)
        beyond = min(day or date.max, self._until + timedelta(days=1))
        last = self._history.last_close(symbol, beyond)
        return last[1] * self._history.split_factor(symbol, since, last[0]) if last else None
