"""A short campaign of the fault explorer; the long one is `make chaos`."""

import pytest

from tests.chaos.catalogue import CONTEXTS, by_chance, on_the_wire, pointed
from tests.chaos.cloud import KILLS
from tests.chaos.explorer import explore
from tests.chaos.killer import Kill
from tests.chaos.schedule import Schedule, play


def test_no_fault_breaks_a_promise() -> None:
    tally = explore([*list(pointed())[::4], *(by_chance(seed) for seed in range(40))])
    assert tally.failures == []
    assert sum(tally.faults.values()) > 40


def test_no_fault_on_the_wire_breaks_a_promise() -> None:
    tally = explore(on_the_wire(seed) for seed in range(6))
    assert tally.failures == []
    assert tally.faults


@pytest.mark.parametrize("schedule", [*CONTEXTS, by_chance(7), on_the_wire(7)], ids=str)
def test_a_play_is_told_by_its_seed(schedule: Schedule) -> None:
    assert Schedule.read(str(schedule)) == schedule


def test_a_play_repeats_itself_call_by_call() -> None:
    first, second = play(by_chance(3)), play(by_chance(3))
    assert first.record.lines == second.record.lines
    assert first.injected


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_a_kill_is_told_by_its_seed(kill: Kill) -> None:
    assert Kill.read(str(kill)) == kill
