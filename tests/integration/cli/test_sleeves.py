"""`openbell sleeves`: a strategy is renamed, disabled or resized while it holds."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from cli.rearranged import Wish, rearrange, rearrangement
from cli.views.broker_side import look_at_broker
from cli.views.sleeves import read_sleeves, sleeves_tables
from openbell.config import PlatformConfig, parse_config
from openbell.errors import InvalidInput, RunInProgress
from openbell.model import Halt, Order, RunStatus, Sleeve
from openbell.portfolio.rearranging import close, rename, resize, transfer
from tests.builders import D
from tests.integration.cli.shown import printed
from tests.integration.workflow.stage import WEDNESDAY, Stage

UNIVERSE = {"members": "tradable", "size": 20, "lookback": 252}


def config(*names: str, **changes: Any) -> PlatformConfig:
    entry = {"uses": "momentum", "allocation": "0.3", "universe": UNIVERSE, "parameters": {"hold": 3}} | changes
    return parse_config({"strategies": dict.fromkeys(names, entry)}, "test")


def do(stage: Stage, wish: Wish) -> Sequence[str]:
    made = rearrangement(wish, stage.ledger, stage.broker)
    rearrange(wish, made, "alice", stage.ledger, stage.archive, stage.broker)
    return made.told


def to_other_name(old: str, new: str) -> Wish:
    return lambda books, *_: rename(books, old, new)


@pytest.fixture
def stage() -> Stage:
    """After a run in which alpha has bought."""
    made = Stage(config("alpha"))
    made.run("first")
    made.next_day()
    return made


def contents(sleeve: Sleeve) -> tuple[Decimal, Mapping[str, Any]]:
    return sleeve.cash, sleeve.positions


def test_a_renamed_strategy_goes_on_with_what_it_had(stage: Stage) -> None:
    before = contents(stage.ledger.sleeves()["alpha"])
    do(stage, to_other_name("alpha", "beta"))
    stage.config = config("beta")
    closed = stage.run("second")
    assert closed.status is RunStatus.COMPLETED
    assert closed.report["orphans"] == {}
    assert {name: contents(found) for name, found in stage.ledger.sleeves().items()} == {"beta": before}
    assert stage.alerts.sent == []


def test_a_sleeve_that_lost_its_strategy_is_told_once_and_can_be_flattened(stage: Stage) -> None:
    stage.config = config("beta")
    for day in range(2):
        closed = stage.run(f"renamed-{day}")
        assert closed.report["orphans"]["alpha"].startswith("alpha is not in the configuration; its sleeve has ")
        stage.next_day()
    assert [subject for subject, _ in stage.alerts.sent] == ["Openbell: a sleeve has no strategy"]
    do(stage, lambda books, *_: close(books, "alpha", into="beta"))
    assert stage.owned() == stage.held()
    assert "orphans" in stage.run("joined").report
    assert set(stage.ledger.sleeves()) == {"beta"}
    stage.next_day()
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    stage.run("flat", "quarter_hour")
    assert stage.held() == {}


def test_a_disabled_strategy_is_an_orphan_too_and_is_sold_by_a_flatten(stage: Stage) -> None:
    both = {"alpha": config("alpha").strategies["alpha"].model_dump() | {"enabled": False}}
    both["beta"] = config("beta").strategies["beta"].model_dump()
    stage.config = parse_config({"strategies": both}, "test")
    assert stage.run("second").report["orphans"]["alpha"].startswith("alpha is not enabled")
    stage.next_day()
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    stage.run("flat", "quarter_hour")
    assert stage.held() == {}
    assert stage.owned() == {}


def test_a_sleeve_is_brought_to_another_allocation(stage: Stage) -> None:
    def to(share: str) -> Wish:
        return lambda books, account, prices: resize(books, "alpha", account.equity * D(share), prices)

    account = stage.broker.account()
    do(stage, to("0.5"))
    prices = {symbol: position.price for symbol, position in stage.broker.positions().items()}
    assert stage.ledger.sleeves()["alpha"].equity(prices) == pytest.approx(account.equity / 2, abs=D("0.01"))
    with pytest.raises(InvalidInput, match="let it sell first, or take less"):
        do(stage, to("0.01"))
    stage.run("second")
    assert stage.owned() == stage.held()


def test_cash_passes_on_and_none_is_lost() -> None:
    stage = Stage(config("alpha", "beta"))
    stage.run("first")
    before = {name: sleeve.cash for name, sleeve in stage.ledger.sleeves().items()}
    told = do(stage, lambda books, *_: transfer(books, "alpha", "beta", D("100.01")))
    assert told == ("100.01 USD from alpha to beta",)
    after = {name: sleeve.cash for name, sleeve in stage.ledger.sleeves().items()}
    assert after == {"alpha": before["alpha"] - D("100.01"), "beta": before["beta"] + D("100.01")}


def test_nothing_is_rearranged_while_a_run_trades(stage: Stage) -> None:
    assert stage.ledger.acquire_lease("a run", stage.exchange.now, 3600)
    before = stage.ledger.sleeves()
    with pytest.raises(RunInProgress, match="a run is trading now"):
        do(stage, to_other_name("alpha", "beta"))
    assert stage.ledger.sleeves() == before


def test_what_was_shown_is_what_is_done_or_nothing(stage: Stage) -> None:
    wish = to_other_name("alpha", "beta")
    made = rearrangement(wish, stage.ledger, stage.broker)
    lease = stage.ledger.acquire_lease("another hand", stage.exchange.now, 60)
    assert lease
    alpha = stage.ledger.sleeves()["alpha"]
    stage.ledger.save_sleeves([_with_cash(alpha, alpha.cash - 1)], lease)
    stage.ledger.release_lease(lease)
    with pytest.raises(InvalidInput, match="the books have changed since"):
        rearrange(wish, made, "alice", stage.ledger, stage.archive, stage.broker)
    assert set(stage.ledger.sleeves()) == {"alpha"}
    assert stage.ledger.lease() is None or stage.ledger.acquire_lease("next", stage.exchange.now, 60)


def _with_cash(sleeve: Sleeve, cash: Decimal) -> Sleeve:
    return Sleeve(sleeve.strategy, cash, sleeve.positions, sleeve.realised_pnl, version=sleeve.version)


def test_the_list_says_what_each_has_and_who_trades_it(stage: Stage) -> None:
    found = read_sleeves(stage.ledger, look_at_broker(lambda: stage.broker), config("beta"))
    text = printed(found, sleeves_tables)
    assert "not in the configuration" in text
    assert "Of no strategy: 69,999.99 USD in cash." in text
    unknown = read_sleeves(stage.ledger, look_at_broker(lambda: stage.broker), None)
    assert unknown.sleeves[0].state == "not known: no run yet"
    assert sum(order_qty(stage.ledger.orders(run.run_id)) for run in stage.ledger.runs()) > 0


def order_qty(orders: Sequence[Order]) -> Decimal:
    return sum((order.filled_qty for order in orders), D(0))


@pytest.mark.parametrize("wish", [lambda books, *_: close(books, "alpha"), to_other_name("gamma", "beta")])
def test_what_cannot_be_done_is_said_before_anything_is_written(stage: Stage, wish: Callable[..., Any]) -> None:
    with pytest.raises(InvalidInput):
        rearrangement(wish, stage.ledger, stage.broker)
