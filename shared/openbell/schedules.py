"""When a strategy is due. The scheduler ticks every quarter of an hour; OpenRun asks each strategy at each tick."""

import re
from datetime import datetime, time, timedelta
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from openbell import exchange_calendar
from openbell.model import NEW_YORK

TICK = timedelta(minutes=15)  # between two ticks of the scheduler, from the opening bell on
OPENING = time(9, 30)
_LAST_TICK = time(15, 45)
_NAMED: dict[str, dict[str, str]] = {"daily": {"daily_at": "15:00"}, "quarter_hour": {"every": "15m"}}
_DURATION = re.compile(r"(\d+)(m|h)")


class Schedule(BaseModel):
    """One of `every: 30m`, `daily_at: "15:00"` and `before_close: 20m`, on the sessions that `days` names.

    `every` counts from the opening bell. `before_close` is the last tick at least that long before the close, which on
    half days is early. `daily_at` is the last tick of a session that closes before that time. Times are New York's.
    `daily` stands for `daily_at: "15:00"`, `quarter_hour` for `every: 15m`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    every: str = ""
    daily_at: str = ""
    before_close: str = ""
    days: Literal["every", "week_start", "week_end", "month_start", "month_end"] = "every"

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        if given not in _NAMED:
            allowed = ", ".join((*_NAMED, "{every: 30m}", '{daily_at: "15:00"}', "{before_close: 20m}"))
            raise ValueError(f"there is no schedule {given!r}; allowed are {allowed}")
        return _NAMED[given]

    @field_validator("every")
    @classmethod
    def _in_ticks(cls, text: str) -> str:
        if text and (duration(text) % TICK or not duration(text)):
            raise ValueError(f"every {text}: expected a multiple of 15 minutes, such as 15m, 30m or 1h")
        return text

    @field_validator("before_close")
    @classmethod
    def _within_a_session(cls, text: str) -> str:
        if text and not timedelta(0) < duration(text) <= timedelta(hours=6):
            raise ValueError(f"before_close {text}: expected a duration up to 6h, such as 20m")
        return text

    @field_validator("daily_at")
    @classmethod
    def _at_a_tick(cls, text: str) -> str:
        if text and not (OPENING <= (at := _time(text)) <= _LAST_TICK and at.minute % 15 == 0):
            raise ValueError(f"daily_at {text}: expected a quarter of an hour from 09:30 to 15:45, such as 15:00")
        return text

    @model_validator(mode="after")
    def _just_one(self) -> Self:
        given = [name for name in ("every", "daily_at", "before_close") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"expected one of every, daily_at and before_close, got {' and '.join(given) or 'none'}")
        return self

    def is_due(self, tick: datetime, close: datetime) -> bool:
        """Whether the strategy is due at `tick`, in the session that ends at `close` (both zone-aware)."""
        local, end = tick.astimezone(NEW_YORK), close.astimezone(NEW_YORK)
        if not self._is_day(local):
            return False
        opened = datetime.combine(local.date(), OPENING, NEW_YORK)
        if self.daily_at:
            at = datetime.combine(local.date(), _time(self.daily_at), NEW_YORK)
            return local == at if at < end else is_last_tick(local, end)
        if self.every:
            return (local - opened) % duration(self.every) == timedelta(0)
        latest = max(opened, end - duration(self.before_close))
        return latest - TICK < local <= latest

    def _is_day(self, local: datetime) -> bool:
        if self.days == "every":
            return True
        period, _, edge = self.days.partition("_")
        is_edge = exchange_calendar.is_first if edge == "start" else exchange_calendar.is_last
        return is_edge(local.date(), period)

    def __str__(self) -> str:
        when = f"every {self.every}" if self.every else f"at {self.daily_at}" if self.daily_at else ""
        told = when or f"{self.before_close} before the close"
        return told if self.days == "every" else f"{told}, {self.days.replace('_', ' ')}"


def is_last_tick(tick: datetime, close: datetime) -> bool:
    """Whether no other tick of the scheduler comes before `close`."""
    return close - TICK <= tick < close


def duration(text: str) -> timedelta:
    """15m, 1h: a duration; ValueError for anything else."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no duration; expected minutes or hours such as 20m or 1h")
    return timedelta(minutes=int(found[1])) if found[2] == "m" else timedelta(hours=int(found[1]))


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time of day; expected one such as 15:00") from error
