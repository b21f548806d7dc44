"""What happens to the account outside of the platform: splits, trades by hand, lists that are not complete."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from lab.exchange import ExchangeBroker
from openbell.adapters.memory.executions import MemoryExecutions
from openbell.errors import BrokerUnavailable
from openbell.model import BrokerPosition, OrderStatus, Position, RunStatus, Side
from openbell.workflow.open_run import RunRequest, open_run
from paper import BarArrays, History, Split, Ticket
from paper import Side as PaperSide
from tests.builders import D
from tests.integration.workflow.stage import WEDNESDAY, Stage, config, sample


def split_market(day: date, ratio: str) -> History:
    """The sample, in which every symbol splits on `day`; prices before it are those of the old shares."""
    market = sample()
    before = [session < day for session in market.sessions]
    closes = market.bars.close.copy()
    closes[before] *= float(ratio)
    splits = [Split(symbol, day, D(ratio)) for symbol in market.symbols]
    return History(market.symbols, market.sessions, BarArrays(closes), splits)


def test_a_split_in_held_symbols_is_booked_and_told() -> None:
    stage = Stage(config(), market=split_market(date(2022, 6, 16), "2"))
    stage.run("first")
    before = stage.ledger.sleeves()["momentum"]  # which trades once a month
    assert before.positions
    stage.next_day()
    closed = stage.run("second")
    assert closed.status is RunStatus.COMPLETED
    after = stage.ledger.sleeves()["momentum"]
    assert after.cash == before.cash
    assert after.positions == {s: Position(2 * held.qty, held.cost) for s, held in before.positions.items()}
    assert stage.owned() == stage.held()
    (alert,) = [sent for sent in stage.alerts.sent if "the account changed" in sent[0]]
    assert alert[0] == "Openbell: the account changed outside of the platform"
    assert "a split of" in alert[1]


def test_new_shares_of_no_strategy_are_told_once() -> None:
    stage = Stage()
    stage.run("first")
    stage.exchange.submit(Ticket("KO", PaperSide.BUY, D(7)))
    stage.exchange.close_session()
    stage.next_day()
    stage.run("second")
    stage.next_day()
    stage.run("third")
    assert [subject for subject, _ in stage.alerts.sent] == ["Openbell: the account changed outside of the platform"]
    assert "KO: 7 shares belong to no strategy (before: 0)" in stage.alerts.sent[0][1]


class ForgetsPositions(ExchangeBroker):
    """Answers that there are no positions."""

    def positions(self) -> dict[str, BrokerPosition]:
        return {}


def test_an_empty_list_of_positions_is_not_a_flat_account() -> None:
    stage = Stage()
    stage.run("first")
    stage.next_day()
    forgetful = replace(stage.desk, broker=ForgetsPositions(stage.exchange))
    with pytest.raises(BrokerUnavailable, match="the list is not complete"):
        open_run(RunRequest("second"), stage.config, forgetful, MemoryExecutions())
    assert stage.owned() == stage.held()


def test_a_strategy_may_buy_what_another_protects() -> None:
    """momentum buys where prophet_trend's stops rest: no wash trade, and the first one's protection stays."""
    stage = Stage(config().only(("prophet_trend",)), at=WEDNESDAY - timedelta(days=1))
    stage.run("first")
    protected = stage.held()
    stage.next_day()
    stage.config = config()
    closed = stage.run("second")
    bought = [order for order in stage.ledger.orders(closed.run_id) if order.strategies == ("momentum",)]
    assert {order.symbol for order in bought} & protected.keys()
    assert {order.status for order in bought} == {OrderStatus.FILLED}
    assert {order.side for order in bought} == {Side.BUY}
    assert stage.owned() == stage.held()
    resting = {order.symbol for order in stage.ledger.open_orders()}
    assert protected.keys() <= resting
