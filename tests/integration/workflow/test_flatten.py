"""Selling everything works whatever else is broken, sells nothing twice, and names what it could not sell."""

import sys
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from lab.exchange import ExchangeBroker
from openbell import bootstrap
from openbell.config import PlatformConfig
from openbell.errors import ConfigError, Halted, OrderRejected
from openbell.model import BrokerOrder, Halt, OrderRequest, OrderStatus, RunStatus, Side
from openbell.workflow.close_run import ClosedRun
from openbell.workflow.execute_order import execute_order
from paper import PaperExchange
from tests.builders import D, order
from tests.chaos import handlers
from tests.integration.workflow.protecting import in_and_out, resting
from tests.integration.workflow.stage import WEDNESDAY, Stage, only_momentum

UNSOLD = "Openbell: not everything was sold"


def holding(settings: PlatformConfig | None = None, broker: type[ExchangeBroker] = ExchangeBroker) -> Stage:
    """The day after the first purchases, told to sell everything."""
    stage = Stage(settings, broker=broker)
    stage.run("first")
    assert stage.held()
    stage.next_day()
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    return stage


def flattened(stage: Stage, execution: str = "flat") -> ClosedRun:
    closed = stage.run(execution, schedule="quarter_hour")
    assert closed.status is RunStatus.COMPLETED
    return closed


def left(closed: ClosedRun) -> dict[str, tuple[str, str]]:
    return {each["symbol"]: (each["qty"], each["why"]) for each in closed.report["unsold"]}


def changed(settings: PlatformConfig, **entry: Any) -> PlatformConfig:
    strategy = settings.strategies["momentum"].model_copy(update=entry)
    return settings.model_copy(update={"strategies": {"momentum": strategy}})


@pytest.mark.parametrize(
    "broken",
    [{"parameters": {"holdd": 3}}, {"uses": "nowhere:Gone"}, {"enabled": False}],
    ids=["parameters", "code", "disabled"],
)
def test_a_broken_strategy_is_sold_like_any_other(broken: dict[str, Any]) -> None:
    stage = holding()
    stage.config = changed(stage.config, **broken)
    assert left(flattened(stage)) == {}
    assert stage.held() == stage.owned() == {}
    orphaned = ["Openbell: a sleeve has no strategy"] if "enabled" in broken else []
    assert [subject for subject, _ in stage.alerts.sent] == orphaned  # of what is not sold nothing has to be said


def test_a_strategy_that_is_gone_from_the_configuration_is_sold_too() -> None:
    stage = holding()
    stage.config = in_and_out()
    flattened(stage)
    assert stage.held() == stage.owned() == {}


def test_without_a_configuration_that_can_be_read_the_handlers_sell_and_end_runs_all_the_same() -> None:
    stage = holding()
    handlers._handler("OpenRun")
    open_run = sys.modules["chaos_open_run"]
    with (
        patch.object(bootstrap, "config", side_effect=ConfigError("strategies.yaml: is not valid YAML")),
        patch.object(bootstrap, "ledger", return_value=stage.ledger),
    ):
        stage.config = open_run._config()
        assert stage.config.enabled == {}
        assert bootstrap.config_or_defaults().risk.max_failed_runs == stage.config.risk.max_failed_runs
        stage.ledger.clear_halt()
        with pytest.raises(ConfigError):
            open_run._config()
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    flattened(stage)
    assert stage.held() == stage.owned() == {}


def test_drift_in_one_symbol_keeps_no_other_from_being_sold_and_is_named_once() -> None:
    stage = holding()
    drifting = sorted(stage.held())[0]
    stage.exchange.by_hand.trade(drifting, D(-1))
    kept = stage.held()[drifting] + 1
    for execution in ("flat", "again"):
        closed = flattened(stage, execution)
        assert list(left(closed)) == [drifting]
        assert left(closed)[drifting][0] == str(kept)
        assert "the broker holds" in left(closed)[drifting][1]
        stage.next_day()
    assert stage.held() == {drifting: kept - 1}
    assert [subject for subject, _ in stage.alerts.sent].count(UNSOLD) == 1


def test_shares_of_nobody_stay() -> None:
    stage = holding()
    symbol = sorted(stage.held())[0]
    stage.exchange.by_hand.trade(symbol, D(3))
    flattened(stage)
    assert (stage.held(), stage.owned()) == ({symbol: D(3)}, {})


class Slow(ExchangeBroker):
    """An order ends at the third look after its end was asked for."""

    def __init__(self, exchange: PaperExchange) -> None:
        super().__init__(exchange)
        self._looks: dict[str, int] = {}

    def cancel(self, order_id: str) -> None:
        self._looks.setdefault(order_id, 0)

    def find_order(self, client_order_id: str) -> BrokerOrder | None:
        for order_id, looks in list(self._looks.items()):
            self._looks[order_id] = looks + 1
            if looks == 2 and self._exchange.order(order_id).status.open:
                super().cancel(order_id)
        return super().find_order(client_order_id)


