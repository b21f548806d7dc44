"""A campaign: many plays in several processes, and what they found."""

import multiprocessing
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.chaos.faults import Fault, Kind
from tests.chaos.schedule import Played, Schedule, play


@dataclass
class Tally:
    """What was tried so far, and what was found."""

    schedules: int = 0
    faults: Counter[Kind] = field(default_factory=Counter)
    covered: dict[str, set[Kind]] = field(default_factory=lambda: defaultdict(set))
    failures: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, found: "Found") -> None:
        """Count one more play."""
        self.schedules += 1
        for fault in found.injected:
            self.faults[fault.kind] += 1
            self.covered[fault.place].add(fault.kind)
        if found.violations:
            self.failures.append((found.seed, found.violations))

    def missing(self, pairs: Iterable[tuple[str, Kind]]) -> list[tuple[str, Kind]]:
        """Pairs of place and fault that did not come about."""
        return [(place, kind) for place, kind in pairs if kind not in self.covered[place]]


@dataclass(frozen=True)
class Found:
    """What a play is remembered by."""

    seed: str
    injected: tuple[Fault, ...]
    violations: tuple[str, ...]


def explore(
    schedules: Iterable[Schedule], processes: int = 1, on_found: Callable[["Found"], None] = lambda _: None
) -> Tally:
    """Play them all; `on_found` hears of each play as soon as it has ended."""
    begun = time.monotonic()
    tally = Tally()
    for found in _played([str(schedule) for schedule in schedules], processes):
        tally.add(found)
        on_found(found)
    tally.seconds = time.monotonic() - begun
    return tally


def _played(seeds: Sequence[str], processes: int) -> Iterator[Found]:
    if processes == 1:
        yield from map(_find, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(_find, seeds, chunksize=8)


def _find(seed: str) -> Found:
    played = play(Schedule.read(seed))
    return Found(seed, played.injected, played.violations)


def told(played: Played) -> str:
    """A play, call by call."""
    lines = [f"SEED={played.schedule}", *played.record.lines]
    lines += [f"injected: {', '.join(map(str, played.injected)) or 'nothing'}"]
    lines += [f"VIOLATION {sentence}" for sentence in played.violations] or ["no violation"]
    return "\n".join(lines)
