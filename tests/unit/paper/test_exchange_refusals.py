"""Which orders the account refuses, with Alpaca's status, code and words."""

from decimal import Decimal
from typing import Any

import pytest

from paper import OrderClass, PaperExchange, Refused, StopLoss, Ticket, TimeInForce
from paper.orders import Side, Status
from tests.unit.paper.market_days import at, buy, closes, exchange, limit, reread, sell, stop

D = Decimal
NAN = float("nan")


def flat(shares: str = "0", price: float = 100) -> PaperExchange:
    """10,000 USD in cash, and shares bought by hand beyond that, of a stock that always closes at the same price."""
    paper = exchange(closes(AAPL=[price] * 4, KO=[price] * 4))
    if D(shares):
        paper.by_hand.trade("AAPL", D(shares), D("0.01"))
        paper.by_hand.transfer(D(shares) * D("0.01"))
    return paper


def refusal(paper: PaperExchange, ticket: Ticket) -> Refused:
    before = len(paper.orders())
    with pytest.raises(Refused) as refused:
        paper.submit(ticket)
    assert len(paper.orders()) == before
    return refused.value


# Cash.


def test_a_market_buy_must_be_payable_two_and_a_half_percent_above_the_market() -> None:
    refused = refusal(flat(), buy("98"))  # 98 x 102.50
    assert refused.status == 403
    assert refused.body == {
        "buying_power": "10000.00",
        "code": 40310000,
        "cost_basis": "10045.00",
        "message": "insufficient buying power",
    }
    assert flat().submit(buy("97")).status is Status.NEW  # 9,942.50


def test_a_limit_buy_must_be_payable_at_its_limit() -> None:
    assert flat().submit(buy("100", **limit("100"))).status is Status.NEW
    assert refusal(flat(), buy("101", **limit("100"))).body["cost_basis"] == "10100.00"


def test_open_buys_take_buying_power_until_they_end() -> None:
    paper = flat()
    first = paper.submit(buy("60", **limit("100")))
    assert refusal(paper, buy("50", "KO", **limit("100"))).body["buying_power"] == "4000.00"
    paper.cancel(first.id)
    assert paper.submit(buy("50", "KO", **limit("100"))).status is Status.NEW


def test_a_sale_brings_buying_power_only_when_it_has_filled() -> None:
    paper = flat("50")
    paper.submit(sell("50"))
    assert refusal(paper, buy("150", "KO", **limit("100"))).message == "insufficient buying power"
    paper.advance(at(14, "15:45"))
    assert paper.submit(buy("150", "KO", **limit("100"))).status is Status.NEW  # 10,000 + 50 x 100


def test_a_market_buy_whose_price_runs_away_from_the_cash_is_rejected_at_the_print() -> None:
    paper = exchange(closes(AAPL=[100, 110]))
    order = paper.submit(buy("97"))  # 97 x 102.50 was enough, 97 x 110 = 10,670 is not
    paper.close_session()
    assert (reread(paper, order).status, reread(paper, order).filled_qty) == (Status.REJECTED, 0)
    assert paper.account().buying_power == 10000


# Shares.


def test_more_shares_than_are_held_cannot_be_sold() -> None:
    refused = refusal(flat("10"), sell("11"))
    assert refused.status == 403
    assert refused.body == {
        "available": "10",
        "code": 40310000,
        "existing_qty": "10",
        "held_for_orders": "0",
        "message": "insufficient qty available for order (requested: 11, available: 10)",
        "symbol": "AAPL",
    }


def test_nothing_is_sold_short() -> None:
    assert refusal(flat(), sell("1")).message.startswith("insufficient qty available for order")


def test_shares_that_protective_legs_hold_cannot_be_sold_again() -> None:
    paper = flat("10")
    exits = Ticket(
        "AAPL", Side.SELL, D(6), type=limit("120")["type"], limit_price=D(120), take_profit=D(120),
        stop_loss=StopLoss(D(90)), order_class=OrderClass.OCO, time_in_force=TimeInForce.GTC,
    )  # fmt: skip
    order = paper.submit(exits)
    refused = refusal(paper, sell("5"))
    assert (refused.body["held_for_orders"], refused.body["available"]) == ("6", "4")  # once, not once a leg
    assert paper.position("AAPL").qty_available == 4
    paper.cancel(order.id)
    assert paper.submit(sell("10")).status is Status.NEW


# Wash trades.


@pytest.mark.parametrize(
    ("resting", "new", "kind"),
    [
        (sell("5", **stop("90")), buy("5"), "market/stop"),
        (sell("5", **limit("120")), buy("5"), "limit"),
        (sell("5", **limit("99")), buy("5", **limit("99")), "limit"),
        (buy("5", **limit("90")), sell("5"), "limit"),
    ],
)
def test_an_order_that_could_trade_with_a_resting_one_is_a_wash_trade(resting: Ticket, new: Ticket, kind: str) -> None:
    paper = flat("10")
    order = paper.submit(resting)
    refused = refusal(paper, new)
    assert refused.status == 403
    assert refused.body == {
        "code": 40310000,
        "existing_order_id": order.id,
        "message": "potential wash trade detected. use complex orders",
        "reject_reason": f"opposite side {kind} order exists",
    }


