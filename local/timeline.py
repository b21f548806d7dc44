"""The scheduler at work: one clock on which schedules fire and executions wait.

The clock moves only while nothing computes: when every execution that is under way waits in a Wait state. Then it goes
to whatever comes next, the end of a wait or a tick. So a replay gives the same runs at every speed, and a tick that
falls into an execution's wait fires then, beside it, as on AWS.
"""

import heapq
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

from local.pace import Pace
from local.scheduler import Schedule

_INSTANT = timedelta(microseconds=1)
_LOOK_SECONDS = 0.5  # real time after which a clock that is under way moves on, and a stop is noticed
TOO_LATE = timedelta(minutes=5)  # a tick that could not be delivered for so long is given up, as in the template


class Clock(Protocol):
    """A clock that others may read, and move too."""

    @property
    def now(self) -> datetime:
        """The time, zone-aware."""
        ...

    def advance(self, to: datetime) -> None:
        """Move it to `to`, which is not before `now`."""
        ...


@dataclass(frozen=True, order=True)
class Tick:
    """One firing of a schedule."""

    at: datetime  # UTC: wall clocks have hours that come twice
    name: str  # the schedule's in the template
    schedule: Schedule = field(compare=False)


@dataclass(frozen=True, order=True)
class _Waiter:
    until: datetime  # UTC
    number: int  # who came first
    woken: threading.Event = field(compare=False)


class Timeline:
    """Drives a clock over schedules and waits. `play` belongs to one thread; all else may be called from any."""

    def __init__(self, clock: Clock, pace: Pace) -> None:
        self._clock = clock
        self._pace = pace
        self._changed = threading.Condition()
        self._running: set[str] = set()
        self._waiters: list[_Waiter] = []
        self._numbers = count()
        self._news = 0  # how often an execution has started, ended or begun to wait
        self._known = 0  # of it, when everything was quiet last
        self._stopped = False
        self._closed = False

    # What executions do.

    def heard(self, name: str, *, running: bool) -> None:
        """Something that computes has started or ended: an execution, by its ARN, or whatever else time waits for."""
        with self._changed:
            (self._running.add if running else self._running.discard)(name)
            self._tell()

    def wait_until(self, at: datetime) -> None:
        """Wait in an execution's thread until the clock has come to `at`, or the timeline is closed."""
        waiter = _Waiter(at.astimezone(UTC), next(self._numbers), threading.Event())
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._waiters, waiter)
            self._tell()
        waiter.woken.wait()

    def _tell(self) -> None:
        self._news += 1
        self._changed.notify_all()

    def close(self) -> None:
        """Let everything go on that waits."""
        with self._changed:
            self._closed = True
            while self._waiters:
                heapq.heappop(self._waiters).woken.set()

    # The clock.

    @property
    def _now(self) -> datetime:
        return self._clock.now.astimezone(UTC)

    @property
    def running(self) -> frozenset[str]:
        """The names of what is under way."""
        return frozenset(self._running)

    def await_end(self, patience_s: float) -> bool:
        """Wait in real time until nothing is under way any more; whether that came within `patience_s` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, patience_s)

    @property
    def stopped(self) -> bool:
        """Whether somebody wanted the end before it had come."""
        return self._stopped

    def stop(self, *_: object) -> None:
        """End `play` at the next moment at which nothing is half done; made to be called by a signal."""
        self._stopped = True

    def play(self, schedules: Sequence[Schedule], fire: Callable[[Tick], object], until: datetime) -> Iterator[None]:
        """Let time pass up to `until`; gives the word whenever nothing computes, before time passes on.

        `fire` starts a tick's execution, which is `heard` of before it returns. A tick of the moment at which the clock
        stands fires too. Ticks after `until` do not, but executions under way go on to their end; nor do those that
        somebody else has moved the clock over by more than TOO_LATE.
        """
        end = until.astimezone(UTC)
        ticks = _upcoming(schedules, self._now - _INSTANT)
        tick = next(ticks, None)
        while self._await_quiet():
            yield
            while tick and self._is_too_late(tick):
                tick = next(ticks, None)
            due = tick if tick and tick.at <= end else None
            waiter = self._waiters[0] if self._waiters else None
            if waiter and (due is None or waiter.until <= due.at):
                if self._pass_to(waiter.until):
                    self._wake()
            elif due is None:
                if self._pass_to(end):
                    return
            elif self._pass_to(due.at) and not self._is_too_late(due):
                fire(due)
                tick = next(ticks, None)

    def _await_quiet(self) -> bool:
        """False if the timeline was stopped before everything was quiet."""
        with self._changed:
            while not self._stopped and not self._changed.wait_for(self._is_quiet, _LOOK_SECONDS):
                pass
            self._known = self._news
        return not self._stopped

    def _is_quiet(self) -> bool:
        return len(self._running) <= len(self._waiters)

    def _is_too_late(self, tick: Tick) -> bool:
        return self._now - tick.at > TOO_LATE

    def _wake(self) -> None:
        with self._changed:
            heapq.heappop(self._waiters).woken.set()

    def _pass_to(self, at: datetime) -> bool:
        """Move the clock to `at` at the timeline's pace; False as soon as there is something else to do."""
        while (now := self._now) < at:
            if self._stopped or self._news != self._known:
                return False
            to = self._pace.reached(now, at)
            if to > now:
                self._clock.advance(to)
                continue
            patience = min(_LOOK_SECONDS, self._pace.seconds_until(now, at))
            with self._changed:
                self._changed.wait_for(lambda: self._news != self._known, patience)
        return True


def _upcoming(schedules: Sequence[Schedule], after: datetime) -> Iterator[Tick]:
    """The ticks of all schedules in their order, ticks of one moment by name."""
    return heapq.merge(*(_ticks(schedule, after) for schedule in schedules))


def _ticks(schedule: Schedule, after: datetime) -> Iterator[Tick]:
    while found := schedule.next_after(after):
        after = found.astimezone(UTC)
        yield Tick(after, schedule.logical_id, schedule)
