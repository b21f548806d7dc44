"""One clock for schedules and for executions that wait: what fires when, in which order, and how fast."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from local.pace import Pace
from local.scheduler import Schedule
from local.timeline import Tick, Timeline
from tests.unit.local.test_scheduler import at, schedule

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = at("2024-03-04 09:00")
QUARTER_HOUR = "cron(0/15 9-15 ? * MON-FRI *)"


class Hand:
    """A clock that only moves forward."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self.stops: list[datetime] = []

    def advance(self, to: datetime) -> None:
        assert to >= self.now.astimezone(UTC)
        self.now = to.astimezone(NEW_YORK)
        self.stops.append(self.now)


class Machine:
    """Starts an execution for each tick, in a thread of its own, and writes down what happens when."""

    def __init__(
        self,
        start: datetime = MONDAY,
        schedules: Sequence[Schedule] = (),
        work: Callable[["Machine", Tick], object] = lambda *_: None,
        pace: Pace | None = None,
    ) -> None:
        self.clock = Hand(start)
        self.timeline = Timeline(self.clock, pace or Pace(None))
        self._schedules = schedules
        self.told: list[str] = []
        self._work = work

    def fire(self, tick: Tick) -> None:
        self.start(f"{tick.name} {tick.at.astimezone(NEW_YORK):%H:%M}", lambda: self._work(self, tick))

    def start(self, arn: str, work: Callable[[], object]) -> None:
        self.tell(f"{arn} starts")
        self.timeline.heard(arn, running=True)
        threading.Thread(target=self._execute, args=(arn, work)).start()

    def _execute(self, arn: str, work: Callable[[], object]) -> None:
        work()
        self.tell(f"{arn} ends")
        self.timeline.heard(arn, running=False)

    def tell(self, words: str) -> None:
        self.told.append(f"{self.clock.now:%H:%M:%S} {words}")

    def wait(self, **duration: int) -> None:
        self.timeline.wait_until(self.clock.now + timedelta(**duration))

    def steps(self, until: datetime) -> Iterator[None]:
        return self.timeline.play(self._schedules, self.fire, until)

    def play(self, until: datetime) -> list[str]:
        for _ in self.steps(until):
            pass
        return self.told


def named(name: str, expression: str) -> Schedule:
    made = schedule(expression, "America/New_York")
    return Schedule(**vars(made) | {"logical_id": name})


def test_every_tick_fires_at_its_time_and_the_clock_ends_where_it_should() -> None:
    machine = Machine(schedules=[named("Q", QUARTER_HOUR)])
    told = machine.play(at("2024-03-04 09:40"))
    assert told == [
        f"09:{minute}:00 Q 09:{minute} {what}" for minute in ("00", "15", "30") for what in ("starts", "ends")
    ]
    assert machine.clock.now == at("2024-03-04 09:40")


def test_the_clock_stands_while_an_execution_computes() -> None:
    def compute(machine: Machine, _: Tick) -> None:
        time.sleep(0.02)
        machine.tell("computed")

    machine = Machine(schedules=[named("Q", QUARTER_HOUR)], work=compute)
    assert machine.play(at("2024-03-04 09:14")) == [
        "09:00:00 Q 09:00 starts",
        "09:00:00 computed",
        "09:00:00 Q 09:00 ends",
    ]


def test_a_tick_in_an_executions_wait_fires_beside_it() -> None:
    def wait_long(machine: Machine, tick: Tick) -> None:
        if tick.name == "Daily":
            machine.wait(minutes=45)

    schedules = [named("Q", QUARTER_HOUR), named("Daily", "cron(0 15 ? * * *)")]
    told = Machine(at("2024-03-04 14:50"), schedules, wait_long).play(at("2024-03-04 16:00"))
    assert told == [
        "15:00:00 Daily 15:00 starts",
        "15:00:00 Q 15:00 starts",  # of one moment by name, the second as soon as the first one waits
        "15:00:00 Q 15:00 ends",
        "15:15:00 Q 15:15 starts",
        "15:15:00 Q 15:15 ends",
        "15:30:00 Q 15:30 starts",
        "15:30:00 Q 15:30 ends",
        "15:45:00 Daily 15:00 ends",  # the wait's end comes before a tick of the same moment
        "15:45:00 Q 15:45 starts",
        "15:45:00 Q 15:45 ends",
    ]


def test_an_execution_goes_on_to_its_end_after_the_last_tick() -> None:
    machine = Machine(schedules=[named("Q", QUARTER_HOUR)], work=lambda machine, _: machine.wait(minutes=20))
    assert machine.play(at("2024-03-04 09:10")) == ["09:00:00 Q 09:00 starts", "09:20:00 Q 09:00 ends"]


def test_the_clock_waits_for_what_somebody_starts_by_hand() -> None:
    machine = Machine(pace=Pace(7200))  # two hours a second

    def work() -> None:
        time.sleep(0.2)
        machine.wait(seconds=10)

    threading.Timer(0.05, machine.start, ("by hand", work)).start()
    (started, ended) = machine.play(at("2024-03-04 10:00"))
    begun, over = (datetime.strptime(words.split()[0], "%H:%M:%S").replace(tzinfo=UTC) for words in (started, ended))
    assert over - begun == timedelta(seconds=10)  # of the market, though it took 0.2 s: 24 minutes at this speed


