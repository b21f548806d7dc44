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


FOUND_FAULTS = (
    # Two attempts at once: each booked the same split; what one had booked looked like broken books to the other.
    "market=1,clean=2,closing,companies,OpenRun.broker.activities@zombie_after#0",
    "market=2,clean=2,closing,companies,OpenRun.broker.activities@twice_after#0",
    "market=0,clean=2,share=0.5,closing,SettleSells.ledger.sleeves@twice_before#2",
    # A repriced order of a run that died was in no books.
    "market=1,clean=1,share=0.5,unfilled=reprice,dynamo,ExecuteBuy.dynamo.transact_write_items@taken_over#2",
    # What the owner bought just before the first run kept a later sale of his from being recognised.
    "market=3,clean=1,ExecuteSell.broker.clock@sold#0",
)


@pytest.mark.parametrize("seed", FOUND_FAULTS)
def test_a_play_that_found_a_fault_finds_none(seed: str) -> None:
    played = play(Schedule.read(seed))
    assert played.injected
    assert not played.violations


WORLDS = (  # all that a play may have beside its faults, and each thing that the owner does
    "market=0,clean=2,closing,dynamo,companies,fractional,hostile,edited,slow,OpenRun.broker.account@leg_moved#0",
    "market=1,clean=2,share=0.5,companies,slow,ExecuteSell.broker.submit@leg_ended#0,CloseRun.broker.account@paid_out#0",
    "market=2,clean=1,closing,hostile,edited,OpenRun.broker.account@bought#0,SettleBuys.broker.find_order@paid_in#0",
)


@pytest.mark.parametrize("seed", WORLDS)
def test_what_happens_in_the_world_breaks_no_promise(seed: str) -> None:
    schedule = Schedule.read(seed)
    assert str(schedule) == seed
    played = play(schedule)
    assert played.injected
    assert not played.violations


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
