"""Strategies that hold parts of shares."""

from pathlib import Path
from typing import Any

import pytest

from openbell.config import PlatformConfig, parse_config
from openbell.model import Halt, OrderStatus, RunStatus, Side
from tests.builders import D, sleeve
from tests.integration.workflow.stage import WEDNESDAY, Stage, sample

UNIVERSE = {"members": "tradable", "size": 20, "lookback": 60}


def settings(**entries: dict[str, Any]) -> PlatformConfig:
    made = {name: {"universe": UNIVERSE, "fractional": True, "uses": "buy_and_hold"} | e for name, e in entries.items()}
    return parse_config({"strategies": made}, "test")


def check_books(stage: Stage) -> None:
    """Shares to the billionth, cash to the cent, and nobody below zero."""
    assert stage.owned() == stage.held()
    sleeves = stage.ledger.sleeves().values()
    assert all(own.cash >= 0 for own in sleeves)
    booked = sum((own.cash for own in sleeves), D(0))
    assert abs(booked - stage.exchange.account().cash) <= D("0.005") * len(stage.exchange.fills())


def test_an_account_of_500_usd_holds_twenty_stocks() -> None:
    stage = Stage(settings(saver={"allocation": "1"}), cash="500")
    closed = stage.run()
    assert closed.status is RunStatus.COMPLETED
    assert {order.status for order in stage.ledger.orders(closed.run_id)} == {OrderStatus.FILLED}
    held = stage.held()
    assert len(held) == len(sample().symbols) == 20
    assert all(0 < qty < 10 and qty == round(qty, 9) for qty in held.values())
    values = {p.symbol: p.qty * p.price for p in stage.broker.positions().values()}
    assert all(D(22) < value < D(25) for value in values.values())  # 95 % of 500 USD, in twenty parts of 23.75
    check_books(stage)


def test_in_whole_shares_it_would_hold_few() -> None:
    stage = Stage(settings(saver={"allocation": "1", "fractional": False}), cash="500")
    stage.run()
    assert len(stage.held()) < 10
    assert all(qty == int(qty) for qty in stage.held().values())


def test_parts_are_rebalanced_sold_and_flattened_to_nothing() -> None:
    stage = Stage(settings(one={"allocation": "0.6"}, two={"uses": "sma_cross", "allocation": "0.4"}), cash="3000")
    for day in range(4):
        stage.run(f"day-{day}")
        check_books(stage)
        stage.next_day()
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    closed = stage.run("flat", "quarter_hour")
    assert {order.side for order in stage.ledger.orders(closed.run_id)} == {Side.SELL}
    assert stage.held() == {}
    check_books(stage)


@pytest.mark.parametrize("splits", ["10.5 10.5", "0.333333333 7", "1.000000001 2.5"])
def test_strategies_that_share_an_order_get_their_own_parts_back(splits: str) -> None:
    parts = {name: D(qty) for name, qty in zip(("one", "two"), splits.split(), strict=True)}
    stage = Stage(settings(one={"allocation": "0.3"}, two={"allocation": "0.3"}).only(("one", "two")))
    stage.exchange.by_hand.trade("KO", sum(parts.values(), D(0)))
    lease = stage.ledger.acquire_lease("a test", WEDNESDAY, 60)
    assert lease
    for name, qty in parts.items():
        stage.ledger.open_sleeve(sleeve(name, "0", {"KO": (str(qty), "100")}), lease)
    stage.ledger.release_lease(lease)
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    closed = stage.run()
    (order,) = stage.ledger.orders(closed.run_id)
    assert {share.strategy: share.filled_qty for share in order.shares} == parts
    assert stage.held() == {}
    assert not any(own.positions for own in stage.ledger.sleeves().values())


PROTECTED = """
from openbell.portfolio.sizing import BracketRule, SizingRule
from openbell.strategies import Parameters, Signal, Sizing, Strategy
from decimal import Decimal as D

class Guarded(Strategy[Parameters]):
    parameters_model = Parameters
    sizing = Sizing.ENTER

    def universe(self, market, size, lookback):
        return ("KO",)

    def signals(self, context):
        return [Signal("KO", 1.0, "in")]

    def sizing_rule(self):
        return SizingRule(self.sizing, D("0.05"), BracketRule(D("0.05"), D("0.06"), D("0.1")))
"""


def test_an_entry_of_parts_goes_without_a_bracket_and_keeps_the_prices_that_should_protect_it(tmp_path: Path) -> None:
    file = tmp_path / "guarded.py"
    file.write_text(PROTECTED)
    stage = Stage(settings(guarded={"uses": f"{file}:Guarded", "allocation": "0.1"}), cash="5000")
    stage.run()
    entries = [order for order in stage.exchange.orders() if order.side.value == "buy"]
    assert [(order.type.value, order.order_class.value, order.time_in_force.value) for order in entries] == [
        ("market", "", "day")
    ]
    position = stage.ledger.sleeves()["guarded"].positions["KO"]
    assert position.qty % 1
    assert position.protection is not None
    assert position.protection.stop_price < position.average_cost < position.protection.take_profit_price
