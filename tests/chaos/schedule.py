"""A play: a setting, some clean sessions, one with faults, and what follows. Told by a text that replays it."""

from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache

from tests.chaos.faults import Fault
from tests.chaos.invariants import violations
from tests.chaos.market import SWITCHES, Setting
from tests.chaos.outside import Record
from tests.chaos.web import over_http
from tests.chaos.world import World

_MOST_CLEAN_RUNS = 3  # after the faults


@dataclass(frozen=True)
class Schedule:
    """One play. `clean` sessions go before the one with the faults; `soon` after it another run starts."""

    setting: Setting
    faults: tuple[Fault, ...]
    clean: int = 1
    soon: int = 0  # seconds; 0: no such run
    http: bool = False  # the real client, over HTTP

    def __str__(self) -> str:
        setting = self.setting
        told = [f"market={setting.market}", f"clean={self.clean}"]
        told += [f"share={setting.fill_share}"] if setting.fill_share != "1" else []
        told += [f"unfilled={setting.unfilled}"] if setting.unfilled != "cancel" else []
        told += [name for name in SWITCHES if getattr(setting, name)]
        told += [f"soon={self.soon}"] if self.soon else []
        told += ["http"] if self.http else []
        return ",".join([*told, *map(str, self.faults)])

    @classmethod
    def read(cls, text: str) -> "Schedule":
        """The play that `str` told."""
        words = text.split(",")
        given = dict(word.split("=") for word in words if "=" in word)
        setting = Setting(
            market=int(given.get("market", 0)),
            fill_share=given.get("share", "1"),
            unfilled=given.get("unfilled", "cancel"),
            **{name: name in words for name in SWITCHES},
        )
        faults = tuple(Fault.read(word) for word in words if "@" in word)
        return cls(setting, faults, int(given.get("clean", 1)), int(given.get("soon", 0)), "http" in words)


@dataclass(frozen=True)
class Played:
    """What came of a play."""

    schedule: Schedule
    injected: tuple[Fault, ...]
    violations: tuple[str, ...]
    record: Record


def prepare(schedule: Schedule) -> None:
    """Play the clean sessions before it; they are kept for every play that begins with the same."""
    _before(schedule.setting, schedule.clean)


def play(schedule: Schedule) -> Played:
    """Play it, and check every promise at the end."""
    world = World(schedule.setting, schedule.faults, _before(schedule.setting, schedule.clean))
    try:
        with over_http(world) if schedule.http else nullcontext():
            found = _play(world, schedule)
    except Exception as error:
        found = [f"the play broke: {type(error).__name__}: {error}"]
    record = world.outside.record
    return Played(schedule, tuple(record.injected), tuple(found), record)


def _play(world: World, schedule: Schedule) -> list[str]:
    world.outside.armed = True
    world.execute("faulty", tick=world.exchange.now.isoformat())
    world.edit()
    if schedule.soon:
        world.pass_time(schedule.soon)
        world.execute("soon")
    world.next_session()
    world.outside.disarm()
    return _aftermath(world)


def _aftermath(world: World) -> list[str]:
    """Clean runs until one has traded; a halt is lifted after the first, which must have respected it."""
    found: list[str] = []
    for number in range(_MOST_CLEAN_RUNS):
        halted = world.ledger.halt() is not None
        ended = world.execute(f"clean-{number}")
        if not halted and ended.status == "SUCCEEDED" and ended.state == "RunCompleted":
            return found + violations(world.evidence())
        if not halted:
            found.append(f"next_run: the clean run ended as {ended}")
        else:
            world.resume()
        world.next_session()
    return [*found, "next_run: no clean run has completed", *violations(world.evidence())]


@cache
def _before(setting: Setting, sessions: int) -> bytes:
    """The world after some clean sessions, standing at the next one's start."""
    if not sessions:
        return b""
    world = World(setting, (), _before(setting, sessions - 1))
    world.execute(f"before-{sessions}")
    world.next_session()
    return world.freeze()
