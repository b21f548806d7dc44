"""One suite for every ledger: what is promised in openbell.ports.Ledger holds for all of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from openbell.accuracy import Tally
from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.errors import LeaseLost, StoreUnavailable
from openbell.events import EventKind, drift_events
from openbell.forecasts import Forecast
from openbell.model import (
    AccountLine,
    ActivityKind,
    Bracket,
    CorporateAction,
    Cross,
    Entitlement,
    Halt,
    Lease,
    Leg,
    LegKind,
    OrderStatus,
    Quarantine,
    QuarantineKind,
    Repair,
    RepairedSleeve,
    Run,
    RunStatus,
    Side,
    UnsentAlert,
)
from openbell.ports import Ledger
from tests.builders import AS_OF, D, order, sleeve
from tests.chaos.dynamo import FakeTable


def _dynamo() -> DynamoLedger:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    client.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    return DynamoLedger(client, "ledger")


@pytest.fixture(params=["memory", "dynamo", "fake dynamo"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    if request.param == "fake dynamo":  # the explorer plays on it: it must do as DynamoDB does
        yield DynamoLedger(FakeTable(), "ledger")
        return
    with mock_aws():
        yield _dynamo()


@pytest.fixture
def lease(ledger: Ledger) -> Lease:
    found = ledger.acquire_lease("execution-1", AS_OF, 3600)
    assert found
    return found


def a_run(number: int = 1, at: datetime = AS_OF, status: RunStatus = RunStatus.RUNNING) -> Run:
    return Run(f"run-{number}", f"execution-{number}", at, status, "daily", ("momentum",), fence=number)


def quarantined(name: str, kind: QuarantineKind = QuarantineKind.SYMBOL) -> Quarantine:
    return Quarantine(kind, name, "drift", "ledger 10, broker 4", AS_OF)


def a_forecast(symbol: str, skill: float | None = 0.1) -> Forecast:
    days = (date(2022, 6, 15), date(2022, 6, 16))
    # 0.1 + 0.2 is no number that decimal text shortens by itself: it must come back bit by bit
    return Forecast(symbol, 100.0, days, (0.1 + 0.2, 2.0), (1e-17, -1.5), (101.0, 1e22), 0.8, "exact", skill)


class TestTick:
    def test_one_execution_takes_a_tick_and_may_take_it_again(self, ledger: Ledger) -> None:
        assert ledger.claim_tick("daily/15:00", "a")
        assert ledger.claim_tick("daily/15:00", "a")
        assert not ledger.claim_tick("daily/15:00", "b")
        assert ledger.claim_tick("daily/15:15", "b")


class TestLease:
    def test_numbers_rise_above_one_that_is_known_from_elsewhere(self, ledger: Ledger) -> None:
        assert ledger.fence() == 0
        lease = ledger.acquire_lease("execution-1", AS_OF, 3600, above=41)
        assert lease
        assert (lease.fence, ledger.fence()) == (42, 42)
        ledger.release_lease(lease)
        assert ledger.fence() == 42
        later = ledger.acquire_lease("execution-2", AS_OF, 3600, above=7)
        assert later
        assert later.fence == 43

    def test_the_holder_gets_the_same_lease_again(self, ledger: Ledger, lease: Lease) -> None:
        assert ledger.acquire_lease("execution-1", AS_OF + timedelta(minutes=5), 3600) == lease
        assert ledger.lease() == lease

    def test_another_execution_gets_none_before_it_ends(self, ledger: Ledger, lease: Lease) -> None:
        assert ledger.acquire_lease("execution-2", lease.expires_at - timedelta(seconds=1), 3600) is None

    def test_an_expired_lease_goes_to_the_next_with_a_higher_fence(self, ledger: Ledger, lease: Lease) -> None:
        taken = ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        assert taken
        assert taken.fence == lease.fence + 1
        assert ledger.lease() == taken

    def test_a_released_lease_is_nobodys_and_its_fence_is_never_given_again(self, ledger: Ledger, lease: Lease) -> None:
        ledger.release_lease(lease)
        assert ledger.lease() is None
        taken = ledger.acquire_lease("execution-2", AS_OF, 3600)
        assert taken
        assert taken.fence == lease.fence + 1

    def test_releasing_a_lease_that_was_lost_takes_nothing_from_the_new_holder(
        self, ledger: Ledger, lease: Lease
    ) -> None:
        taken = ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        ledger.release_lease(lease)
        assert ledger.lease() == taken

    def test_only_the_newest_lease_that_was_not_given_back_passes_the_check(self, ledger: Ledger, lease: Lease) -> None:
        ledger.check_lease(lease)
        ledger.release_lease(lease)
        with pytest.raises(LeaseLost):
            ledger.check_lease(lease)
        taken = ledger.acquire_lease("execution-2", AS_OF, 3600)
        assert taken
        ledger.check_lease(taken)
        with pytest.raises(LeaseLost):
            ledger.check_lease(lease)

    def test_whoever_gave_the_lease_back_writes_no_more(self, ledger: Ledger, lease: Lease) -> None:
        ledger.release_lease(lease)
        with pytest.raises(LeaseLost):
            ledger.open_sleeve(sleeve(), lease)
        assert ledger.sleeves() == {}


class TestHalt:
    def test_the_first_reason_stays_until_trading_is_resumed(self, ledger: Ledger) -> None:
        assert ledger.halt() is None
        first = Halt("loss", "the daily loss limit", AS_OF)
        ledger.set_halt(first)
        ledger.set_halt(Halt("later", "somebody", AS_OF))
        assert ledger.halt() == first
        ledger.clear_halt()
        assert ledger.halt() is None

    def test_a_halt_takes_on_the_wish_to_flatten_and_keeps_it(self, ledger: Ledger) -> None:
        first = Halt("the daily loss", "the daily loss limit", AS_OF)
        ledger.set_halt(first)
        ledger.set_halt(Halt("sell it all", "somebody", AS_OF, flatten=True))
        assert ledger.halt() == replace(first, flatten=True)
        ledger.set_halt(Halt("later", "somebody", AS_OF))
        assert ledger.halt() == replace(first, flatten=True)


class TestQuarantine:
    def test_the_first_reason_stays_until_a_person_lifts_it(self, ledger: Ledger, lease: Lease) -> None:
        assert ledger.quarantines() == []
        symbol, sleeve_of = quarantined("KO"), quarantined("momentum", QuarantineKind.SLEEVE)
        ledger.quarantine(symbol, UnsentAlert("KO", "first"), lease)
        ledger.quarantine(replace(symbol, reason="later"), UnsentAlert("KO", "second"), lease)
        ledger.quarantine(sleeve_of, UnsentAlert("momentum", "first"), lease)
        assert ledger.quarantines() == [sleeve_of, symbol]
        assert {alert.message for alert in ledger.unsent_alerts()} == {"first"}
        done = Repair(symbol, "alice", "sold by hand", AS_OF, (RepairedSleeve("momentum", "KO", D(10), D(4)),))
        for _ in range(2):
            ledger.lift_quarantine(done, lease)
            assert ledger.quarantines() == [sleeve_of]
            assert ledger.repairs() == [done]

    def test_a_symbol_and_a_sleeve_may_share_a_name(self, ledger: Ledger, lease: Lease) -> None:
        for kind in QuarantineKind:
            ledger.quarantine(quarantined("KO", kind), UnsentAlert(kind, ""), lease)
        ledger.lift_quarantine(Repair(quarantined("KO"), "alice", "why", AS_OF), lease)
        assert ledger.quarantines() == [quarantined("KO", QuarantineKind.SLEEVE)]

    def test_it_takes_the_lease(self, ledger: Ledger, lease: Lease) -> None:
        ledger.quarantine(quarantined("KO"), UnsentAlert("KO", ""), lease)
        ledger.release_lease(lease)
        with pytest.raises(LeaseLost):
            ledger.quarantine(quarantined("PEP"), UnsentAlert("PEP", ""), lease)
        with pytest.raises(LeaseLost):
            ledger.lift_quarantine(Repair(quarantined("KO"), "alice", "why", AS_OF), lease)
        assert ledger.quarantines() == [quarantined("KO")]
        assert ledger.unsent_alerts() == [UnsentAlert("KO", "")]


class TestUnsentAlerts:
    def test_they_wait_until_they_are_sent(self, ledger: Ledger) -> None:
        first, second = UnsentAlert("drift", "KO"), UnsentAlert("drift", "PEP")
        for alert in (first, second, first):
            ledger.keep_alert(alert)
        assert len(ledger.unsent_alerts()) == 2
        for _ in range(2):
            ledger.forget_alert(first)
        assert ledger.unsent_alerts() == [second]


class TestRuns:
    def test_a_run_is_found_by_id_and_by_execution(self, ledger: Ledger, lease: Lease) -> None:
        run = a_run()
        ledger.start_run(run, lease)
        ledger.start_run(run, lease)
        assert ledger.run("run-1") == run
        assert ledger.run_of("execution-1") == run
        assert ledger.run("run-2") is None
        assert ledger.run_of("execution-2") is None

    def test_the_end_of_a_run_is_kept(self, ledger: Ledger, lease: Lease) -> None:
        ledger.start_run(a_run(), lease)
        ended = replace(a_run(), status=RunStatus.FAILED, note="it broke", seconds=1.5)
        ledger.finish_run(ended)
        assert ledger.run("run-1") == ended
        assert ledger.runs() == [ended]

    def test_a_run_that_has_ended_is_not_started_again(self, ledger: Ledger, lease: Lease) -> None:
        ended = replace(a_run(), status=RunStatus.COMPLETED)
        ledger.start_run(a_run(), lease)
        ledger.finish_run(ended)
        for late in (a_run(), replace(a_run(), status=RunStatus.SKIPPED, note="too late")):
            with pytest.raises(StoreUnavailable):
                ledger.start_run(late, None)
        assert ledger.run("run-1") == ended
        assert ledger.runs() == [ended]

    def test_an_execution_starts_one_run_at_one_moment(self, ledger: Ledger, lease: Lease) -> None:
        first = a_run()
        ledger.start_run(first, lease)
        a_minute_later = replace(first, run_id="run-1-later", as_of=AS_OF + timedelta(minutes=1))
        for slower in (replace(first, as_of=AS_OF + timedelta(seconds=2)), a_minute_later):
            with pytest.raises(StoreUnavailable):
                ledger.start_run(slower, lease)
        assert ledger.runs() == [first]
        assert ledger.run_of("execution-1") == first

    def test_a_run_is_recorded_as_skipped_twice_without_harm(self, ledger: Ledger) -> None:
        skipped = replace(a_run(), status=RunStatus.SKIPPED, note="market closed")
        ledger.start_run(skipped, None)
        ledger.start_run(skipped, None)
        assert ledger.runs() == [skipped]

    def test_the_newest_runs_come_first(self, ledger: Ledger) -> None:
        for number in (2, 3, 1):
            ledger.start_run(a_run(number, AS_OF + timedelta(minutes=number), RunStatus.SKIPPED), None)
        assert [run.run_id for run in ledger.runs(limit=2)] == ["run-3", "run-2"]

    def test_runs_that_may_have_traded_are_found_behind_any_number_of_skipped_ones(
        self, ledger: Ledger, lease: Lease
    ) -> None:
        ledger.start_run(a_run(0), lease)
        ledger.finish_run(a_run(0, status=RunStatus.FAILED))
        for number in range(1, 331):
            ledger.start_run(a_run(number, AS_OF + timedelta(minutes=number), RunStatus.SKIPPED), None)
        assert [run.run_id for run in ledger.runs(5, skipped=False)] == ["run-0"]
        assert [run.run_id for run in ledger.runs(2)] == ["run-330", "run-329"]

    def test_a_run_whose_lease_was_lost_does_not_start(self, ledger: Ledger, lease: Lease) -> None:
        ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        with pytest.raises(LeaseLost):
            ledger.start_run(a_run(), lease)
        assert ledger.run("run-1") is None


class TestSleeves:
    def test_a_sleeve_is_opened_once(self, ledger: Ledger, lease: Lease) -> None:
        first = sleeve("momentum", "40000.00", {"AAPL": ("10", "1000.10")}, date(2022, 6, 1))
        ledger.open_sleeve(first, lease)
        ledger.open_sleeve(sleeve("momentum", "1"), lease)
        assert ledger.sleeves() == {"momentum": first}

    def test_without_the_lease_none_is_opened(self, ledger: Ledger, lease: Lease) -> None:
        ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        with pytest.raises(LeaseLost):
            ledger.open_sleeve(sleeve(), lease)

    def test_sleeves_change_under_the_lease_and_from_their_newest_version(self, ledger: Ledger, lease: Lease) -> None:
        ledger.open_sleeve(sleeve("momentum", "100"), lease)
        before = ledger.sleeves()["momentum"]
        ledger.save_sleeves([replace(before, cash=D(50))], lease)
        assert ledger.sleeves()["momentum"] == replace(before, cash=D(50), version=1)
        with pytest.raises(StoreUnavailable):
            ledger.save_sleeves([replace(before, cash=D(1))], lease)
        ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        with pytest.raises(LeaseLost):
            ledger.save_sleeves([ledger.sleeves()["momentum"]], lease)


class TestAccountLine:
    def test_it_is_written_with_what_changes_besides_or_not_at_all(self, ledger: Ledger, lease: Lease) -> None:
        assert ledger.account_line() is None
        action = CorporateAction(ActivityKind.SPLIT, "KO", date(2022, 6, 16), ratio=D(2))
        entitled = Entitlement("KO", date(2022, 6, 14), None, {"momentum": D("7.5")})
        first = AccountLine(D("60000.005"), date(2022, 6, 1), ("a", "b"), entitled=(entitled,), awaited=(action,))
        ledger.save_account(first, lease)
        assert ledger.account_line() == replace(first, version=1)
        ledger.open_sleeve(sleeve("momentum", "100"), lease)
        line, owner = ledger.account_line(), ledger.sleeves()["momentum"]
        assert line is not None
        with pytest.raises(StoreUnavailable):
            ledger.save_account(replace(line, cash=D(0)), lease, [replace(owner, cash=D(1), version=9)])
        with pytest.raises(StoreUnavailable):
            ledger.save_account(replace(first, cash=D(0)), lease, [replace(owner, cash=D(1))])
        assert (ledger.account_line(), ledger.sleeves()["momentum"]) == (line, owner)
        ledger.save_account(replace(line, cash=D(7)), lease, [replace(owner, cash=D(1))])
        assert ledger.account_line() == replace(line, cash=D(7), version=line.version + 1)
        assert ledger.sleeves()["momentum"].cash == 1

    def test_orders_change_with_it(self, ledger: Ledger, lease: Lease) -> None:
        ledger.start_run(a_run(), lease)
        planned = order(shares={"momentum": "10"}, run_id="run-1")
        ledger.save_plan("run-1", [planned], [], [], lease)
        split = replace(planned, qty=D(20), shares=(replace(planned.shares[0], qty=D(20)),))
        ledger.save_account(AccountLine(D(0), date(2022, 6, 1)), lease, (), [split])
        assert ledger.order("run-1", planned.client_order_id) == replace(split, version=1)
        assert ledger.open_orders() == [replace(split, version=1)]

    def test_the_cash_of_a_new_sleeve_is_taken_from_it_once(self, ledger: Ledger, lease: Lease) -> None:
        ledger.save_account(AccountLine(D(1000), date(2022, 6, 1)), lease)
        for _ in range(2):
            ledger.open_sleeve(sleeve("momentum", "400"), lease)
        line = ledger.account_line()
        assert line is not None
        assert line.cash == 600

    def test_cash_that_sleeves_give_up_goes_to_it(self, ledger: Ledger, lease: Lease) -> None:
        ledger.save_account(AccountLine(D(1000), date(2022, 6, 1)), lease)
        ledger.open_sleeve(sleeve("momentum", "400"), lease)
        ledger.open_sleeve(sleeve("sma_cross", "100"), lease)
        one, other = ledger.sleeves()["momentum"], ledger.sleeves()["sma_cross"]
        ledger.rearrange_sleeves([replace(one, cash=D(370))], [sleeve("new", "20")], [other], [], lease)
        line = ledger.account_line()
        assert line is not None
        assert line.cash == 610  # 500 + 30 + 100 - 20

    def test_without_the_lease_it_stays(self, ledger: Ledger, lease: Lease) -> None:
        ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        with pytest.raises(LeaseLost):
            ledger.save_account(AccountLine(D(1), date(2022, 6, 1)), lease)
        assert ledger.account_line() is None


class TestPlan:
    def test_a_sealed_plan_has_its_orders_and_the_sleeves_it_changed(self, ledger: Ledger, lease: Lease) -> None:
        ledger.open_sleeve(sleeve("momentum", "100"), lease)
        orders = [order(client_order_id="b"), order(Side.SELL, client_order_id="a", bracket=None)]
        assert not ledger.plan_sealed("run")
        changed = replace(ledger.sleeves()["momentum"], cash=D("90.50"))
        ledger.save_plan("run", orders, [changed], [Cross("AAPL", "momentum", "other", D(1), D(100))], lease)
        assert ledger.plan_sealed("run")
        assert [found.client_order_id for found in ledger.orders("run")] == ["a", "b"]
        assert ledger.order("run", "b") == orders[0]
        assert ledger.order("run", "c") is None
        assert ledger.sleeves()["momentum"] == replace(changed, version=1)
        assert {found.client_order_id for found in ledger.open_orders()} == {"a", "b"}

    def test_an_empty_plan_is_sealed_too(self, ledger: Ledger, lease: Lease) -> None:
        ledger.save_plan("run", [], [], [], lease)
        assert ledger.plan_sealed("run")
        assert ledger.orders("run") == []

    def test_a_sealed_plan_is_never_written_again(self, ledger: Ledger, lease: Lease) -> None:
        ledger.save_plan("run", [order(client_order_id="a")], [], [], lease)
        ledger.save_plan("run", [order(client_order_id="b")], [], [], lease)
        assert [found.client_order_id for found in ledger.orders("run")] == ["a"]

    def test_a_plan_on_a_sleeve_that_has_changed_since_is_not_sealed(self, ledger: Ledger, lease: Lease) -> None:
        ledger.open_sleeve(sleeve(), lease)
        stale = ledger.sleeves()["momentum"]
        ledger.save_plan("run-0", [], [stale], [], lease)
        with pytest.raises(StoreUnavailable):
            ledger.save_plan("run", [order()], [stale], [], lease)
        assert not ledger.plan_sealed("run")

    def test_a_plan_of_an_execution_that_lost_the_lease_is_not_sealed(self, ledger: Ledger, lease: Lease) -> None:
        ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        with pytest.raises(LeaseLost):
            ledger.save_plan("run", [order()], [], [], lease)
        assert not ledger.plan_sealed("run")

    def test_a_plan_beyond_one_transaction_is_whole(self, ledger: Ledger, lease: Lease) -> None:
        orders = [order(client_order_id=f"order-{number:03}") for number in range(130)]
        ledger.save_plan("run", orders, [], [], lease)
        assert ledger.orders("run") == orders
        assert len(ledger.open_orders()) == 130


class TestOrders:
    def test_an_order_with_everything_comes_back_as_it_was(self, ledger: Ledger, lease: Lease) -> None:
        full = order(
            shares={"x": "1.000000001", "y": "2"},
            bracket=Bracket(D("98.01"), D(97), D(140)),
            legs=(Leg(LegKind.STOP, "leg-1", OrderStatus.WORKING, D(1), D("98.01")),),
            status=OrderStatus.FILLED,
            broker_order_id="b-1",
            filled_qty=D(3),
            filled_value=D("300.03"),
            note="an example",
        )
        ledger.save_plan("run", [full], [], [], lease)
        assert ledger.order("run", full.client_order_id) == full

    def test_each_write_gives_a_new_version(self, ledger: Ledger, lease: Lease) -> None:
        planned = order()
        ledger.save_plan("run", [planned], [], [], lease)
        saved = ledger.save_order(replace(planned, status=OrderStatus.SUBMITTING), lease)
        assert saved.version == 1
        assert ledger.order("run", planned.client_order_id) == saved

    def test_of_two_writers_the_second_must_read_again(self, ledger: Ledger, lease: Lease) -> None:
        planned = order()
        ledger.save_plan("run", [planned], [], [], lease)
        ledger.save_order(replace(planned, status=OrderStatus.SUBMITTING), lease)
        with pytest.raises(StoreUnavailable):
            ledger.save_order(replace(planned, status=OrderStatus.DROPPED), lease)
        found = ledger.order("run", planned.client_order_id)
        assert found
        assert found.status is OrderStatus.SUBMITTING

    def test_order_and_sleeves_change_together_or_not_at_all(self, ledger: Ledger, lease: Lease) -> None:
        ledger.open_sleeve(sleeve("momentum", "100"), lease)
        planned = order()
        ledger.save_plan("run", [planned], [], [], lease)
        before = ledger.sleeves()["momentum"]
        ledger.save_order(planned, lease, [replace(before, cash=D(50))])
        with pytest.raises(StoreUnavailable):  # the order is fresh, the sleeve is not
            ledger.save_order(replace(planned, version=1, note="lost"), lease, [replace(before, cash=D(1))])
        found = ledger.order("run", planned.client_order_id)
        assert found
        assert (found.version, found.note) == (1, "")
        assert ledger.sleeves()["momentum"].cash == D(50)

    def test_an_ended_order_is_open_no_more(self, ledger: Ledger, lease: Lease) -> None:
        planned = order()
        ledger.save_plan("run", [planned], [], [], lease)
        ledger.save_order(replace(planned, status=OrderStatus.FILLED), lease)
        assert ledger.open_orders() == []

    def test_a_filled_entry_is_open_as_long_as_its_legs_are(self, ledger: Ledger, lease: Lease) -> None:
        planned = order(bracket=Bracket(D(98), D(97), D(140)))
        ledger.save_plan("run", [planned], [], [], lease)
        resting = (Leg(LegKind.STOP, "leg", OrderStatus.WORKING),)
        filled = ledger.save_order(replace(planned, status=OrderStatus.FILLED, legs=resting), lease)
        assert ledger.open_orders() == [filled]
        gone = (Leg(LegKind.STOP, "leg", OrderStatus.CANCELED),)
        ledger.save_order(replace(filled, legs=gone), lease)
        assert ledger.open_orders() == []

    def test_whoever_lost_the_lease_writes_no_order(self, ledger: Ledger, lease: Lease) -> None:
        planned = order()
        ledger.save_plan("run", [planned], [], [], lease)
        ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        with pytest.raises(LeaseLost):
            ledger.save_order(replace(planned, status=OrderStatus.SUBMITTING), lease)

    def test_a_revision_is_added_to_a_sealed_plan_once(self, ledger: Ledger, lease: Lease) -> None:
        ledger.save_plan("run", [order(client_order_id="o-1")], [], [], lease)
        second = order(client_order_id="o-2", limit_price=D("100.50"))
        ledger.add_order(second, lease)
        saved = ledger.save_order(replace(second, status=OrderStatus.WORKING), lease)
        ledger.add_order(second, lease)
        assert ledger.order("run", "o-2") == saved
        assert [found.client_order_id for found in ledger.open_orders()] == ["o-1", "o-2"]
        ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        with pytest.raises(LeaseLost):
            ledger.add_order(order(client_order_id="o-3"), lease)


class TestForecasts:
    def test_forecasts_come_back_bit_by_bit(self, ledger: Ledger) -> None:
        made = [a_forecast("AAPL"), a_forecast("MSFT", skill=None)]
        ledger.save_forecasts("run", "spec", made, {"XYZ": "too few bars"})
        assert ledger.forecasts("run", "spec") == {"AAPL": made[0], "MSFT": made[1]}
        assert ledger.forecast_failures("run", "spec") == {"XYZ": "too few bars"}

    def test_specifications_and_runs_are_kept_apart(self, ledger: Ledger) -> None:
        ledger.save_forecasts("run", "spec", [a_forecast("AAPL")], {})
        assert ledger.forecasts("run", "other") == {}
        assert ledger.forecasts("run-2", "spec") == {}

    def test_a_forecast_made_later_replaces_a_failure(self, ledger: Ledger) -> None:
        ledger.save_forecasts("run", "spec", [], {"AAPL": "timed out"})
        ledger.save_forecasts("run", "spec", [a_forecast("AAPL")], {})
        assert ledger.forecast_failures("run", "spec") == {}
        assert set(ledger.forecasts("run", "spec")) == {"AAPL"}


class TestAccuracy:
    def test_the_record_comes_back_by_session_and_horizon(self, ledger: Ledger) -> None:
        first, second = Tally(20, 0.1 + 0.2, 1.5, 2.5, 18, 9, 16, 0.004), Tally(bars=1)
        ledger.save_accuracy("trend", date(2022, 6, 14), {1: first, 10: second})
        ledger.save_accuracy("trend", date(2022, 6, 15), {1: second})
        ledger.save_accuracy("trend", date(2022, 6, 15), {1: second})
        ledger.save_accuracy("other", date(2022, 6, 15), {1: first})
        assert ledger.accuracy("trend", date(2022, 6, 1)) == {
            date(2022, 6, 14): {1: first, 10: second},
            date(2022, 6, 15): {1: second},
        }
        assert list(ledger.accuracy("trend", date(2022, 6, 15))) == [date(2022, 6, 15)]
        assert ledger.accuracy("trend", date(2022, 7, 1)) == {}


class TestOutbox:
    """What the world hears of is written with the change itself, or not at all."""

    def test_a_run_that_ended_is_told_of_and_one_that_goes_on_is_not(self, ledger: Ledger, lease: Lease) -> None:
        ledger.start_run(a_run(), lease)
        assert ledger.outbox() == []
        ledger.start_run(replace(a_run(2, status=RunStatus.SKIPPED), note="market closed"), None)
        ledger.finish_run(a_run(1, status=RunStatus.COMPLETED))
        ledger.finish_run(a_run(3, status=RunStatus.FAILED))
        ids = [event.id for event in ledger.outbox()]
        assert ids == ["RunCompleted/run-1", "RunFailed/run-3", "RunSkipped/run-2"]
        assert ledger.outbox()[2].detail["note"] == "market closed"

    def test_what_was_found_at_the_end_of_a_run_is_told_with_it(self, ledger: Ledger, lease: Lease) -> None:
        run = a_run(1, status=RunStatus.COMPLETED)
        ledger.start_run(a_run(), lease)
        ledger.finish_run(run, drift_events(run, [{"symbol": "AAPL", "ledger": "10", "broker": "4"}]))
        drift, completed = ledger.outbox()
        assert (drift.kind, completed.kind) == (EventKind.DRIFT_FOUND, EventKind.RUN_COMPLETED)
        assert drift.detail["differences"] == [{"symbol": "AAPL", "ledger": "10", "broker": "4"}]

    def test_an_order_is_told_of_once_though_its_legs_go_on(self, ledger: Ledger, lease: Lease) -> None:
        planned = order(bracket=Bracket(D(90), D(89), D(110)))
        ledger.save_plan("run", [planned], [], [], lease)
        working = ledger.save_order(replace(planned, status=OrderStatus.WORKING), lease)
        assert ledger.outbox() == []
        legs = (Leg(LegKind.STOP, "b-2", OrderStatus.WORKING), Leg(LegKind.TAKE_PROFIT, "b-3", OrderStatus.WORKING))
        full = replace(working, status=OrderStatus.FILLED, filled_qty=D(10), filled_value=D("1000.5"), legs=legs)
        filled = ledger.save_order(full, lease)
        (event,) = ledger.outbox()
        assert (event.id, event.kind) == (f"OrderFilled/{planned.client_order_id}", EventKind.ORDER_FILLED)
        assert event.detail["filled_avg_price"] == "100.0500"  # 1000.5 / 10
        ledger.forget_events([event])
        ended = tuple(replace(leg, status=OrderStatus.CANCELED) for leg in legs)
        ledger.save_order(replace(filled, legs=ended), lease)
        assert ledger.outbox() == []

    def test_a_rejected_order_is_told_of_and_a_dropped_one_is_not(self, ledger: Ledger, lease: Lease) -> None:
        rejected, dropped = order(symbol="A"), order(symbol="B")
        ledger.save_plan("run", [rejected, dropped], [], [], lease)
        ledger.save_order(replace(rejected, status=OrderStatus.REJECTED, note="no buying power"), lease)
        ledger.save_order(replace(dropped, status=OrderStatus.DROPPED, note="too late"), lease)
        (event,) = ledger.outbox()
        assert (event.kind, event.detail["note"]) == (EventKind.ORDER_REJECTED, "no buying power")

    def test_part_of_an_order_that_was_filled_before_it_was_canceled_is_told_of(
        self, ledger: Ledger, lease: Lease
    ) -> None:
        planned = order()
        ledger.save_plan("run", [planned], [], [], lease)
        part = replace(planned, status=OrderStatus.CANCELED, filled_qty=D(4), filled_value=D(400))
        ledger.save_order(part, lease)
        (event,) = ledger.outbox()
        assert (event.kind, event.detail["filled_qty"]) == (EventKind.ORDER_FILLED, "4")

    def test_a_change_that_was_not_written_is_not_told_of(self, ledger: Ledger, lease: Lease) -> None:
        planned = order()
        ledger.save_plan("run", [planned], [], [], lease)
        rejected = replace(planned, status=OrderStatus.REJECTED)
        with pytest.raises(StoreUnavailable):
            ledger.save_order(replace(rejected, version=7), lease)
        ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        with pytest.raises(LeaseLost):
            ledger.save_order(rejected, lease)
        assert ledger.outbox() == []

    def test_a_halt_and_its_end_are_told_of_once(self, ledger: Ledger) -> None:
        halt = Halt("a look at it", "alice", AS_OF)
        ledger.clear_halt()  # there is none
        ledger.set_halt(halt)
        ledger.set_halt(Halt("later", "bob", AS_OF))
        ledger.clear_halt()
        ledger.clear_halt()
        first, last = ledger.outbox()
        assert (first.kind, last.kind) == (EventKind.HALTED, EventKind.RESUMED)
        assert first.detail["by"] == last.detail["halt"]["by"] == "alice"

    def test_the_wish_to_flatten_is_told_of_too(self, ledger: Ledger) -> None:
        ledger.set_halt(Halt("a look at it", "alice", AS_OF))
        ledger.set_halt(Halt("sell it all", "bob", AS_OF, flatten=True))
        assert [event.detail["flatten"] for event in ledger.outbox()] == [False, True]

    def test_only_what_is_forgotten_leaves_the_outbox(self, ledger: Ledger) -> None:
        for number in range(130):  # more than one transaction takes
            ledger.finish_run(a_run(number, status=RunStatus.COMPLETED))
        kept, *published = ledger.outbox()
        ledger.forget_events(published)
        ledger.forget_events(published)
        assert ledger.outbox() == [kept]


class TestRestore:
    def test_everything_is_there_as_it_was(self, ledger: Ledger, lease: Lease) -> None:
        working, ended = (
            order(client_order_id="run-1-A", status=OrderStatus.WORKING),
            order(client_order_id="run-1-B", status=OrderStatus.FILLED),
        )
        run = a_run(1, status=RunStatus.COMPLETED)
        orders = [replace(each, run_id=run.run_id, version=3) for each in (working, ended)]
        ledger.restore([run], {run.run_id: [Cross("A", "momentum", "other", D(2), D("10.50"))]}, orders, [], lease)
        assert ledger.runs() == [run]
        assert ledger.run_of(run.execution) == run
        assert ledger.plan_sealed(run.run_id)
        assert ledger.orders(run.run_id) == orders
        assert [found.client_order_id for found in ledger.open_orders()] == ["run-1-A"]
        assert ledger.outbox() == []

    def test_what_is_there_is_written_over(self, ledger: Ledger, lease: Lease) -> None:
        ledger.open_sleeve(sleeve(cash="100"), lease)
        ledger.save_plan("run", [order()], [], [], lease)
        (there,) = ledger.orders("run")
        ended = replace(there, status=OrderStatus.FILLED, version=9)
        ledger.restore([], {}, [ended], [replace(sleeve(cash="55.10"), version=4)], lease)
        assert ledger.open_orders() == []
        assert ledger.orders("run") == [ended]
        (found,) = ledger.sleeves().values()
        assert (found.cash, found.version) == (D("55.10"), 4)
        ledger.save_sleeves([replace(found, cash=D(60))], lease)  # goes on from there

    def test_more_than_one_transaction_takes(self, ledger: Ledger, lease: Lease) -> None:
        runs = [a_run(number, AS_OF + timedelta(minutes=number), RunStatus.COMPLETED) for number in range(40)]
        ledger.restore(runs, {}, [], [], lease)
        assert ledger.runs(100) == runs[::-1]

    def test_nothing_without_the_lease(self, ledger: Ledger, lease: Lease) -> None:
        ledger.release_lease(lease)
        with pytest.raises(LeaseLost):
            ledger.restore([a_run()], {}, [], [], lease)
        assert ledger.runs() == []


class TestRearrangedSleeves:
    def test_sleeves_and_orders_are_rearranged_in_one_step(self, ledger: Ledger, lease: Lease) -> None:
        for name, cash in (("old", "100"), ("giver", "50")):
            ledger.open_sleeve(sleeve(name, cash), lease)
        working = order(shares={"old": "10"}, status=OrderStatus.WORKING)
        ledger.save_plan("run", [working], [], [], lease)
        old, giver = ledger.sleeves()["old"], ledger.sleeves()["giver"]
        moved = replace(working, shares=(replace(working.shares[0], strategy="new"),))
        ledger.rearrange_sleeves(
            [replace(giver, cash=D(40))], [replace(old, strategy="new", cash=D(110))], [old], [moved], lease
        )
        assert {name: found.cash for name, found in ledger.sleeves().items()} == {"new": D(110), "giver": D(40)}
        assert ledger.open_orders() == [replace(moved, version=1)]
        with pytest.raises(StoreUnavailable):  # the sleeve is gone, and the order has another version
            ledger.rearrange_sleeves([], [], [old], [moved], lease)

    def test_nothing_is_rearranged_if_one_of_them_has_changed(self, ledger: Ledger, lease: Lease) -> None:
        for name in ("one", "two"):
            ledger.open_sleeve(sleeve(name, "100"), lease)
        one, two = ledger.sleeves()["one"], ledger.sleeves()["two"]
        ledger.save_sleeves([replace(two, cash=D(1))], lease)
        with pytest.raises(StoreUnavailable):
            ledger.rearrange_sleeves([one], [], [two], [], lease)
        with pytest.raises(StoreUnavailable):
            ledger.rearrange_sleeves([], [replace(two, cash=D(5))], [one], [], lease)
        with pytest.raises(StoreUnavailable):
            ledger.rearrange_sleeves([two], [], [], [], lease)
        assert {name: found.cash for name, found in ledger.sleeves().items()} == {"one": D(100), "two": D(1)}

    def test_without_the_lease_nothing_is_rearranged(self, ledger: Ledger, lease: Lease) -> None:
        ledger.open_sleeve(sleeve("one", "100"), lease)
        ledger.acquire_lease("execution-2", lease.expires_at, 3600)
        with pytest.raises(LeaseLost):
            ledger.rearrange_sleeves([], [], [ledger.sleeves()["one"]], [], lease)
