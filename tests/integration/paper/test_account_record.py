"""What comes and goes beside orders: the account's record and corporate actions, over HTTP and in this process."""

from collections.abc import Callable
from datetime import date

import pytest

from lab.exchange import ExchangeBroker
from openbell.model import ActivityKind, CorporateAction
from openbell.ports import Broker
from paper import Action, ActionType, Dividend, History, PaperExchange, Split
from tests.builders import D
from tests.integration.paper.conftest import Serve, broker_of
from tests.unit.paper.market_days import MONDAY, at, buy, closes, exchange

type Both = Callable[[PaperExchange], Broker]

TUESDAY, WEDNESDAY = date(2022, 6, 14), date(2022, 6, 15)


@pytest.fixture(params=["over HTTP", "in this process"])
def both(request: pytest.FixtureRequest, url_of: Serve) -> Both:
    """How to get a broker over an exchange."""
    if request.param == "over HTTP":
        return lambda paper: broker_of(url_of(paper))
    return ExchangeBroker


def changed(*actions: Action, shares: str = "10") -> PaperExchange:
    """Wednesday 10:00, with shares of AAPL that were bought on Tuesday at 100, and what companies did overnight."""
    paper = exchange(closes(AAPL=[100, 100, 100], KO=[50, 50, 50]))
    paper.by_hand.trade("AAPL", D(shares), D(100))
    for action in actions:
        paper.by_hand.announce(action)
    paper.advance(at(15, "10:00"))
    return paper


def entries(broker: Broker) -> list[tuple[str, str, str, str]]:
    return [(e.kind.value, e.symbol, str(e.qty), str(e.amount)) for e in broker.activities(MONDAY)]


def test_a_split_takes_the_old_shares_and_gives_new_ones(both: Both) -> None:
    paper = changed(Action(ActionType.FORWARD_SPLIT, "AAPL", WEDNESDAY, ratio=D("1.5")), shares="7")
    broker = both(paper)
    assert entries(broker) == [("split", "AAPL", "-7", "0"), ("split", "AAPL", "10.5", "0")]
    gone, come = broker.activities(MONDAY)
    assert gone.group == come.group != ""
    assert broker.positions()["AAPL"].qty == D("10.5")


def test_a_reverse_split_may_pay_for_parts_of_a_share(both: Both) -> None:
    paper = changed(Action(ActionType.REVERSE_SPLIT, "AAPL", WEDNESDAY, ratio=D("0.1"), in_lieu=True), shares="25")
    before = paper.account().cash
    broker = both(paper)
    assert entries(broker) == [
        ("split", "AAPL", "-25", "0"),
        ("split", "AAPL", "2", "0"),
        ("other", "AAPL", "0", "50"),  # half of a share at the last price, 100 USD
    ]
    assert (broker.positions()["AAPL"].qty, broker.account().cash) == (2, before)
    assert before == D("7550")  # 10,000 - 2,500 + 50


def test_what_a_merger_gives_and_pays(both: Both) -> None:
    paper = changed(Action(ActionType.STOCK_AND_CASH_MERGER, "AAPL", WEDNESDAY, "KO", D("0.5"), D(60)))
    broker = both(paper)
    assert entries(broker) == [
        ("merger", "AAPL", "-10", "0"),
        ("merger", "KO", "5", "0"),
        ("merger", "AAPL", "0", "600"),
    ]
    assert set(broker.positions()) == {"KO"}
    assert broker.corporate_actions(["AAPL"], TUESDAY, WEDNESDAY) == [
        CorporateAction(ActivityKind.MERGER, "AAPL", WEDNESDAY, "KO", D("0.5"), D(60), WEDNESDAY)
    ]


def test_a_spin_off_comes_beside_and_a_new_name_in_place(both: Both) -> None:
    spun = both(changed(Action(ActionType.SPIN_OFF, "AAPL", WEDNESDAY, "KO", D("0.25"))))
    assert entries(spun) == [("spin_off", "KO", "2.5", "0")]
    assert {symbol: held.qty for symbol, held in spun.positions().items()} == {"AAPL": 10, "KO": D("2.5")}


def test_a_dividend_is_paid_later_for_what_was_held_before(both: Both) -> None:
    dividend = Dividend("AAPL", TUESDAY, D("0.333"), WEDNESDAY)
    market = closes(AAPL=[100, 100, 100], KO=[50, 50, 50])
    market = History(market.symbols, market.sessions, market.bars, (), [dividend])
    paper = PaperExchange(market, D(10000), at(13, "10:00"))
    paper.by_hand.trade("AAPL", D(7), D(100))
    paper.advance(at(14, "10:00"))
    paper.by_hand.trade("AAPL", D(-7), D(100))
    broker = both(paper)
    assert entries(broker) == []
    paper.advance(at(15, "10:00"))
    assert entries(broker) == [("dividend", "AAPL", "7", "2.33")]  # 7 x 0.333
    assert broker.account().cash == D("10002.33")
    assert broker.corporate_actions(["AAPL", "KO"], MONDAY, WEDNESDAY) == [
        CorporateAction(ActivityKind.DIVIDEND, "AAPL", TUESDAY, cash=D("0.333"), pay_date=WEDNESDAY)
    ]


def test_transfers_interest_and_fees_are_told_page_by_page(both: Both) -> None:
    paper = changed(shares="1")
    paper.by_hand.transfer(D(-500))
    paper.by_hand.pay("INT", D("0.25"))
    for _ in range(120):
        paper.by_hand.pay("FEE", D("-0.01"))
    broker = both(paper)
    found = broker.activities(MONDAY)
    assert [(e.kind.value, str(e.amount)) for e in found[:3]] == [
        ("transfer", "-500"),
        ("interest", "0.25"),
        ("fee", "-0.01"),
    ]
    assert len({e.id for e in found}) == len(found) == 122
    assert broker.activities(date(2022, 6, 16)) == []


def test_fills_say_whose_order_they_are_of(both: Both) -> None:
    paper = changed(shares="1")
    order = paper.submit(buy("3", "KO"))
    paper.close_session()
    broker = both(paper)
    (fill,) = broker.fill_activities(at(15, "10:00"))
    assert (fill.kind, fill.order_id, fill.symbol, fill.qty, fill.amount) == (
        ActivityKind.FILL,
        order.id,
        "KO",
        3,
        -150,
    )
    by_hand, _ = broker.fill_activities(at(13, "09:30"))
    assert (by_hand.symbol, by_hand.qty, by_hand.amount) == ("AAPL", 1, -100)
    assert all(entry.kind is not ActivityKind.FILL for entry in broker.activities(MONDAY))


def test_splits_of_the_history_are_announced(both: Both) -> None:
    broker = both(exchange(closes([Split("AAPL", WEDNESDAY, D("0.05"))], AAPL=[100, 100, 2000], KO=[50, 50, 50])))
    assert broker.corporate_actions(["AAPL"], WEDNESDAY, WEDNESDAY) == [
        CorporateAction(ActivityKind.SPLIT, "AAPL", WEDNESDAY, ratio=D("0.05"), pay_date=WEDNESDAY)
    ]
    assert broker.corporate_actions(["KO"], WEDNESDAY, WEDNESDAY) == []