def test_a_stop_is_heeded_where_nothing_is_half_done() -> None:
    def stop_in_the_second(machine: Machine, tick: Tick) -> None:
        if "09:15" in f"{tick.at.astimezone(NEW_YORK)}":
            machine.timeline.stop()

    machine = Machine(schedules=[named("Q", QUARTER_HOUR)], work=stop_in_the_second)
    assert [words for words in machine.play(at("2024-03-04 16:00")) if "starts" in words] == [
        "09:00:00 Q 09:00 starts",
        "09:15:00 Q 09:15 starts",
    ]
    assert machine.timeline.stopped


def test_a_stop_does_not_wait_for_an_execution_that_computes() -> None:
    released = threading.Event()
    machine = Machine(schedules=[named("Q", QUARTER_HOUR)], work=lambda *_: released.wait())
    threading.Timer(0.05, machine.timeline.stop).start()
    assert machine.play(at("2024-03-04 16:00")) == ["09:00:00 Q 09:00 starts"]
    assert machine.timeline.running == {"Q 09:00"}
    assert not machine.timeline.await_end(0.01)
    released.set()
    assert machine.timeline.await_end(5)


def test_ticks_that_somebody_has_moved_the_clock_over_fire_late_by_five_minutes_at_most() -> None:
    machine = Machine(schedules=[named("Q", QUARTER_HOUR)])
    playing = machine.steps(at("2024-03-04 10:00"))
    next(playing)
    next(playing)  # 09:00 has fired
    machine.clock.advance(at("2024-03-04 09:35"))  # 09:15 is 20 minutes late, 09:30 five
    for _ in playing:
        pass
    assert [words for words in machine.told if "starts" in words] == [
        "09:00:00 Q 09:00 starts",
        "09:35:00 Q 09:30 starts",
        "09:45:00 Q 09:45 starts",
        "10:00:00 Q 10:00 starts",
    ]


def test_a_clock_that_is_moved_while_time_passes_goes_on_from_there() -> None:
    machine = Machine(at("2024-03-04 09:01"), [named("Q", QUARTER_HOUR)], pace=Pace(60))
    threading.Timer(0.1, machine.clock.advance, (at("2024-03-04 15:29"),)).start()
    told = machine.play(at("2024-03-04 15:30"))  # an hour at this pace, but for the move
    assert told == ["15:30:00 Q 15:30 starts", "15:30:00 Q 15:30 ends"]


def test_closing_lets_everything_go_on_that_waits() -> None:
    machine = Machine()
    machine.start("run", lambda: machine.wait(hours=1))
    next(machine.steps(at("2024-03-04 09:01")))
    machine.timeline.close()
    machine.timeline.wait_until(at("2024-03-04 23:00"))  # and nothing waits after it
    deadline = time.monotonic() + 5
    while len(machine.told) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert machine.told[-1] == "09:00:00 run ends"


def test_the_hour_that_comes_twice_is_passed_like_any_other() -> None:
    machine = Machine(at("2024-11-03 00:30"), [named("Rate", "rate(30 minutes)")])
    told = machine.play(at("2024-11-03 02:00"))
    assert [words.split()[0] for words in told if "starts" in words] == [
        "00:30:00",
        "01:00:00",
        "01:30:00",
        "01:00:00",  # an hour later, in winter time
        "01:30:00",
        "02:00:00",
    ]


class Stopwatch:
    """Real time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_pace_allows_so_many_seconds_of_the_market_for_each_real_one() -> None:
    real = Stopwatch()
    pace, goal = Pace(600, real), MONDAY + timedelta(hours=1)
    assert pace.reached(MONDAY, goal) == MONDAY
    real.seconds += 1.5
    assert pace.reached(MONDAY, goal) == MONDAY + timedelta(minutes=15)  # 1.5 s * 600 = 900 s
    real.seconds += 60
    assert pace.reached(MONDAY, goal) == goal  # never beyond
    assert pace.seconds_until(MONDAY, goal) == 6  # 3600 s / 600


def test_a_pace_catches_up_after_a_run_and_starts_anew_when_somebody_was_faster() -> None:
    real = Stopwatch()
    pace, goal = Pace(60, real), MONDAY + timedelta(hours=8)
    pace.reached(MONDAY, goal)
    real.seconds += 10  # a run computed for so long
    assert pace.reached(MONDAY, goal) == MONDAY + timedelta(minutes=10)
    ahead = MONDAY + timedelta(hours=2)
    assert pace.reached(ahead, goal) == ahead
    real.seconds += 1
    assert pace.reached(ahead, goal) == ahead + timedelta(minutes=1)


def test_without_a_limit_the_clock_goes_straight_to_what_comes_next() -> None:
    assert Pace(None).reached(MONDAY, MONDAY + timedelta(days=1)) == MONDAY + timedelta(days=1)
