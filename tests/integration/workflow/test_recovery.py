"""A ledger that was lost, or restored to an earlier state, is rebuilt; trading goes on as if nothing had happened."""

import pickle
from dataclasses import replace
from typing import Any

import pytest

from openbell.errors import InvalidInput, LedgerBehind, RunInProgress
from openbell.model import Order, RunStatus, Sleeve
from openbell.recovery import FENCE_GAP, Archived, Recovery, look, read_archive, recover
from openbell.runs import LATEST_FENCE
from paper import Side, Ticket
from tests.builders import D
from tests.chaos.faults import Fault, Kind
from tests.chaos.market import Setting
from tests.chaos.world import World

SETTINGS = [
    Setting(),
    Setting(closing=True, dynamo=True),
    Setting(closing=True, market=1),  # orders fill, and brackets fire
    Setting(closing=True, market=2, fill_share="0.3", unfilled="leave"),  # what is left is filled after the run
    Setting(closing=True, market=3, fill_share="0.3", unfilled="reprice"),
]


def archived(world: World) -> Archived:
    return read_archive(world.lasting.archive, world.lasting.archive.folders("runs/"))


def shown(world: World) -> Recovery:
    return look(archived(world), world.broker, world.ledger)


def write(world: World, found: Recovery) -> None:
    recover(archived(world), found, world.broker, world.ledger, by="a person", now=world.exchange.now)


def recovered(world: World) -> Recovery:
    """Look, write, resume: what a person does."""
    found = shown(world)
    write(world, found)
    world.ledger.clear_halt()
    return found


def lose(world: World) -> None:
    """An empty table in the place of the ledger."""
    world.lasting.store = type(world.lasting.store)()


def session(world: World, *names: str) -> None:
    for name in names:
        assert world.execute(name, tick=world.exchange.now.isoformat()).state == "RunCompleted"
        world.next_session()


def sleeves(world: World) -> dict[str, Sleeve]:
    return {name: replace(sleeve, version=0) for name, sleeve in world.ledger.sleeves().items()}


def orders(world: World) -> list[Order]:
    runs = world.ledger.runs(1000)
    return [replace(order, version=0) for run in runs for order in world.ledger.orders(run.run_id)]


def two(setting: Setting, *names: str) -> tuple[World, World]:
    """Twins after some sessions."""
    worlds = World(setting), World(setting)
    for world in worlds:
        session(world, *names)
    return worlds


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_lost_between_two_sessions_it_comes_back_to_the_cent_and_trading_goes_on(setting: Setting) -> None:
    world, twin = two(setting, "first", "second", "third")
    lose(world)
    assert recovered(world).recovered.unsure == ()
    for each in (world, twin):
        session(each, "fourth", "fifth")
    assert sleeves(world) == sleeves(twin)
    assert orders(world) == orders(twin)
    assert any(order.filled_qty for order in orders(world) if order.run_id == world.ledger.runs()[0].run_id)
    with_fences = [[replace(run, fence=0) for run in each.ledger.runs()] for each in (world, twin)]
    assert with_fences[0] == with_fences[1]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_restored_to_an_earlier_state_it_is_brought_up_to_now(setting: Setting) -> None:
    world, twin = two(setting, "first")
    earlier = pickle.dumps(world.lasting.store)
    for each in (world, twin):
        session(each, "second", "third")
    world.lasting.store = pickle.loads(earlier)
    found = recovered(world)
    assert found.behind
    assert [run.execution for run in found.changes.runs] == ["second", "third"]
    for each in (world, twin):
        session(each, "fourth")
    assert sleeves(world) == sleeves(twin)
    assert orders(world) == orders(twin)


