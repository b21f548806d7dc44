"""The New York Stock Exchange's days: a table that ships with the platform, for what the broker's clock cannot tell.

The clock decides whether the market is open now; the table knows which day of the week or month is the first or the
last, and is compared with the clock at each run.
"""

import csv
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
_CLOSE = time(16)
_SATURDAY = 5
_DAY = timedelta(days=1)


@cache
def _exceptions() -> dict[date, time | None]:
    """Weekdays that differ: when the market closes early, None when it does not open at all."""
    text = (files("openbell") / "data" / "nyse.csv").read_text()
    return {
        date.fromisoformat(row["date"]): time.fromisoformat(row["close"]) if row["close"] else None
        for row in csv.DictReader(text.splitlines())
    }


def covers(day: date) -> bool:
    """Whether the table reaches the year of `day`."""
    years = {known.year for known in _exceptions()}
    return min(years) <= day.year <= max(years)


def is_session(day: date) -> bool:
    """Whether the exchange opens on `day`."""
    return day.weekday() < _SATURDAY and _exceptions().get(day, _CLOSE) is not None


def sessions_after(day: date, count: int) -> list[date]:
    """The next `count` sessions after `day`."""
    found: list[date] = []
    while len(found) < count:
        day += _DAY
        if is_session(day):
            found.append(day)
    return found


def close_of(session: date) -> datetime:
    """When a session ends, in New York; ValueError if `session` is none."""
    close = _exceptions().get(session, _CLOSE)
    if not is_session(session) or close is None:
        raise ValueError(f"{session} is no session of the exchange")
    return datetime.combine(session, close, NEW_YORK)


def is_first(session: date, period: str) -> bool:
    """Whether no earlier session lies in the same `period`, "week" (from Monday) or "month"."""
    return not any(is_session(day) for day in _days_before(session, period))


def is_last(session: date, period: str) -> bool:
    """Whether no later session lies in the same `period`, "week" (from Monday) or "month"."""
    return not any(is_session(day) for day in _days_after(session, period))


def _days_before(session: date, period: str) -> list[date]:
    count = session.weekday() if period == "week" else session.day - 1
    return [session - number * _DAY for number in range(1, count + 1)]


def _days_after(session: date, period: str) -> list[date]:
    days = []
    day = session + _DAY
    while day.isocalendar()[:2] == session.isocalendar()[:2] if period == "week" else day.month == session.month:
        days.append(day)
        day += _DAY
    return days
