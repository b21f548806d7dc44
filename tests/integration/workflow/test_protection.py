"""Whatever happens to the orders that protect a holding, the next look puts them right or a person hears of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lab.exchange import ExchangeBroker
from openbell.adapters.memory.executions import MemoryExecutions
from openbell.errors import BrokerUnavailable, LeaseLost, OrderRejected, OutcomeUnknown
from openbell.execution.protection import known_again, protect
from openbell.execution.settling import end
from openbell.model import Bracket, BrokerOrder, Halt, OrderRequest, OrderStatus, Position, RunStatus, Side
from openbell.runs import lease_of
from openbell.workflow.close_run import close_run
from openbell.workflow.execute_order import execute_order
from openbell.workflow.open_run import RunRequest, open_run
from paper import Change, TimeInForce
from tests.builders import D, order
from tests.integration.workflow.protecting import in_and_out, resting
from tests.integration.workflow.stage import WEDNESDAY, Stage

UNPROTECTED = "Openbell: holdings without protection"


def entered(leave: str = "2099-01-01", broker: type[ExchangeBroker] = ExchangeBroker, **more: Any) -> Stage:
    """The day after the entry: the holding is protected."""
    stage = Stage(in_and_out(leave, **more), broker=broker)
    stage.run("entry")
    stage.next_day()
    return stage


def holding(stage: Stage) -> Position:
    return stage.ledger.sleeves()["in_and_out"].positions["KO"]


def prices(stage: Stage) -> set[tuple[object, object]]:
    return {(rest.stop_price, rest.limit_price) for rest in resting(stage)}


def wished(stage: Stage) -> set[tuple[object, object]]:
    wish = holding(stage).protection
    assert wish
    return {(None, wish.take_profit_price), (wish.stop_price, wish.stop_limit_price)}


def test_an_entry_is_a_plain_order_for_today_and_protected_at_prices_of_its_fill() -> None:
    stage = Stage(in_and_out())
    closed = stage.run("entry")
    entry, oco = stage.ledger.orders(closed.run_id)
    assert (entry.status, entry.bracket, oco.status, oco.protecting) == (
        OrderStatus.FILLED,
        None,
        OrderStatus.WORKING,
        entry.filled_qty,
    )
    paid = entry.filled_avg_price
    assert paid
    assert paid != entry.reference_price  # which is yesterday's close
    assert entry.protection
    assert holding(stage).protection == oco.bracket == entry.protection.scaled(round(paid, 4) / entry.reference_price)
    assert prices(stage) == wished(stage)
    assert {rest.time_in_force.value for rest in resting(stage)} == {"gtc"}
    assert closed.report["unprotected"] == stage.alerts.sent == []


def test_prices_that_the_owner_moves_are_taken_over_and_the_holding_can_be_sold() -> None:
    stage = entered(leave="2022-06-17")
    stop = next(rest for rest in resting(stage) if rest.stop_price)
    profit = next(rest for rest in resting(stage) if not rest.stop_price)
    stage.exchange.replace(stop.id, Change(stop_price=D(55), limit_price=D(50)))
    stage.exchange.replace(profit.id, Change(limit_price=D(70)))
    stage.run("second")
    assert holding(stage).protection == Bracket(D(55), D(50), D(70))
    assert prices(stage) == {(D(55), D(50)), (None, D(70))}
    stage.next_day()
    stage.run("leaving")
    assert stage.held() == stage.owned() == {}
    assert resting(stage) == stage.ledger.open_orders() == []


def test_a_moved_price_is_kept_when_the_protection_is_placed_anew() -> None:
    stage = entered()
    stop = next(rest for rest in resting(stage) if rest.stop_price)
    stage.exchange.replace(stop.id, Change(stop_price=D(55), limit_price=D(50)))
    stage.run("second")
    stage.exchange.cancel_all()
    stage.next_day()
    stage.run("third")
    assert (D(55), D(50)) in prices(stage) == wished(stage)


def test_protection_that_has_ended_by_itself_or_by_hand_is_placed_anew() -> None:
    stage = entered()
    before = wished(stage)
    stage.exchange.cancel_all()
    closed = stage.run("second")
    assert prices(stage) == wished(stage) == before
    assert [(o.protective, o.status) for o in stage.ledger.orders(closed.run_id)] == [(True, OrderStatus.WORKING)]
    assert stage.alerts.sent == []


def test_protection_is_renewed_before_the_broker_ends_it_for_its_age() -> None:
    stage = entered()
    sent = {rest.id for rest in resting(stage)}
    for _ in range(3):  # a run a month, as the slowest schedule
        stage.exchange.advance(stage.exchange.now + timedelta(days=31))
        stage.next_day()
        stage.run(f"{stage.exchange.now:%m}")
        assert prices(stage) == wished(stage)
    assert not sent & {rest.id for rest in resting(stage)}


def test_without_a_run_the_broker_ends_it_and_the_next_run_places_it() -> None:
    stage = entered()
    stage.exchange.advance(stage.exchange.now + timedelta(days=91))
    assert resting(stage) == []
    stage.next_day()
    stage.run("late")
    assert prices(stage) == wished(stage)


class RefusesMarketSells(ExchangeBroker):
    """The broker takes no sell at the market."""

    def submit(self, request: OrderRequest) -> BrokerOrder:
        if request.side is Side.SELL and not request.bracket:
            raise OrderRejected("trading in KO is paused")
        return super().submit(request)


def test_a_holding_whose_sale_is_refused_is_protected_again_in_the_same_run() -> None:
    stage = entered("2022-06-16", RefusesMarketSells)
    before = {rest.id for rest in resting(stage)}
    closed = stage.run("leaving")
    assert [o.status for o in stage.ledger.orders(closed.run_id) if not o.protective] == [OrderStatus.REJECTED]
    assert prices(stage) == wished(stage)
    assert not before & {rest.id for rest in resting(stage)}


def test_a_halt_after_the_protection_was_withdrawn_leaves_the_holding_protected() -> None:
    stage = entered()
    inputs = open_run(RunRequest("second"), stage.config, stage.desk, MemoryExecutions())
    run = stage.ledger.run_of("second")
    assert run
    for rest in stage.ledger.open_orders():
        end(rest, stage.broker, stage.ledger, lease_of(run))
    stage.ledger.set_halt(Halt("a look at it", "alice", stage.exchange.now))
    assert resting(stage) == []
    close_run("second", RunStatus.FAILED, "stopped", stage.desk, 3)
    assert prices(stage) == wished(stage)
    assert inputs.run_id == run.run_id


class RefusesSells(ExchangeBroker):
    """The broker takes no sell at all."""

    def submit(self, request: OrderRequest) -> BrokerOrder:
        if request.side is Side.SELL:
            raise OrderRejected("trading in KO is paused")
        return super().submit(request)


def test_what_cannot_be_protected_is_told_once_and_stands_in_every_report() -> None:
    stage = Stage(in_and_out(), broker=RefusesSells)
    for execution in ("entry", "second", "third"):
        closed = stage.run(execution)
        (gap,) = closed.report["unprotected"]
        assert (gap["strategy"], gap["symbol"], gap["why"]) == ("in_and_out", "KO", "trading in KO is paused")
        stage.next_day()
    assert [subject for subject, _ in stage.alerts.sent] == [UNPROTECTED]
    assert "in_and_out: trading in KO is paused" in stage.alerts.sent[0][1]


def held_by_hand(stage: Stage, qty: str, stop: str = "50") -> None:
    """Let the sleeve hold `qty` shares that are to be protected, and the account have them."""
    if D(qty) != stage.held()["KO"]:
        stage.exchange.cancel_all()
        stage.exchange.by_hand.trade("KO", D(qty) - stage.held()["KO"])
    sleeve = stage.ledger.sleeves()["in_and_out"]
    lease = stage.ledger.acquire_lease("by hand", stage.exchange.now, 60)
    assert lease
    position = Position(D(qty), D(qty) * 60, Bracket(D(stop), D(40), D(90)))
    stage.ledger.save_sleeves([replace(sleeve, positions={"KO": position})], lease)
    stage.ledger.release_lease(lease)


def test_part_of_a_share_cannot_be_protected_and_the_rest_is() -> None:
    stage = entered()
    held_by_hand(stage, "7.4")
    closed = stage.run("second")
    assert {rest.qty for rest in resting(stage)} == {D(7)}
    assert [(gap["qty"], gap["why"]) for gap in closed.report["unprotected"]] == [
        ("0.4", "less than a share: protective orders are for whole shares")
    ]


def test_a_stop_that_was_passed_while_nothing_rested_sells_at_its_limit() -> None:
    stage = entered()
    held_by_hand(stage, "7", stop="75")  # KO trades at about 58
    closed = stage.run("second")
    refused, limit = stage.ledger.orders(closed.run_id)
    assert (refused.status, limit.limit_price, limit.protective) == (OrderStatus.REJECTED, D(40), True)
    assert "has passed its stop of 75" in limit.reason
    stage.next_day()
    stage.run("third")
    assert stage.held() == stage.owned() == {}  # above its limit it was filled at the close


def test_an_entry_filled_in_part_and_cancelled_is_protected_for_what_it_got() -> None:
    at = WEDNESDAY.replace(minute=46)  # when the close is being traded
    stage = Stage(in_and_out(execution={"max_rounds": 1}), at=at, fill_share="0.3")
    closed = stage.run("entry", schedule="manual")
    entry = next(found for found in stage.ledger.orders(closed.run_id) if not found.protective)
    assert entry.status is OrderStatus.CANCELED
    assert 0 < entry.filled_qty < entry.qty
    assert {rest.qty for rest in resting(stage)} == {entry.filled_qty}


def test_an_entry_that_is_to_be_protected_is_never_left_working() -> None:
    stage = Stage(in_and_out(execution={"max_rounds": 1, "unfilled": "leave", "poll_seconds": 1}))
    stage.exchange.wait = lambda _: stage.exchange.now  # type: ignore[method-assign,assignment] # no price is printed meanwhile
    closed = stage.run("entry")
    assert [o.status for o in stage.ledger.orders(closed.run_id)] == [OrderStatus.CANCELED]


def test_a_failed_run_leaves_no_buy_working() -> None:
    stage = Stage(in_and_out())
    inputs = open_run(RunRequest("first"), stage.config, stage.desk, MemoryExecutions())
    run = stage.ledger.run_of("first")
    assert run
    lease = lease_of(run)
    buy = order(
        Side.BUY, {"in_and_out": "10"}, "KO", "buy", run_id=inputs.run_id, bracket=Bracket(D(40), D(39), D(100))
    )
    stage.ledger.save_plan(inputs.run_id, [buy], [], [], lease)
    sent = execute_order(inputs.run_id, "buy", broker=stage.broker, ledger=stage.ledger, lease=lease)
    assert sent.status is OrderStatus.WORKING
    close_run("first", RunStatus.FAILED, "Sandbox.Timedout in SettleBuys", stage.desk, 3)
    stage.exchange.close_session()
    assert [o.status.open for o in stage.exchange.orders()] == [False] * 3
    assert stage.held() == {}


def test_an_entry_of_an_earlier_session_is_withdrawn_by_the_next_run() -> None:
    stage = Stage(in_and_out(day="2022-07-01"))
    stage.run("first")
    lease = stage.ledger.acquire_lease("by hand", stage.exchange.now, 60)
    assert lease
    stage.ledger.save_plan("old", [order(Side.BUY, {"in_and_out": "10"}, "KO", "old-1", run_id="old")], [], [], lease)
    execute_order("old", "old-1", broker=stage.broker, ledger=stage.ledger, lease=lease)
    stage.ledger.release_lease(lease)
    works = stage.exchange.orders()[0]
    stage.exchange.state.book.put(replace(works, time_in_force=TimeInForce.GTC, session=None, active_at=None))
    stage.exchange.state.now += timedelta(days=1)
    stage.run("second")
    found = stage.ledger.order("old", "old-1")
    assert found
    assert found.status is OrderStatus.CANCELED


def test_nothing_is_cancelled_by_a_run_that_has_lost_the_lease() -> None:
    stage = entered(leave="2022-06-16")
    inputs = open_run(RunRequest("second"), stage.config, stage.desk, MemoryExecutions())
    run = stage.ledger.run_of("second")
    assert run
    lease, before = lease_of(run), [rest.id for rest in resting(stage)]
    sale = order(Side.SELL, {"in_and_out": "10"}, "KO", "sale", run_id=inputs.run_id)
    stage.ledger.save_plan(inputs.run_id, [sale], [], [], lease)
    stage.ledger.release_lease(lease)
    assert stage.ledger.acquire_lease("third", stage.exchange.now, 60)
    with pytest.raises(LeaseLost):
        execute_order(inputs.run_id, "sale", broker=stage.broker, ledger=stage.ledger, lease=lease)
    with pytest.raises(LeaseLost):
        end(stage.ledger.open_orders()[0], stage.broker, stage.ledger, lease)
    assert [rest.id for rest in resting(stage)] == before


class LosesTheAnswer(ExchangeBroker):
    """The first protective order is booked, and nobody says so; it cannot be seen at once either."""

    hidden = 2

    def submit(self, request: OrderRequest) -> BrokerOrder:
        answer = super().submit(request)
        if request.is_oco and self.hidden == 2:
            raise OutcomeUnknown("connection reset")
        return answer

    def find_order(self, client_order_id: str) -> BrokerOrder | None:
        found = super().find_order(client_order_id)
        if found and "-sell-p" in client_order_id and self.hidden:
            self.hidden -= 1
            return None
        return found


def test_a_protective_order_in_doubt_is_sent_once() -> None:
    stage = Stage(in_and_out(), broker=LosesTheAnswer)
    stage.run("entry")  # whose tasks are tried again
    assert len(resting(stage)) == 2  # of one OCO
    assert prices(stage) == wished(stage)


class NeverEnds(ExchangeBroker):
    """Takes every wish to cancel, and does nothing."""

    def cancel(self, order_id: str) -> None: ...


def test_what_cannot_be_withdrawn_is_told_and_not_doubled() -> None:
    stage = entered(broker=NeverEnds)
    held_by_hand(stage, str(holding(stage).qty), stop="51")
    closed = stage.run("second")
    assert [gap["why"] for gap in closed.report["unprotected"]] == ["its earlier protective order has not ended yet"]
    assert len(resting(stage)) == 2


def test_looking_again_places_nothing_twice() -> None:
    stage = entered()
    before = [rest.id for rest in resting(stage)]
    lease = stage.ledger.acquire_lease("again", stage.exchange.now, 60)
    assert lease
    for _ in range(3):
        assert protect("again", stage.broker, stage.ledger, lease) == ()
    assert [rest.id for rest in resting(stage)] == before


def test_a_silent_broker_is_no_reason_to_call_a_holding_protected() -> None:
    stage = entered()
    stage.exchange.cancel_all()

    class Silent(ExchangeBroker):
        def submit(self, request: OrderRequest) -> BrokerOrder:
            raise OutcomeUnknown(f"{request.client_order_id}: timed out")

    stage.desk = replace(stage.desk, broker=Silent(stage.exchange))
    with pytest.raises(BrokerUnavailable, match="in doubt"):
        stage.run("second")
    stage.desk = replace(stage.desk, broker=stage.broker)
    stage.next_day()
    stage.run("third")
    assert prices(stage) == wished(stage)


def test_a_protective_order_that_only_the_broker_has_left_is_known_again() -> None:
    stage = entered()
    (ours,) = [rest for rest in stage.ledger.open_orders() if rest.protective]
    found = stage.broker.find_order(ours.client_order_id)
    assert found
    again = known_again(found, ["momentum", "in_and_out"])
    assert again
    assert (again.run_id, again.shares, again.bracket) == (ours.run_id, ours.shares, ours.bracket)
    assert known_again(found, ["momentum"]) is None
    entry = next(booked for booked in stage.exchange.orders() if booked.side.value == "buy")
    bought = stage.broker.find_order(entry.client_order_id)
    assert bought
    assert known_again(bought, ["in_and_out"]) is None
