"""The explorer in search of mutants: how many plays it takes until a promise is broken.

PYTHONPATH=.:shared python -m tests.chaos.hunt [NAME ...]
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.chaos.catalogue import by_chance, pointed
from tests.chaos.mutants import MUTANTS as ALL
from tests.chaos.mutants import Mutant
from tests.chaos.schedule import Played, Schedule, play, prepare

MUTANTS: dict[str, Mutant] = {mutant.__name__: mutant for mutant in ALL}
MOST_PLAYS = 150


# How many plays it took to find each, and the one that did.
FOUND_BY: dict[str, tuple[int, str]] = {
    "sends_again_without_looking": (1, "market=0,clean=1,closing,soon=20,ExecuteSell.broker.submit@silent_after#0"),
    "takes_doubt_for_a_rejection": (1, "market=0,clean=1,closing,soon=20,ExecuteSell.broker.submit@silent_after#0"),
    "writes_unconditionally": (17, "market=0,clean=1,closing,soon=20,ExecuteBuy.broker.submit@zombie_after#1"),
    "books_twice": (1, "market=0,clean=1,closing,soon=20,ExecuteSell.broker.submit@silent_after#0"),
    "knows_no_fence": (13, "market=0,clean=1,closing,soon=20,OpenRun.broker.account@taken_over#0"),
    "gives_up_what_is_on_its_way": (9, "market=0,clean=1,closing,soon=20,ExecuteSell.broker.submit@stuck#0"),
    "sells_what_is_gone": (6, "market=0,clean=2,closing,soon=20,ExecuteSell.broker.cancel@print#0"),
    "protects_nothing": (1, "market=0,clean=1,closing,soon=20,ExecuteSell.broker.submit@silent_after#0"),
    "forgets_protection_after_a_refused_sale": (8, "market=0,clean=2,closing,soon=20,ExecuteBuy.broker.submit@stuck#0"),
    "ignores_the_halt": (3, "market=0,clean=1,closing,soon=20,ExecuteSell.ledger.order@halt#0"),
}


@dataclass(frozen=True)
class Caught:
    """The play that found a mutant, and how many it took."""

    played: Played
    plays: int


def plays() -> Iterator[Schedule]:
    """What every mutant is searched with: pointed plays, then by chance."""
    yield from pointed()
    yield from map(by_chance, range(MOST_PLAYS))


def hunt(mutant: Mutant, schedules: Iterable[Schedule]) -> Caught | None:
    """The first play that breaks a promise; the sessions before it are played on the platform as it is."""
    for number, schedule in enumerate(schedules, start=1):
        prepare(schedule)
        with mutant():
            played = play(schedule)
        if played.violations:
            return Caught(played, number)
    return None


def main(names: Iterable[str]) -> int:
    """Hunt each of these mutants, or all; 1 if one was not found."""
    lost = 0
    for name in names or MUTANTS:
        caught = hunt(MUTANTS[name], plays())
        lost += caught is None
        found = (
            f"{caught.plays:4} plays: {caught.played.schedule}\n    {caught.played.violations[0][:200]}"
            if caught
            else ""
        )
        sys.stdout.write(f"{name}: {found or 'NOT FOUND'}\n")
        sys.stdout.flush()
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
