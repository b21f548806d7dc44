"""When the New York Stock Exchange is open: sessions with their bells, early closes included."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import exchange_calendars

NEW_YORK = ZoneInfo("America/New_York")
CLOSING_WINDOW = timedelta(minutes=15)
_BEYOND_THE_DATA = timedelta(days=370)  # the clock may move on, and is asked for the next open, after the last bar


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: its date, and the instants of its bells in New York."""

    day: date
    open: datetime
    close: datetime

    @property
    def closing(self) -> datetime:
        """When the closing window begins, in which the session's close is traded."""
        return self.close - CLOSING_WINDOW


class Calendar:
    """Sessions in ascending order, and questions about instants. Every instant must be zone-aware."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.sessions = tuple(sessions)
        self.days = [session.day for session in self.sessions]
        self._by_day = dict(zip(self.days, self.sessions, strict=True))
        self._opens = [session.open for session in self.sessions]
        self._closes = [session.close for session in self.sessions]

    def of(self, day: date) -> Session | None:
        """The session of a date; None on weekends and holidays."""
        return self._by_day.get(day)

    def current_or_next(self, at: datetime) -> Session:
        """The session that is open at `at`, or the next one; at its close a session is over."""
        return self._nth(bisect_right(self._closes, at), at)

    def after(self, session: Session, count: int = 1) -> Session:
        """The session `count` sessions after this one."""
        return self._nth(bisect_left(self.days, session.day) + count, session.close)

    def is_open(self, at: datetime) -> bool:
        """Whether `at` lies in a session: true at the opening bell, false at the closing one."""
        return self.current_or_next(at).open <= at

    def next_open(self, at: datetime) -> datetime:
        """The first opening bell after `at`."""
        return self._nth(bisect_right(self._opens, at), at).open

    def next_close(self, at: datetime) -> datetime:
        """The first closing bell after `at`."""
        return self.current_or_next(at).close

    def last_complete(self, at: datetime) -> date | None:
        """The last date whose session has ended by `at`; None before the first."""
        ended = bisect_right(self._closes, at)
        return self.days[ended - 1] if ended else None

    def touched(self, start: datetime, end: datetime) -> Sequence[Session]:
        """Sessions of which some part lies in `(start, end]`."""
        return self.sessions[bisect_right(self._closes, start) : bisect_right(self._opens, end)]

    def between(self, first: date, last: date) -> Sequence[Session]:
        """Sessions with dates from `first` to `last`, both included."""
        return self.sessions[bisect_left(self.days, first) : bisect_right(self.days, last)]

    def _nth(self, index: int, at: datetime) -> Session:
        if index >= len(self.sessions):
            raise ValueError(f"{at} lies beyond the calendar, which ends on {self.days[-1]}")
        return self.sessions[index]


@lru_cache(maxsize=8)
def nyse(first: date, last: date) -> Calendar:
    """Sessions of the New York Stock Exchange from `first` until a year after `last`."""
    schedule = exchange_calendars.get_calendar(
        "XNYS", start=first.isoformat(), end=(last + _BEYOND_THE_DATA).isoformat()
    ).schedule
    opens = schedule["open"].dt.tz_convert(NEW_YORK).dt.to_pydatetime()
    closes = schedule["close"].dt.tz_convert(NEW_YORK).dt.to_pydatetime()
    return Calendar([Session(day.date(), o, c) for day, o, c in zip(schedule.index, opens, closes, strict=True)])
