from datetime import date, datetime

import pytest

from paper.sessions import NEW_YORK, nyse

CALENDAR = nyse(date(2022, 1, 3), date(2022, 12, 30))


def ny(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def test_a_session_is_open_at_its_opening_bell_and_closed_at_its_closing_bell() -> None:
    assert not CALENDAR.is_open(ny("2022-06-15T09:29:59"))
    assert CALENDAR.is_open(ny("2022-06-15T09:30"))
    assert CALENDAR.is_open(ny("2022-06-15T15:59:59"))
    assert not CALENDAR.is_open(ny("2022-06-15T16:00"))


def test_the_half_day_after_thanksgiving_has_its_closing_window_before_one_o_clock() -> None:
    session = CALENDAR.of(date(2022, 11, 25))
    assert session is not None
    assert session.close == ny("2022-11-25T13:00")
    assert session.closing == ny("2022-11-25T12:45")


def test_the_next_open_after_a_friday_before_a_holiday_is_on_tuesday() -> None:
    assert CALENDAR.next_open(ny("2022-06-17T17:00")) == ny("2022-06-21T09:30")
    assert CALENDAR.of(date(2022, 6, 20)) is None


def test_the_opening_bell_is_the_same_hour_in_winter() -> None:
    assert CALENDAR.next_open(ny("2022-01-03T00:00")).isoformat() == "2022-01-03T09:30:00-05:00"


def test_a_session_is_complete_at_its_close() -> None:
    assert CALENDAR.last_complete(ny("2022-06-15T15:59")) == date(2022, 6, 14)
    assert CALENDAR.last_complete(ny("2022-06-15T16:00")) == date(2022, 6, 15)
    assert CALENDAR.last_complete(ny("2022-01-03T09:30")) is None


def test_touched_sessions_are_those_with_something_still_to_happen() -> None:
    days = [s.day.day for s in CALENDAR.touched(ny("2022-06-14T16:00"), ny("2022-06-16T09:30"))]
    assert days == [15, 16]
    assert not CALENDAR.touched(ny("2022-06-14T16:00"), ny("2022-06-15T09:29"))


def test_beyond_its_end_the_calendar_says_so() -> None:
    with pytest.raises(ValueError, match="beyond the calendar"):
        CALENDAR.next_open(ny("2024-06-14T16:00"))