# The execution is stopped there, and the ledger is lost before anybody has closed the run.
CRASHES = [
    (Setting(closing=True), "AggregateSignals.archive.put", 0),
    (Setting(closing=True), "ExecuteSell.broker.submit", 1),
    (Setting(closing=True, market=1), "SettleBuys.broker.find_order", 0),
    (Setting(closing=True, market=1), "ExecuteBuy.broker.submit", 2),
    (Setting(closing=True, market=2, fill_share="0.3", unfilled="reprice"), "SettleBuys.broker.submit", 0),
    # Protective orders that no books know yet, and one that was cut before it was sent.
    (Setting(closing=True, market=1), "SettleBuys.broker.submit", 1),
    (Setting(closing=True, market=2, fill_share="0.3"), "CloseRun.broker.submit", 1),
    (Setting(closing=True, market=2, fill_share="0.3"), "ExecuteBuy.broker.submit", 3),
]


@pytest.mark.parametrize(("setting", "place", "nth"), CRASHES, ids=str)
def test_lost_in_the_middle_of_a_run_it_is_what_the_next_run_would_have_made_of_it(
    setting: Setting, place: str, nth: int
) -> None:
    worlds = World(setting, [Fault(Kind.STOP_AFTER, place, nth)]), World(setting, [Fault(Kind.STOP_AFTER, place, nth)])
    for world in worlds:
        session(world, "first", "second")
        world.outside.armed = True
        assert world.execute("stopped").status == "ABORTED"
        world.outside.disarm()
        world.next_session()
    lose(worlds[0])
    assert recovered(worlds[0]).recovered.unsure == ()
    for world in worlds:
        session(world, "next", "after")
    # Fills of a shared order that were booked one by one may be divided by a cent otherwise than all at once.
    ours, twins = (sleeves(world) for world in worlds)
    assert sum(sleeve.cash for sleeve in ours.values()) == sum(sleeve.cash for sleeve in twins.values())
    for name, sleeve in ours.items():
        assert abs(sleeve.cash - twins[name].cash) <= D("0.02")
        assert {s: p.qty for s, p in sleeve.positions.items()} == {s: p.qty for s, p in twins[name].positions.items()}


@pytest.fixture
def world() -> World:
    world = World(Setting(closing=True))
    session(world, "first", "second")
    return world


def test_a_lost_ledger_is_noticed_before_anything_is_traded(world: World) -> None:
    sent = len(world.exchange.orders())
    lose(world)
    for name in ("third", "fourth"):
        ended = world.execute(name)
        assert (ended.status, ended.error) == ("FAILED", "LedgerBehind")
    assert len(world.exchange.orders()) == sent
    assert (world.ledger.sleeves(), world.ledger.fence()) == ({}, 0)
    assert "docs/runbook.md, 'The ledger is lost'" in "".join(words for _, words in world.lasting.inbox.received)


def test_fencing_numbers_never_go_backwards(world: World) -> None:
    newest = world.ledger.fence()
    stale = world.ledger.acquire_lease("zombie", world.exchange.now, 1)
    assert stale
    world.ledger.release_lease(stale)
    lose(world)
    recovered(world)
    assert world.ledger.fence() > newest + FENCE_GAP > stale.fence
    session(world, "third")
    assert world.ledger.runs()[0].fence == world.ledger.fence()
    assert int(world.lasting.archive.get(LATEST_FENCE)) == world.ledger.fence()


def test_a_tick_that_was_taken_stays_taken() -> None:
    world = World(Setting(closing=True))
    tick = world.exchange.now.isoformat()
    world.execute("first", tick=tick)
    lose(world)
    recovered(world)
    assert not world.ledger.claim_tick(tick, "another")
    assert world.ledger.claim_tick(tick, "first")


def test_it_stays_halted_until_a_person_resumes_it(world: World) -> None:
    lose(world)
    write(world, shown(world))
    halt = world.ledger.halt()
    assert halt
    assert (halt.reason, halt.by) == ("the ledger was recovered; compare the books, then resume", "a person")
    assert world.execute("third").state == "RunSkipped"
    world.resume()
    world.next_session()
    session(world, "fourth")


def test_a_halt_in_the_books_comes_back_as_it_was(world: World) -> None:
    world.halt(flatten=False)
    world.execute("third")
    halt = world.ledger.halt()
    lose(world)
    write(world, shown(world))
    assert world.ledger.halt() == halt


