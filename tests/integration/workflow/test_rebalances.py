"""A monthly rebalance is done when its orders are filled, and not before."""

from dataclasses import replace
from datetime import date

import pytest

from lab.exchange import ExchangeBroker
from openbell.adapters.memory.executions import MemoryExecutions
from openbell.errors import OrderRejected
from openbell.execution.rebalances import carried_out
from openbell.model import BrokerOrder, Halt, Order, OrderRequest, OrderStatus, Rebalance, RunStatus, Side
from openbell.runs import fenced
from openbell.workflow.close_run import close_run
from openbell.workflow.open_run import RunRequest, open_run
from tests.builders import D, order, sleeve
from tests.integration.workflow.stage import Stage


class Refuses(ExchangeBroker):
    """Takes no order."""

    def submit(self, request: OrderRequest) -> BrokerOrder:
        raise OrderRejected(f"insufficient buying power for {request.symbol} (code 40310000)")


def sleeve_of(stage: Stage) -> tuple[date | None, Rebalance | None]:
    momentum = stage.ledger.sleeves()["momentum"]
    return momentum.last_rebalance, momentum.rebalancing


def test_a_filled_rebalance_is_the_months() -> None:
    stage = Stage()
    stage.run("first")
    assert sleeve_of(stage) == (date(2022, 6, 15), None)
    stage.next_day()
    assert stage.run("second").report["signals"].get("momentum", []) == []


def test_a_rejected_rebalance_is_tried_again_by_the_next_run() -> None:
    stage = Stage(broker=Refuses)
    first = stage.run("first")
    assert {line["status"] for line in first.report["orders"]} == {"REJECTED"}
    assert sleeve_of(stage) == (None, None)
    stage.desk = replace(stage.desk, broker=ExchangeBroker(stage.exchange))
    stage.next_day()
    stage.run("second")
    assert stage.held()
    assert sleeve_of(stage) == (date(2022, 6, 16), None)


@pytest.mark.parametrize("closed", [True, False])
def test_a_run_that_died_after_its_plan_has_not_rebalanced(closed: bool) -> None:
    stage = Stage()
    inputs = open_run(RunRequest("first", "daily"), stage.config, stage.desk, MemoryExecutions())
    begun = Rebalance(inputs.run_id, inputs.clock.session)
    planned = [replace(stage.ledger.sleeves()["momentum"], rebalancing=begun)]
    orders = [replace(order(symbol="KO"), run_id=inputs.run_id)]
    stage.ledger.save_plan(inputs.run_id, orders, planned, [], fenced(inputs.run_id, inputs.fence))
    if closed:
        close_run("first", RunStatus.FAILED, "it broke", stage.desk, 3)
        assert sleeve_of(stage) == (None, None)
    stage.next_day()
    stage.run("second")
    assert sleeve_of(stage) == (date(2022, 6, 16), None)
    assert stage.held()


def test_whoever_was_flattened_rebalances_when_trading_is_resumed() -> None:
    stage = Stage()
    stage.run("first")
    stage.next_day()
    stage.ledger.set_halt(Halt("leaving", "alice", stage.exchange.now, flatten=True))
    stage.run("flat", "manual")
    assert (stage.held(), sleeve_of(stage)) == ({}, (None, None))
    stage.ledger.clear_halt()
    stage.next_day()
    stage.run("resumed")
    assert stage.held()


def part(client_order_id: str, qty: str, filled: str, side: Side = Side.BUY) -> Order:
    """An order that ended with `filled` of `qty` shares."""
    planned = order(side, {"momentum": qty}, "KO", client_order_id, status=OrderStatus.CANCELED)
    return replace(planned, shares=tuple(replace(share, filled_qty=D(filled)) for share in planned.shares))


@pytest.mark.parametrize(
    ("orders", "done"),
    [
        ([], True),  # there was nothing to do
        ([part("r-KO-buy-x-1", "10", "10")], True),
        ([part("r-KO-buy-x-1", "10", "4")], False),
        ([part("r-KO-buy-x-1", "10", "4"), part("r-KO-buy-x-2", "6", "6")], True),
        ([part("r-KO-buy-x-1", "10", "4"), part("r-KO-buy-x-2", "6", "5")], False),
        ([part("r-KO-buy-x-1", "10", "10"), part("r-PEP-buy-x-1", "10", "0")], False),
        ([part("r-KO-sell-x-1", "10", "0", Side.SELL)], True),  # its legs had sold the shares
    ],
)
def test_revisions_of_an_order_count_together(orders: list[Order], done: bool) -> None:
    assert carried_out(sleeve(), orders) is done


def test_a_rebalance_under_way_counts_as_the_months() -> None:
    begun = replace(sleeve(last_rebalance=date(2022, 5, 2)), rebalancing=Rebalance("run", date(2022, 6, 1)))
    assert begun.rebalanced == date(2022, 6, 1)
    assert replace(begun, rebalancing=None).rebalanced == date(2022, 5, 2)
