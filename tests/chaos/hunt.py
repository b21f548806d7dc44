"""The explorer in search of mutants: how many plays it takes until a promise is broken.

PYTHONPATH=.:shared python -m tests.chaos.hunt [NAME ...]
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from inspect import isfunction
from types import ModuleType

from tests.chaos import mutants, mutants_of_books
from tests.chaos.catalogue import by_chance, pointed
from tests.chaos.schedule import Played, Schedule, play, prepare

type Mutant = Callable[[], AbstractContextManager[object]]


def _in(module: ModuleType) -> dict[str, Mutant]:
    own = {name: each for name, each in vars(module).items() if getattr(each, "__module__", "") == module.__name__}
    return {name: each for name, each in own.items() if isfunction(each) and not name.startswith("_")}


MUTANTS: dict[str, Mutant] = _in(mutants) | _in(mutants_of_books)
MOST_PLAYS = 150


# A pointed play that finds each.
FOUND_BY: dict[str, str] = {
    "sends_again_without_looking": "market=0,clean=1,closing,soon=20,ExecuteSell.broker.submit@silent_after#0",
    "takes_doubt_for_a_rejection": "market=0,clean=1,closing,soon=20,ExecuteSell.broker.submit@silent_after#0",
    "writes_unconditionally": "market=0,clean=1,closing,soon=20,ExecuteBuy.broker.submit@zombie_after#1",
    "books_twice": "market=0,clean=1,closing,soon=20,ExecuteSell.broker.submit@silent_after#0",
    "knows_no_fence": "market=0,clean=1,closing,soon=20,OpenRun.broker.account@taken_over#0",
    "gives_up_what_is_on_its_way": "market=0,clean=1,closing,soon=20,ExecuteSell.broker.submit@stuck#0",
    "sells_what_is_gone": "market=0,clean=2,closing,soon=20,ExecuteSell.broker.cancel@print#0",
    "protects_nothing": "market=0,clean=1,closing,soon=20,ExecuteSell.broker.submit@silent_after#0",
    "forgets_protection_after_a_refused_sale": ("market=0,clean=2,closing,soon=20,ExecuteBuy.broker.submit@stuck#0"),
    "ignores_the_halt": "market=0,clean=1,closing,soon=20,ExecuteSell.ledger.order@halt#0",
    "resends_in_spite_of_a_halt": (
        "market=0,clean=1,closing,ExecuteSell.broker.submit@silent_before#0,ExecuteSell.broker.find_order@halt#0"
    ),
    "does_not_wait_for_legs_to_end": "market=0,clean=2,closing,slow",
    "spends_what_is_set_aside": "market=0,clean=1,closing,ExecuteSell.broker.submit@rejected#0",
    "reprices_what_is_filled": "market=0,clean=1,share=0.3,unfilled=reprice,closing",
    "reads_what_was": "market=0,clean=1,closing,dynamo",
    "books_a_split_twice": "market=1,clean=1,closing,companies",
    "books_cash_twice": "market=1,clean=2,closing,companies",
    "reads_no_record": "market=1,clean=1,closing,companies",
    "believes_any_list_of_positions": (
        "market=0,clean=1,closing,"
        "OpenRun.broker.positions@partial#0,"
        "OpenRun.broker.positions@partial#1,"
        "OpenRun.broker.positions@partial#2"
    ),
    "ends_no_dead_runs": "market=0,clean=1,closing,ExecuteSell.broker.submit@stop_after#0",
    "keeps_no_books": "market=0,clean=1,closing",
    "tells_nobody_of_a_lost_lease": "market=0,clean=1,closing,CloseRun.ledger.run_of@taken_over#0",
    "loses_an_alert_that_was_not_taken": (
        "market=0,clean=1,closing,CloseRun.ledger.run_of@taken_over#0,CloseRun.alerts.alert@silent_before#0"
    ),
    "never_looks_at_the_cash": "market=0,clean=1,closing",
    "tells_the_world_nothing": "market=0,clean=1,closing",
    "keeps_the_lease": "market=0,clean=1,closing",
    "gives_up_no_order_of_a_dead_run": "market=0,clean=1,closing,ExecuteSell.broker.submit@stop_after#0",
    "opens_no_account_line": "market=0,clean=0,closing",
    "explains_no_trade_by_hand": "market=0,clean=1,closing,CloseRun.broker.account@bought#0",
    "takes_another_attempt_for_broken_books": (
        "market=0,clean=2,share=0.5,closing,SettleSells.ledger.sleeves@twice_before#2"
    ),
}


@dataclass(frozen=True)
class Caught:
    """The play that found a mutant, and how many it took."""

    played: Played
    plays: int


def plays() -> Iterator[Schedule]:
    """What every mutant is searched with: the plays that find one, pointed plays, then by chance."""
    yield from map(Schedule.read, dict.fromkeys(FOUND_BY.values()))
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