def test_limits_that_cannot_meet_are_no_wash_trade_and_neither_is_another_symbol() -> None:
    paper = flat("10")
    paper.submit(sell("5", **limit("110")))
    assert paper.submit(buy("5", **limit("109.99"))).status is Status.NEW
    assert paper.submit(buy("5", "KO")).status is Status.NEW


# Ids.


@pytest.mark.parametrize("how_it_ended", ["canceled", "filled", "expired"])
def test_a_client_order_id_is_used_up_for_ever(how_it_ended: str) -> None:
    paper = flat()
    order = paper.submit(buy("1", client_order_id="run-1", **limit("90" if how_it_ended != "filled" else "101")))
    if how_it_ended == "canceled":
        paper.cancel(order.id)
    paper.close_session()
    assert reread(paper, order).status == how_it_ended
    paper.open_next_session(at(15, "10:00").time())
    refused = refusal(paper, buy("1", client_order_id="run-1"))
    assert refused.status == 422
    assert refused.body == {"code": 40010001, "message": "client_order_id must be unique"}


def test_a_client_order_id_may_have_128_characters() -> None:
    paper = flat()
    assert paper.submit(buy("1", client_order_id="x" * 128)).client_order_id == "x" * 128
    assert "no more than 128 characters" in refusal(paper, buy("1", client_order_id="x" * 129)).message


# What makes no sense.


@pytest.mark.parametrize(
    ("ticket", "code", "words"),
    [
        (buy("1", **limit("290.123")), 42210000, "invalid limit_price 290.123. sub-penny increment does not fulfill"),
        (buy("1", **stop("101.001")), 42210000, "invalid stop_price 101.001. sub-penny"),
        (buy("1", **limit("0.12345")), 42210000, "sub-penny"),
        (buy("1", **limit("0")), 42210000, "limit_price must be > 0"),
        (buy("0"), 40010001, "qty must be > 0"),
        (buy("-1"), 40010001, "qty must be > 0"),
        (Ticket("AAPL", Side.BUY), 40010001, "qty or notional is required"),
        (Ticket("AAPL", Side.BUY, D(1), D(100)), 40010001, "only one of qty or notional is accepted"),
        (Ticket("AAPL", Side.BUY, notional=D("0.99")), 42210000, "minimal amount of order 1"),
        (Ticket("AAPL", Side.BUY, notional=D("5.001")), 42210000, "2 decimal places"),
        (buy("0.5", time_in_force=TimeInForce.GTC), 42210000, "fractional orders must be DAY orders"),
        (buy("0.5", **limit("90")), 42210000, "fractional orders must be simple market orders"),
        (buy("0.0000000001"), 42210000, "qty increment"),
        (buy("1", type=limit("1")["type"]), 40010001, "limit orders require limit price"),
        (buy("1", limit_price=D(90)), 40010001, "market orders require no limit price"),
        (buy("1", "ZZZ"), 42210000, 'could not find asset "ZZZ"'),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(ticket: Ticket, code: int, words: str) -> None:
    refused = refusal(flat(), ticket)
    assert refused.code == code
    assert words in refused.message
    assert refused.status == (400 if "only one of" in words else 422)


def test_prices_below_a_dollar_may_have_four_decimals() -> None:
    assert flat(price=0.5).submit(buy("1", **limit("0.1234"))).status is Status.NEW


# What the account or the symbol does not allow.


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"tradable": False}, 422, "not tradable"),
        ({"active": False}, 422, "not active"),
        ({"fractionable": False}, 403, "not fractionable"),
    ],
)
def test_a_symbol_can_be_halted(changes: dict[str, bool], status: int, words: str) -> None:
    paper = flat()
    paper.by_hand.set_asset("AAPL", **changes)
    refused = refusal(paper, buy("0.5"))
    assert (refused.status, words in refused.message) == (status, True)
    paper.by_hand.set_asset("AAPL", **dict.fromkeys(changes, True))
    assert paper.submit(buy("0.5")).status is Status.NEW


@pytest.mark.parametrize("what", [{"trading": True}, {"account": True}])
def test_a_blocked_account_sends_no_orders_until_it_is_free(what: dict[str, Any]) -> None:
    paper = flat()
    paper.by_hand.block(**what)
    refused = refusal(paper, buy("1"))
    assert (refused.status, refused.code) == (403, 40310000)
    assert "blocked" in refused.message
    paper.by_hand.block(**dict.fromkeys(what, False))
    assert paper.submit(buy("1")).status is Status.NEW


def test_a_symbol_that_has_not_traded_yet_has_no_price_to_be_bought_at() -> None:
    paper = exchange(closes(AAPL=[NAN, 100]))
    assert "no price is known yet for AAPL" in refusal(paper, buy("1")).message


def test_what_is_bought_by_hand_must_be_paid_for_and_what_is_sold_be_free() -> None:
    paper = flat("10")
    with pytest.raises(Refused, match="does not pay for"):
        paper.by_hand.trade("AAPL", D(1000), D(100))
    paper.submit(sell("6", **limit("120")))
    with pytest.raises(Refused, match="insufficient qty"):
        paper.by_hand.trade("AAPL", D(-5))
    with pytest.raises(Refused, match="cannot take"):
        paper.by_hand.transfer(D(-10001))