@pytest.mark.parametrize("broker", [ExchangeBroker, Slow])
def test_protective_orders_give_way_however_long_it_takes_and_nothing_is_sold_twice(
    broker: type[ExchangeBroker],
) -> None:
    stage = holding(in_and_out(), broker)
    qty = stage.held()["KO"]
    stage.exchange.by_hand.trade("KO", D(5))
    flattened(stage)
    assert (stage.held(), stage.owned()) == ({"KO": D(5)}, {})
    sold = [fill.qty for fill in stage.exchange.fills() if fill.side.value == "sell"]
    assert sum(sold) == qty
    assert resting(stage) == []


def test_a_buy_that_still_works_is_withdrawn_and_waited_for_before_its_symbol_is_sold() -> None:
    stage = Stage(only_momentum(), broker=Slow)
    stage.run("first")
    stage.next_day()
    symbol = sorted(stage.held())[0]
    lease = stage.ledger.acquire_lease("by hand", stage.exchange.now, 60)
    assert lease
    buys = [order(Side.BUY, {"momentum": "1"}, symbol, "old-1", run_id="old", reference_price=D(1), limit_price=D(1))]
    stage.ledger.save_plan("old", buys, [], [], lease)
    works = execute_order("old", "old-1", broker=stage.broker, ledger=stage.ledger, lease=lease)
    assert works.status is OrderStatus.WORKING
    stage.ledger.release_lease(lease)
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    flattened(stage)
    ended = stage.ledger.order("old", "old-1")
    assert ended
    assert ended.status is OrderStatus.CANCELED
    assert stage.held() == stage.owned() == {}


def test_a_working_buy_is_withdrawn_even_if_nothing_is_held() -> None:
    stage = Stage(in_and_out(day="2022-07-01"))
    stage.run("first")
    lease = stage.ledger.acquire_lease("by hand", stage.exchange.now, 60)
    assert lease
    stage.ledger.save_plan("old", [order(Side.BUY, {"in_and_out": "5"}, "KO", "old-1", run_id="old")], [], [], lease)
    execute_order("old", "old-1", broker=stage.broker, ledger=stage.ledger, lease=lease)
    stage.ledger.release_lease(lease)
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    with pytest.raises(Halted):
        stage.run("flat", schedule="quarter_hour")
    assert [booked.status.value for booked in stage.exchange.orders()] == ["canceled"]


class Paused(ExchangeBroker):
    """KO cannot be sold at the market: its trading is paused."""

    def submit(self, request: OrderRequest) -> BrokerOrder:
        if request.side is Side.SELL and not request.bracket:
            raise OrderRejected("trading in KO is paused")
        return super().submit(request)


def test_what_the_broker_does_not_sell_is_named_and_protected_meanwhile() -> None:
    stage = holding(in_and_out(), Paused)
    qty = stage.held()["KO"]
    closed = flattened(stage)
    assert left(closed) == {"KO": (str(qty), "its sale is rejected: trading in KO is paused")}
    assert {rest.qty for rest in resting(stage)} == {qty}
    (alert,) = stage.alerts.sent
    assert alert[0] == UNSOLD
    assert f"KO: {qty} shares of in_and_out: its sale is rejected: trading in KO is paused" in alert[1]
    stage.desk = replace(stage.desk, broker=ExchangeBroker(stage.exchange))
    stage.next_day()
    assert left(flattened(stage, "again")) == {}
    assert stage.held() == stage.owned() == {}


class NeverEnds(ExchangeBroker):
    """Takes every wish to cancel, and does nothing."""

    def cancel(self, order_id: str) -> None: ...


def test_shares_that_are_not_set_free_are_named_and_stay_protected() -> None:
    stage = holding(in_and_out(), NeverEnds)
    closed = flattened(stage)
    assert left(closed)["KO"][1] == "its sale is dropped: its run ended before it was sent"
    assert len(resting(stage)) == 2
    assert UNSOLD in [subject for subject, _ in stage.alerts.sent]


def test_what_is_being_sold_already_is_not_sold_again() -> None:
    stage = Stage(in_and_out())
    stage.run("first")
    stage.next_day()
    qty = str(stage.held()["KO"])
    lease = stage.ledger.acquire_lease("by hand", stage.exchange.now, 60)
    assert lease
    stage.exchange.by_hand.trade("KO", D(qty))  # another owner's shares, which the broker would sell
    for name in ("one", "two"):
        sale = order(Side.SELL, {"in_and_out": qty}, "KO", name, run_id=name)
        stage.ledger.save_plan(name, [sale], [], [], lease)
    sent = [execute_order(n, n, broker=stage.broker, ledger=stage.ledger, lease=lease) for n in ("one", "two")]
    assert [each.status for each in sent] == [OrderStatus.WORKING, OrderStatus.DROPPED]
    assert "another order does" in sent[1].note