def test_nothing_is_written_while_a_run_holds_the_lease(world: World) -> None:
    lose(world)
    found = shown(world)
    assert world.ledger.acquire_lease("a run", world.exchange.now, 3600)
    with pytest.raises(RunInProgress, match="a run is trading"):
        write(world, found)
    assert world.ledger.sleeves() == {}


def test_only_what_was_shown_is_written(world: World) -> None:
    lose(world)
    found = shown(world)
    other = replace(found, changes=replace(found.changes, sleeves=()))
    with pytest.raises(LedgerBehind, match="look again"):
        write(world, other)
    assert world.ledger.sleeves() == {}
    assert world.ledger.lease() is None


def test_a_ledger_that_lacks_nothing_is_left_alone() -> None:
    world = World(Setting(closing=True))
    world.execute("first")  # nothing happens at the broker after its end
    found = shown(world)
    assert not found.changes
    assert not found.behind
    assert found.recovered.unsure == ()


def test_doing_it_again_after_a_failure_in_between_ends_in_the_same_books(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shown(world).recovered.sleeves
    lose(world)

    def half(*arguments: Any) -> None:
        runs, plans, kept, first, lease = arguments
        restore(runs, plans, kept[: len(kept) // 2], first[:1], lease)
        raise ConnectionError

    restore = world.ledger.restore
    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "restore", half)
        with pytest.raises(ConnectionError):
            write(world, shown(world))
    assert world.ledger.halt()
    assert world.ledger.lease() is None
    recovered(world)
    assert sleeves(world) == {name: replace(sleeve, version=0) for name, sleeve in whole.items()}
    assert not shown(world).changes


def test_an_order_of_ours_that_no_books_know_is_shown_and_not_booked(world: World) -> None:
    before = shown(world).recovered.sleeves
    world.exchange.submit(Ticket("FOX", Side.SELL, D(7), client_order_id="20210226-1545-abcd-FOX-sell-x-1"))
    lose(world)
    found = recovered(world)
    assert found.recovered.unsure == (
        "20210226-1545-abcd-FOX-sell-x-1: ours at the broker (sell 7 of 7 FOX), in no books: not booked",
    )
    assert found.recovered.sleeves == before


def test_shares_that_are_gone_are_told(world: World) -> None:
    symbol, qty = next((s, q) for s, q in _held(world).items() if q > 1)
    lose(world)
    world.exchange.by_hand.trade(symbol, D(-1))
    assert f"{symbol}: the sleeves would own {qty}" in " ".join(shown(world).recovered.unsure)


def _held(world: World) -> dict[str, D]:
    total: dict[str, D] = {}
    for sleeve in world.ledger.sleeves().values():
        for symbol, position in sleeve.positions.items():
            total[symbol] = total.get(symbol, D(0)) + position.qty
    return {symbol: qty for symbol, qty in total.items() if symbol not in world.evidence().unmanaged}


def test_what_the_ledger_holds_beyond_the_archive_stays(world: World) -> None:
    lease = world.ledger.acquire_lease("somebody", world.exchange.now, 1)
    assert lease
    world.ledger.open_sleeve(Sleeve("newcomer", D(100)), lease)
    world.ledger.release_lease(lease)
    found = recovered(world)
    assert found.recovered.unsure == ("sleeve newcomer: in the ledger, in no books",)
    assert world.ledger.sleeves()["newcomer"].cash == D(100)


def test_a_run_that_died_is_failed_in_the_history() -> None:
    world = World(Setting(closing=True), [Fault(Kind.STOP_AFTER, "ExecuteBuy.broker.submit")])
    world.outside.armed = True
    world.execute("stopped")
    world.outside.disarm()
    world.next_session()
    session(world, "second")
    lose(world)
    recovered(world)
    assert [run.status for run in world.ledger.runs()] == [RunStatus.COMPLETED, RunStatus.FAILED]


def test_without_any_books_there_is_nothing_to_rebuild_from() -> None:
    with pytest.raises(InvalidInput, match="no books of any run"):
        archived(World(Setting()))
