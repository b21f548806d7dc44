"""The table of holidays, against the package that it was made from."""

from datetime import date, datetime

import exchange_calendars
import pytest

from openbell import exchange_calendar as calendar
from openbell.model import NEW_YORK


def test_the_table_equals_its_source_over_forty_years() -> None:
    source = exchange_calendars.get_calendar("XNYS", start="1990-01-01", end="2031-12-31")
    closes = {day.date(): source.session_close(day).tz_convert(NEW_YORK) for day in source.sessions}
    days = [date.fromordinal(n) for n in range(date(1990, 1, 1).toordinal(), date(2031, 12, 31).toordinal() + 1)]
    assert [day for day in days if calendar.is_session(day)] == sorted(closes)
    assert {day: calendar.close_of(day) for day in closes} == closes


def test_half_days_close_at_one() -> None:
    assert calendar.close_of(date(2026, 11, 27)) == datetime(2026, 11, 27, 13, tzinfo=NEW_YORK)
    with pytest.raises(ValueError, match="2026-11-26 is no session"):
        calendar.close_of(date(2026, 11, 26))


def test_edges_of_weeks_and_months_skip_holidays() -> None:
    # Monday 20 June 2022 was a holiday
    assert not calendar.is_first(date(2022, 6, 22), "week")
    assert calendar.is_first(date(2022, 6, 21), "week")
    # Good Friday, 15 April 2022
    assert calendar.is_last(date(2022, 4, 14), "week")
    # Saturday 30 April and Sunday 1 May
    assert calendar.is_last(date(2022, 4, 29), "month")
    assert calendar.is_first(date(2022, 5, 2), "month")
    assert not calendar.is_last(date(2022, 4, 28), "month")


def test_the_table_knows_how_far_it_reaches() -> None:
    assert calendar.covers(date(1990, 1, 2))
    assert not calendar.covers(date(2099, 1, 2))


def test_the_next_sessions_leave_out_weekends_and_holidays() -> None:
    friday = date(2022, 6, 17)
    assert calendar.sessions_after(friday, 3) == [
        date(2022, 6, 21),
        date(2022, 6, 22),
        date(2022, 6, 23),
    ]  # Juneteenth
    assert calendar.sessions_after(friday, 0) == []
