"""November 2021 on the exchange's clock: a holiday, an early close, the end of summer time, and every tick of them.

The schedules are the template's; what a tick would start is only written down.
"""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from cli.places import TEMPLATE
from local import LocalCloud, Schedule
from local.pace import Pace
from local.timeline import Tick, Timeline
from paper import PaperExchange, load_sample

NEW_YORK = ZoneInfo("America/New_York")
FIRST, LAST = date(2021, 11, 1), date(2021, 11, 30)
THANKSGIVING, BLACK_FRIDAY = date(2021, 11, 25), date(2021, 11, 26)  # closed; closes at 13:00
WINTER = date(2021, 11, 7)  # from this Sunday on New York is five hours behind UTC, before it four

# What fires on every working day, holiday or not, by the name that the schedule gives to the run.
DAY = {
    "quarter_hour": [time(9 + (30 + 15 * n) // 60, (30 + 15 * n) % 60) for n in range(26)],  # 09:30 to 15:45
    "daily": [time(15)],
}


@pytest.fixture(scope="module")
def schedules(tmp_path_factory: pytest.TempPathFactory) -> tuple[Schedule, ...]:
    """As they are deployed."""
    with LocalCloud(template=TEMPLATE, work=tmp_path_factory.mktemp("month")) as cloud:
        return cloud.schedules


@pytest.fixture(scope="module")
def month(schedules: tuple[Schedule, ...]) -> list[tuple[str, datetime, bool]]:
    """Every tick: its schedule, when it fired on the exchange's clock, and whether the market was open."""
    start = datetime.combine(FIRST, time(0), NEW_YORK)
    exchange = PaperExchange(load_sample(), Decimal(100_000), start)
    fired: list[tuple[str, datetime, bool]] = []

    def write_down(tick: Tick) -> None:
        assert exchange.now == tick.at
        fired.append((tick.schedule.input["schedule"], exchange.now, exchange.market.calendar.is_open(exchange.now)))

    timeline = Timeline(exchange, Pace(None))
    for _ in timeline.play(schedules, write_down, datetime.combine(LAST, time(23), NEW_YORK)):
        pass
    assert exchange.now == datetime.combine(LAST, time(23), NEW_YORK)
    return fired


def working_days() -> list[date]:
    days = [FIRST + timedelta(days=number) for number in range(30)]
    return [day for day in days if day.weekday() < 5]


def in_utc(day: date, at: time) -> datetime:
    """By hand: UTC is four hours ahead of New York in summer, five in winter."""
    hours = 4 if day < WINTER else 5
    return datetime.combine(day, at, UTC) + timedelta(hours=hours)


def test_the_ticks_are_exactly_these(month: list[tuple[str, datetime, bool]]) -> None:
    expected = [(name, in_utc(day, at)) for day in working_days() for name, times in DAY.items() for at in times]
    assert len(expected) == 22 * 27  # Monday the 1st to Tuesday the 30th has 22 working days
    assert sorted((name, at.astimezone(UTC)) for name, at, _ in month) == sorted(expected)


def test_they_come_in_the_order_of_time(month: list[tuple[str, datetime, bool]]) -> None:
    moments = [at.astimezone(UTC) for _, at, _ in month]
    assert moments == sorted(moments)


def test_the_first_tick_after_summer_time_is_an_hour_later_in_utc(month: list[tuple[str, datetime, bool]]) -> None:
    first = {at.date(): at.astimezone(UTC).time() for _, at, _ in reversed(month)}
    assert first[date(2021, 11, 5)] == time(13, 30)  # Friday
    assert first[date(2021, 11, 8)] == time(14, 30)  # Monday


def test_the_exchange_is_open_at_all_ticks_but_those_of_the_holiday_and_after_the_early_close(
    month: list[tuple[str, datetime, bool]],
) -> None:
    open_at = Counter(at.date() for name, at, is_open in month if is_open and name == "quarter_hour")
    assert open_at[THANKSGIVING] == 0
    assert open_at[BLACK_FRIDAY] == 14  # 09:30 to 12:45
    regular = set(working_days()) - {THANKSGIVING, BLACK_FRIDAY}
    assert {open_at[day] for day in regular} == {26}
    closed_at_three = {at.date() for name, at, is_open in month if name == "daily" and not is_open}
    assert closed_at_three == {THANKSGIVING, BLACK_FRIDAY}
