"""What happens in the moment between two looks: a leg that fills, legs that rest, a lease that is taken."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lab.exchange import ExchangeBroker
from openbell.adapters.memory.archive import MemoryArchive
from openbell.adapters.memory.executions import MemoryExecutions
from openbell.errors import BrokerUnavailable, LeaseLost, LeaseStuck, MarketClosed, RunInProgress
from openbell.execution.reconciliation import reconcile
from openbell.execution.settling import settle, withdraw
from openbell.model import Bracket, BrokerOrder, Halt, Order, OrderRequest, OrderStatus, RunStatus, Side
from openbell.runs import fenced
from openbell.workflow.close_run import close_run
from openbell.workflow.execute_order import execute_order
from openbell.workflow.open_run import IN_FLIGHT, LEASE_SECONDS, RUN_SECONDS, RunRequest, open_run
from paper import PaperExchange
from tests.builders import D, closes, order
from tests.integration.workflow.stage import WEDNESDAY, Stage, history
from tests.integration.workflow.test_orders import RUN, NeverBooks, buy, planned, send, sold

RISING = {"KO": [100, 100, 100, 120, 120]}  # the rise is on Thursday the 16th
BRACKET = Bracket(D(90), D(89), D(110))


class FillsMeanwhile(ExchangeBroker):
    """The market prints its close in the moment in which a cancellation is on its way."""

    def __init__(self, exchange: PaperExchange) -> None:
        super().__init__(exchange)
        self._market = exchange

    def cancel(self, order_id: str) -> None:
        self._market.advance(self._market.now.replace(hour=15, minute=45))
        super().cancel(order_id)


def ko(stage: Stage, client_order_id: str) -> Order:
    found = stage.ledger.order(RUN, client_order_id)
    assert found
    return found


def test_a_leg_that_fills_while_it_is_cancelled_leaves_nothing_to_sell() -> None:
    stage = Stage(market=history(closes(RISING, last="2022-06-17")), broker=FillsMeanwhile)
    lease = planned(stage, [buy(bracket=BRACKET), sold("10")])
    stage.exchange.by_hand.trade("KO", D(10))  # of nobody, and not to be sold instead
    send(stage, lease)
    stage.exchange.close_session()
    settle(ko(stage, "o-1"), stage.broker, stage.ledger, lease)
    stage.next_day()
    dropped = send(stage, lease, "o-2")
    assert dropped.status is OrderStatus.DROPPED
    assert "protective orders have sold the shares" in dropped.note
    assert stage.held() == {"KO": 10}
    assert stage.ledger.sleeves()["momentum"].positions == {}


def test_only_what_every_strategy_still_holds_is_sold() -> None:
    stage = Stage(market=history(closes(RISING, last="2022-06-17")), broker=FillsMeanwhile)
    both = order(Side.SELL, {"momentum": "14"}, "KO", "o-2")
    more = replace(buy("4"), client_order_id="o-0")
    lease = planned(stage, [more, buy(bracket=BRACKET), both])
    for client_order_id in ("o-0", "o-1"):
        send(stage, lease, client_order_id)
    stage.exchange.close_session()
    for client_order_id in ("o-0", "o-1"):
        settle(ko(stage, client_order_id), stage.broker, stage.ledger, lease)
    stage.next_day()
    sent = send(stage, lease, "o-2")  # 14 less the 10 that the take-profit sold
    assert (sent.qty, [share.qty for share in sent.shares]) == (4, [4])
    stage.exchange.close_session()
    assert stage.held() == {}


def test_a_plain_buy_is_not_sent_into_our_own_resting_legs() -> None:
    stage = Stage()
    lease = planned(stage, [buy(bracket=Bracket(D(50), D(49), D(90))), order(Side.BUY, {"momentum": "5"}, "KO", "o-3")])
    send(stage, lease)
    stage.exchange.advance(stage.exchange.now.replace(hour=15, minute=45))
    settle(ko(stage, "o-1"), stage.broker, stage.ledger, lease)
    dropped = execute_order(RUN, "o-3", broker=stage.broker, ledger=stage.ledger, lease=lease)
    assert dropped.status is OrderStatus.DROPPED
    assert "o-1 still rests" in dropped.note


def test_a_run_whose_lease_was_taken_before_it_closed_is_told_of() -> None:
    stage = Stage()
    inputs = open_run(RunRequest("first", "daily"), stage.config, stage.desk, MemoryExecutions())
    stage.ledger.save_plan(
        inputs.run_id, [replace(buy(), run_id=inputs.run_id)], [], [], fenced(inputs.run_id, inputs.fence)
    )
    assert stage.ledger.acquire_lease("second", stage.exchange.now + timedelta(hours=2), 3600)
    closed = close_run("first", RunStatus.COMPLETED, "", stage.desk, 3)
    assert closed.status is RunStatus.FAILED
    ((subject, message),) = stage.alerts.sent
    assert subject == "Openbell: a trading run failed"
    assert "another run has taken over the lease" in message


def test_a_run_that_was_never_closed_is_ended_by_the_next_one() -> None:
    stage = Stage()
    dead = open_run(RunRequest("first", "daily"), stage.config, stage.desk, MemoryExecutions())
    stage.next_day()  # by then its lease has expired
    stage.run("second")
    ended = stage.ledger.run(dead.run_id)
    assert ended
    assert (ended.status, ended.note) == (RunStatus.FAILED, "its execution ended without closing it")
    assert stage.alerts.sent == []
    assert close_run("first", RunStatus.COMPLETED, "", stage.desk, 3).status is RunStatus.FAILED  # it woke up too late
    assert [subject for subject, _ in stage.alerts.sent] == ["Openbell: a trading run failed"]


def test_flatten_withdraws_what_still_works_before_it_sells() -> None:
    stage = Stage()
    stage.run("first")
    stage.next_day()
    symbol, held = next(iter(sorted(stage.held().items())))
    lease = stage.ledger.acquire_lease("second", stage.exchange.now, 3600)
    assert lease
    resting = order(Side.SELL, {"momentum": "1"}, symbol, "o-2")
    stage.ledger.save_plan(RUN, [resting], [], [], lease)
    assert send(stage, lease, "o-2").status is OrderStatus.WORKING
    stage.ledger.release_lease(lease)
    stage.ledger.set_halt(Halt("leaving", "alice", stage.exchange.now, flatten=True))
    closed = stage.run("third", schedule="manual")
    assert ko(stage, "o-2").status is OrderStatus.CANCELED
    sold_all = next(order for order in stage.ledger.orders(closed.run_id) if order.symbol == symbol)
    assert (sold_all.status, sold_all.filled_qty) == (OrderStatus.FILLED, held)
    assert stage.held() == {}


def test_an_order_in_doubt_is_not_sent_again_under_a_halt() -> None:
    stage = Stage(broker=NeverBooks)
    lease = planned(stage, [buy()])
    with pytest.raises(BrokerUnavailable, match="in doubt"):
        send(stage, lease)
    stage.broker = ExchangeBroker(stage.exchange)
    stage.ledger.set_halt(Halt("enough", "alice", stage.exchange.now))
    assert send(stage, lease).status is OrderStatus.SUBMITTING
    assert stage.exchange.orders() == []


class Knocks(ExchangeBroker):
    """Counts what would change something at the broker."""

    def __init__(self, exchange: PaperExchange) -> None:
        super().__init__(exchange)
        self.changes = 0

    def submit(self, request: OrderRequest) -> BrokerOrder:
        self.changes += 1
        return super().submit(request)

    def cancel(self, order_id: str) -> None:
        self.changes += 1
        super().cancel(order_id)


def test_without_the_lease_nothing_is_touched_at_the_broker() -> None:
    stage = Stage(market=history(closes(RISING, last="2022-06-17")), broker=Knocks)
    broker = stage.broker
    assert isinstance(broker, Knocks)
    lease = planned(stage, [buy(bracket=BRACKET), replace(buy("1"), client_order_id="o-3"), sold("10")])
    send(stage, lease)
    send(stage, lease, "o-3")
    stage.exchange.advance(stage.exchange.now.replace(hour=15, minute=45))
    settle(ko(stage, "o-1"), broker, stage.ledger, lease)
    sent = broker.changes
    stage.ledger.release_lease(lease)  # nobody has taken it yet, but it is ours no more
    with pytest.raises(LeaseLost):
        send(stage, lease, "o-2")  # would cancel the legs
    with pytest.raises(LeaseLost):
        withdraw(stage.ledger.open_orders(), broker, stage.ledger, lease)
    assert broker.changes == sent


def test_an_order_in_doubt_is_not_sent_again_without_the_lease() -> None:
    stage = Stage(broker=NeverBooks)
    lease = planned(stage, [buy()])
    with pytest.raises(BrokerUnavailable, match="in doubt"):
        send(stage, lease)
    stage.broker = ExchangeBroker(stage.exchange)
    stage.ledger.acquire_lease("second", lease.expires_at, 3600)
    with pytest.raises(LeaseLost):
        send(stage, lease)
    assert stage.exchange.orders() == []


def test_each_attempt_to_send_is_dated_anew() -> None:
    stage = Stage(broker=NeverBooks)
    lease = planned(stage, [buy()])
    for _ in range(3):
        with pytest.raises(BrokerUnavailable, match="in doubt"):
            send(stage, lease)
        assert ko(stage, "o-1").sending_since == stage.exchange.now
        stage.exchange.wait(30)
    reconcile(stage.broker, stage.ledger, lease, stage.exchange.now - IN_FLIGHT)
    assert ko(stage, "o-1").status is OrderStatus.SUBMITTING  # the last attempt is half a minute old


def test_the_retry_of_an_opening_that_was_recorded_as_skipped_stays_skipped() -> None:
    stage = Stage()
    other = stage.ledger.acquire_lease("other", stage.exchange.now, 3600)
    assert other
    with pytest.raises(RunInProgress):
        open_run(RunRequest("mine"), stage.config, stage.desk, MemoryExecutions())
    stage.ledger.release_lease(other)
    with pytest.raises(RunInProgress, match="ended its run as SKIPPED"):
        open_run(RunRequest("mine"), stage.config, stage.desk, MemoryExecutions())
    assert stage.ledger.lease() is None


def test_a_retry_that_finds_the_market_closed_gives_the_lease_of_the_first_attempt_back() -> None:
    stage = Stage()
    open_run(RunRequest("mine"), stage.config, stage.desk, MemoryExecutions())
    stage.exchange.close_session()
    died_before_it_froze_its_inputs = replace(stage.desk, archive=MemoryArchive())
    with pytest.raises(MarketClosed):
        open_run(RunRequest("mine"), stage.config, died_before_it_froze_its_inputs, MemoryExecutions())
    assert stage.ledger.lease() is None


def test_the_lease_of_an_execution_that_has_ended_is_taken_over_at_once() -> None:
    stage = Stage()
    dead = open_run(RunRequest("first", "daily"), stage.config, stage.desk, MemoryExecutions())
    stage.exchange.wait(60)
    closed = stage.run("second", "manual", executions=MemoryExecutions({"first"}))
    assert closed.status is RunStatus.COMPLETED
    ended = stage.ledger.run(dead.run_id)
    assert ended
    assert (ended.status, ended.note) == (RunStatus.FAILED, "its execution ended without closing it")
    assert stage.ledger.lease() is None
    late = order(Side.BUY, {"momentum": "1"}, "KO", "o-1")
    with pytest.raises(LeaseLost):  # what is left of the dead one may write nothing any more
        stage.ledger.save_plan(dead.run_id, [late], [], [], fenced(dead.run_id, dead.fence))


def test_a_lease_that_no_living_execution_can_hold_is_no_reason_to_be_calm() -> None:
    stage = Stage(at=WEDNESDAY.replace(hour=11))
    lease = stage.ledger.acquire_lease("unknown", stage.exchange.now, LEASE_SECONDS)
    assert lease
    stage.exchange.wait(RUN_SECONDS)
    with pytest.raises(RunInProgress, match="unknown is trading"):
        stage.run("second", "manual")
    stage.exchange.wait(1)
    with pytest.raises(LeaseStuck, match="unknown has held the lease for longer than a run may last"):
        stage.run("third", "manual")
    stage.exchange.wait(LEASE_SECONDS - RUN_SECONDS)
    assert stage.run("fourth", schedule="manual").status is RunStatus.COMPLETED
