"""Sending and settling under trouble: whatever happens, an order exists once and is booked once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from lab.exchange import ExchangeBroker
from openbell.adapters.memory.executions import MemoryExecutions
from openbell.config import ExecutionConfig
from openbell.errors import BrokerUnavailable, InvalidInput, LeaseLost, OutcomeUnknown, PlanNotSealed
from openbell.execution.reconciliation import reconcile
from openbell.execution.settling import settle
from openbell.model import Bracket, BrokerOrder, Halt, Lease, LegKind, Order, OrderRequest, OrderStatus, Side, Sleeve
from openbell.workflow.execute_order import execute_order
from openbell.workflow.open_run import RunRequest, open_run
from openbell.workflow.settle_orders import Settlement, revision, settle_orders
from tests.builders import D, order
from tests.integration.workflow.stage import WEDNESDAY, Stage, only_momentum

RUN = "run"


def planned(stage: Stage, orders: Sequence[Order], cash: str = "50000") -> Lease:
    """A sealed plan under a lease, with a sleeve that can pay for it."""
    lease = stage.ledger.acquire_lease("first", WEDNESDAY, 3600)
    assert lease
    stage.ledger.open_sleeve(Sleeve("momentum", D(cash)), lease)
    stage.ledger.save_plan(RUN, orders, [], [], lease)
    return lease


def send(stage: Stage, lease: Lease, client_order_id: str = "o-1") -> Order:
    return execute_order(RUN, client_order_id, broker=stage.broker, ledger=stage.ledger, lease=lease)


def buy(qty: str = "10", **changes: object) -> Order:
    return order(Side.BUY, {"momentum": qty}, "KO", "o-1", **changes)


def sold(qty: str, client_order_id: str = "o-2") -> Order:
    return order(Side.SELL, {"momentum": qty}, "KO", client_order_id)


class BooksAndFallsSilent(ExchangeBroker):
    """Every submission is booked, and its answer is lost."""

    def submit(self, request: OrderRequest) -> BrokerOrder:
        super().submit(request)
        raise OutcomeUnknown("connection reset")


class NeverBooks(ExchangeBroker):
    """No submission arrives."""

    def submit(self, request: OrderRequest) -> BrokerOrder:
        raise OutcomeUnknown(f"{request.client_order_id}: timed out")


def test_sending_twice_makes_one_order() -> None:
    stage = Stage()
    lease = planned(stage, [buy()])
    first = send(stage, lease)
    assert first.status is OrderStatus.WORKING
    assert send(stage, lease) == first
    assert len(stage.exchange.orders()) == 1


def test_an_order_that_was_booked_without_an_answer_is_found_and_not_sent_again() -> None:
    stage = Stage(broker=BooksAndFallsSilent)
    lease = planned(stage, [buy()])
    assert send(stage, lease).status is OrderStatus.WORKING
    assert len(stage.exchange.orders()) == 1


def test_an_order_in_doubt_that_never_arrived_is_sent_by_the_next_attempt() -> None:
    stage = Stage(broker=NeverBooks)
    lease = planned(stage, [buy()])
    with pytest.raises(BrokerUnavailable, match="in doubt"):
        send(stage, lease)
    stage.broker = ExchangeBroker(stage.exchange)
    assert send(stage, lease).status is OrderStatus.WORKING
    assert len(stage.exchange.orders()) == 1


def test_a_lambda_killed_after_booking_leaves_an_order_that_the_next_one_finds() -> None:
    stage = Stage()
    lease = planned(stage, [buy()])
    submitting = stage.ledger.save_order(replace(buy(), status=OrderStatus.SUBMITTING), lease)
    stage.broker.submit(submitting.request())  # and then it was killed
    assert send(stage, lease).status is OrderStatus.WORKING
    assert len(stage.exchange.orders()) == 1


def test_a_rejection_is_kept_with_the_brokers_reason() -> None:
    stage = Stage(cash="100")
    lease = planned(stage, [buy()])
    rejected = send(stage, lease)
    assert rejected.status is OrderStatus.REJECTED
    assert "insufficient buying power" in rejected.note
    assert stage.ledger.open_orders() == []


def test_an_unsealed_plan_is_never_executed() -> None:
    stage = Stage()
    lease = stage.ledger.acquire_lease("first", WEDNESDAY, 3600)
    assert lease
    with pytest.raises(PlanNotSealed):
        send(stage, lease)


def test_an_order_that_was_not_planned_is_not_sent() -> None:
    stage = Stage()
    lease = planned(stage, [buy()])
    with pytest.raises(InvalidInput, match="no order o-9"):
        send(stage, lease, "o-9")


def test_a_halt_stops_what_was_not_sent_yet() -> None:
    stage = Stage()
    lease = planned(stage, [buy()])
    stage.ledger.set_halt(Halt("enough", "alice", WEDNESDAY))
    assert send(stage, lease).status is OrderStatus.DROPPED
    assert stage.exchange.orders() == []


def test_whoever_lost_the_lease_sends_nothing() -> None:
    stage = Stage()
    lease = planned(stage, [buy()])
    stage.ledger.acquire_lease("second", lease.expires_at, 3600)
    with pytest.raises(LeaseLost):
        send(stage, lease)
    assert stage.exchange.orders() == []


def test_settling_books_a_fill_once_however_often_it_looks() -> None:
    stage = Stage()
    lease = planned(stage, [buy()])
    send(stage, lease)
    stage.exchange.close_session()
    for _ in range(3):
        found = stage.ledger.order(RUN, "o-1")
        assert found
        settle(found, stage.broker, stage.ledger, lease)
    sleeve = stage.ledger.sleeves()["momentum"]
    assert sleeve.held("KO") == 10
    assert sleeve.cash == D(50000) + round(stage.exchange.fills()[0].cash_change, 2)


def inputs(stage: Stage) -> str:
    """A run of its own, whose rules settle_orders reads."""
    return open_run(RunRequest("first", "daily"), stage.config, stage.desk, MemoryExecutions()).run_id


class Looks:
    """A run with one buy order that was sent at 15:00 and is filled at 15:45 at the earliest."""

    def __init__(self, unfilled: str, reference: str = "58") -> None:
        self.stage = Stage(only_momentum(execution={"unfilled": unfilled, "max_rounds": 3}))
        self.run_id = inputs(self.stage)
        lease = self.stage.ledger.lease()
        assert lease
        self.lease = lease
        wanted = replace(buy(), run_id=self.run_id, reference_price=D(reference))
        self.stage.ledger.save_plan(self.run_id, [wanted], [], [], lease)
        execute_order(self.run_id, "o-1", broker=self.stage.broker, ledger=self.stage.ledger, lease=lease)

    def look(self, last_round: int) -> Settlement:
        return settle_orders(
            self.run_id,
            ["o-1"],
            last_round,
            broker=self.stage.broker,
            ledger=self.stage.ledger,
            archive=self.stage.archive,
            lease=self.lease,
        )

    def statuses(self) -> dict[str, OrderStatus]:
        return {order.client_order_id: order.status for order in self.stage.ledger.orders(self.run_id)}


def test_an_order_that_works_is_looked_at_again() -> None:
    first = Looks("cancel").look(0)
    assert (first.round, first.settled, first.working) == (1, False, ("o-1",))


def test_an_order_unfilled_in_the_last_round_is_cancelled() -> None:
    looks = Looks("cancel")
    last = looks.look(2)
    assert (last.round, last.settled, last.working) == (3, True, ())
    assert looks.statuses() == {"o-1": OrderStatus.CANCELED}


def test_an_order_unfilled_in_the_last_round_may_be_left() -> None:
    looks = Looks("leave")
    assert looks.look(2).settled
    assert looks.statuses() == {"o-1": OrderStatus.WORKING}


def test_an_order_unfilled_in_the_last_round_may_be_repriced() -> None:
    looks = Looks("reprice")
    look = looks.look(2)
    assert (look.settled, look.working) == (False, ("o-2",))
    assert looks.statuses() == {"o-1": OrderStatus.CANCELED, "o-2": OrderStatus.WORKING}
    again = looks.stage.ledger.order(looks.run_id, "o-2")
    assert again
    assert (again.qty, again.limit_price) == (10, D("58.29"))  # 58 and 50 bps
    looks.stage.exchange.wait(3000)  # the close of 57.92 is within the limit
    last = looks.look(3)
    assert (last.settled, last.working) == (True, ())
    assert looks.statuses() == {"o-1": OrderStatus.CANCELED, "o-2": OrderStatus.FILLED}
    assert looks.look(3).settled
    assert len(looks.stage.exchange.orders()) == 2


def test_a_repriced_order_that_is_not_filled_either_is_cancelled() -> None:
    looks = Looks("reprice", reference="40")
    assert not looks.look(2).settled
    looks.stage.exchange.wait(3000)  # the close is far above the limit of 40.20
    assert not looks.look(4).settled
    assert looks.look(5).settled
    assert looks.statuses() == {"o-1": OrderStatus.CANCELED, "o-2": OrderStatus.CANCELED}
    assert looks.stage.held() == {}


def test_a_revision_that_was_not_sent_is_sent_by_the_next_look() -> None:
    looks = Looks("reprice")
    looks.stage.broker.cancel(looks.stage.exchange.orders()[0].id)
    looks.look(0)
    ended = looks.stage.ledger.order(looks.run_id, "o-1")
    assert ended
    looks.stage.ledger.add_order(revision(ended, ExecutionConfig()), looks.lease)  # and then the Lambda was killed
    assert looks.look(3).working == ("o-2",)
    assert looks.statuses()["o-2"] is OrderStatus.WORKING


def test_an_order_that_may_still_be_on_its_way_is_not_given_up() -> None:
    stage = Stage(broker=NeverBooks)
    lease = planned(stage, [buy()])
    with pytest.raises(BrokerUnavailable):
        send(stage, lease)
    stage.broker = ExchangeBroker(stage.exchange)
    soon = reconcile(stage.broker, stage.ledger, lease, dead_before=WEDNESDAY)
    assert soon.adopted == ()
    later = reconcile(stage.broker, stage.ledger, lease, dead_before=WEDNESDAY + timedelta(seconds=1))
    assert later.adopted == ("o-1",)


def test_an_order_that_the_closing_bell_overtook_is_dropped() -> None:
    stage = Stage()
    lease = planned(stage, [buy()])
    stage.exchange.close_session()
    dropped = send(stage, lease)
    assert dropped.status is OrderStatus.DROPPED
    assert "the market closed before it was sent" in dropped.note


def test_a_buy_does_not_meet_our_own_resting_sell() -> None:
    stage = Stage()
    lease = planned(stage, [buy(), sold("10"), order(Side.BUY, {"momentum": "5"}, "KO", "o-3")])
    send(stage, lease)
    stage.next_day()
    bought = stage.ledger.order(RUN, "o-1")
    assert bought
    settle(bought, stage.broker, stage.ledger, lease)
    assert send(stage, lease, "o-2").status is OrderStatus.WORKING
    dropped = send(stage, lease, "o-3")
    assert dropped.status is OrderStatus.DROPPED
    assert "o-2 still rests" in dropped.note


def test_orders_of_a_run_that_died_are_given_up_or_adopted() -> None:
    stage = Stage()
    lease = planned(stage, [buy(), order(Side.BUY, {"momentum": "5"}, "PG", "o-3")])
    send(stage, lease)
    stage.next_day()  # by then the lease of the dead run has expired
    found = open_run(RunRequest("second"), stage.config, stage.desk, MemoryExecutions()).reconciliation
    assert [(fill.client_order_id, fill.qty) for fill in found.booked] == [("o-1", 10)]
    assert found.adopted == ("o-3",)
    dropped = stage.ledger.order(RUN, "o-3")
    assert dropped
    assert dropped.status is OrderStatus.DROPPED


def test_shares_held_by_protective_orders_are_freed_before_they_are_sold() -> None:
    stage = Stage()
    entry = buy(bracket=Bracket(D(50), D(49), D(90)))
    lease = planned(stage, [entry, sold("10")])
    send(stage, lease)
    stage.exchange.close_session()
    found = stage.ledger.order(RUN, "o-1")
    assert found
    settled, _ = settle(found, stage.broker, stage.ledger, lease)
    assert {leg.kind: leg.status for leg in settled.legs} == {
        LegKind.STOP: OrderStatus.WORKING,
        LegKind.TAKE_PROFIT: OrderStatus.WORKING,
    }
    stage.next_day()
    assert send(stage, lease, "o-2").status is OrderStatus.WORKING
    stage.exchange.close_session()
    assert stage.held() == {}
    assert [rest.client_order_id for rest in stage.ledger.open_orders()] == ["o-2"]  # filled, not looked at yet
