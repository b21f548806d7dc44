from datetime import date, datetime, timedelta

import pytest
from pydantic import ValidationError

from openbell import exchange_calendar
from openbell.model import NEW_YORK
from openbell.schedules import OPENING, Schedule, is_last_tick

OPEN = datetime(2022, 6, 15, 9, 30, tzinfo=NEW_YORK)
CLOSE = datetime(2022, 6, 15, 16, tzinfo=NEW_YORK)


def due(schedule: Schedule, opened: datetime = OPEN, close: datetime = CLOSE) -> list[str]:
    """The ticks of one session at which a schedule is due."""
    ticks = [opened + number * timedelta(minutes=15) for number in range(26)]
    return [f"{tick:%H:%M}" for tick in ticks if tick < close and schedule.is_due(tick, close)]


def test_daily_at_is_due_once() -> None:
    assert due(Schedule(daily_at="15:00")) == ["15:00"]
    assert due(Schedule.model_validate("daily")) == ["15:00"]


def test_every_counts_from_the_opening_bell() -> None:
    assert due(Schedule(every="2h")) == ["09:30", "11:30", "13:30", "15:30"]
    assert len(due(Schedule.model_validate("quarter_hour"))) == 26


@pytest.mark.parametrize(("before", "tick"), [("20m", "15:30"), ("15m", "15:45"), ("1m", "15:45"), ("1h", "15:00")])
def test_before_the_close_is_the_last_tick_that_is_early_enough(before: str, tick: str) -> None:
    assert due(Schedule(before_close=before)) == [tick]


def test_before_the_close_comes_early_on_a_half_day() -> None:
    opened = datetime(2021, 11, 26, 9, 30, tzinfo=NEW_YORK)
    assert due(Schedule(before_close="20m"), opened, opened.replace(hour=13, minute=0)) == ["12:30"]


def test_a_time_of_day_after_an_early_close_is_the_last_tick_before_it() -> None:
    opened = datetime(2024, 11, 29, 9, 30, tzinfo=NEW_YORK)  # the last session of its week and month
    close = opened.replace(hour=13, minute=0)
    for days in ("every", "week_end", "month_end"):
        assert due(Schedule.model_validate({"daily_at": "15:00", "days": days}), opened, close) == ["12:45"]
    assert due(Schedule(daily_at="13:00"), opened, close) == ["12:45"]
    assert due(Schedule(daily_at="12:30"), opened, close) == ["12:30"]


def test_long_before_an_early_close_is_at_the_opening_at_the_latest() -> None:
    opened = datetime(2021, 11, 26, 9, 30, tzinfo=NEW_YORK)
    assert due(Schedule(before_close="6h"), opened, opened.replace(hour=13, minute=0)) == ["09:30"]


def test_no_session_of_the_table_is_without_a_tick() -> None:
    schedules = [Schedule.model_validate(given) for given in ("daily", {"before_close": "6h"}, {"every": "6h"})]
    day = date(2020, 1, 1)
    while day < date(2027, 1, 1):
        if exchange_calendar.is_session(day):
            opened, close = datetime.combine(day, OPENING, NEW_YORK), exchange_calendar.close_of(day)
            assert all(len(due(schedule, opened, close)) == 1 for schedule in schedules[:2]), day
            assert due(schedules[2], opened, close), day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "sessions"),
    [
        ("week_start", [21, 27]),  # Monday the 20th was a holiday
        ("week_end", [17, 24]),
        ("month_end", [30]),
        ("month_start", []),
    ],
)
def test_some_days_only(days: str, sessions: list[int]) -> None:
    schedule = Schedule.model_validate({"daily_at": "15:00", "days": days})
    june = [datetime(2022, 6, day, 15, tzinfo=NEW_YORK) for day in (15, 16, 17, 21, 22, 23, 24, 27, 28, 29, 30)]
    assert [tick.day for tick in june if schedule.is_due(tick, tick + timedelta(hours=1))] == sessions


def test_utc_ticks_are_new_yorks_time_summer_and_winter() -> None:
    schedule = Schedule(daily_at="15:00")
    for text in ("2022-06-15T19:00:00+00:00", "2022-12-15T20:00:00+00:00"):
        tick = datetime.fromisoformat(text)
        assert schedule.is_due(tick, tick + timedelta(hours=1))
        assert not schedule.is_due(tick + timedelta(hours=1), tick + timedelta(hours=2))


def test_the_last_tick_of_a_session() -> None:
    assert is_last_tick(CLOSE - timedelta(minutes=15), CLOSE)
    assert not is_last_tick(CLOSE - timedelta(minutes=30), CLOSE)
    assert not is_last_tick(CLOSE, CLOSE)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"every": "20m"}, "a multiple of 15 minutes"),
        ({"every": "soon"}, "is no duration"),
        ({"daily_at": "15:07"}, "a quarter of an hour from 09:30 to 15:45"),
        ({"daily_at": "16:00"}, "a quarter of an hour from 09:30 to 15:45"),
        ({"daily_at": "teatime"}, "is no time of day"),
        ({"before_close": "0m"}, "a duration up to 6h"),
        ({}, "expected one of every, daily_at and before_close, got none"),
        ({"every": "15m", "daily_at": "15:00"}, "got every and daily_at"),
        ("monthly", "there is no schedule 'monthly'"),
        ({"daily_at": "15:00", "days": "weekends"}, "week_start"),
        ({"at": "15:00"}, "Extra inputs"),
    ],
)
def test_a_schedule_that_cannot_be_followed_is_refused(given: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Schedule.model_validate(given)


def test_a_schedule_reads_as_a_person_says_it() -> None:
    told = [
        str(Schedule(every="30m")),
        str(Schedule(daily_at="15:00", days="month_end")),
        str(Schedule(before_close="20m")),
    ]
    assert told == ["every 30m", "at 15:00, month end", "20m before the close"]
