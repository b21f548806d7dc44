"""Orders with legs: bracket, one-triggers-other, one-cancels-other. The clock stands at 10:00 on 14 June."""

from decimal import Decimal
from typing import Any

import pytest

from paper import Change, OrderClass, OrderType, PaperExchange, Refused, Rules, Side, StopLoss, Ticket, TimeInForce
from paper.orders import Order, Status
from tests.unit.paper.market_days import at, bars, buy, closes, exchange, limit, reread, sell

D = Decimal
type Bar = tuple[float, float, float, float]
QUIET: Bar = (100, 101, 99, 100)


def market(*days: Bar, rules: Rules | None = None) -> PaperExchange:
    """Two quiet days, the second of them today, and what follows."""
    return exchange(bars(AAPL=[QUIET, QUIET, *days, QUIET, QUIET]), rules=rules)


def bracket(profit: str = "110", stop: str = "90", stop_limit: str | None = None, **more: Any) -> Ticket:
    return buy(
        "10",
        order_class=OrderClass.BRACKET,
        take_profit=D(profit),
        stop_loss=StopLoss(D(stop), D(stop_limit) if stop_limit else None),
        **{"time_in_force": TimeInForce.GTC, **more},
    )


def oco(profit: str = "110", stop: str = "90", time_in_force: TimeInForce = TimeInForce.GTC) -> Ticket:
    return sell(
        "10",
        order_class=OrderClass.OCO,
        take_profit=D(profit),
        stop_loss=StopLoss(D(stop)),
        time_in_force=time_in_force,
        **limit(profit),
    )


def statuses(paper: PaperExchange, root: Order) -> list[str]:
    """Of the order and its legs: take-profit first, then stop-loss."""
    return [reread(paper, order).status.value for order in [root, *paper.legs(root)]]


# Brackets.


def test_the_legs_of_a_bracket_are_held_until_the_entry_has_filled_completely() -> None:
    paper = market(rules=Rules(fill_share=D("0.5")))
    entry = paper.submit(bracket())
    profit, stop = paper.legs(entry)
    assert [(leg.type, leg.side, leg.qty) for leg in (profit, stop)] == [
        (OrderType.LIMIT, Side.SELL, 10),
        (OrderType.STOP, Side.SELL, 10),
    ]
    assert (profit.limit_price, stop.stop_price) == (110, 90)
    assert statuses(paper, entry) == ["new", "held", "held"]
    paper.advance(at(14, "15:45"))
    assert statuses(paper, entry) == ["partially_filled", "held", "held"]
    paper.advance(at(14, "15:46"))
    assert statuses(paper, entry) == ["filled", "new", "new"]
    assert [leg.active_at for leg in paper.legs(entry)] == [at(14, "15:46")] * 2


def test_a_stop_loss_with_a_limit_is_a_stop_limit_order() -> None:
    paper = market()
    _, stop = paper.legs(paper.submit(bracket(stop_limit="89")))
    assert (stop.type, stop.stop_price, stop.limit_price) == (OrderType.STOP_LIMIT, 90, 89)


def test_the_low_of_a_later_day_stops_the_position_out_and_ends_the_take_profit() -> None:
    paper = market((100, 101, 88, 95))
    entry = paper.submit(bracket())
    paper.advance(at(15, "15:59"))
    assert statuses(paper, entry) == ["filled", "new", "new"]
    paper.close_session()
    assert statuses(paper, entry) == ["filled", "canceled", "filled"]
    assert paper.legs(entry)[1].average_price == 90
    assert paper.account().cash == 9900  # bought at 100, sold at 90
    assert not paper.positions()


def test_the_high_of_a_later_day_takes_the_profit_and_ends_the_stop() -> None:
    paper = market((100, 112, 99, 105))
    entry = paper.submit(bracket())
    paper.advance(at(15, "16:00"))
    assert statuses(paper, entry) == ["filled", "filled", "canceled"]
    assert paper.account().cash == 10100


def test_when_a_day_touched_both_prices_the_stop_is_taken_to_be_first() -> None:
    paper = market((100, 112, 88, 105))
    entry = paper.submit(bracket())
    paper.advance(at(15, "16:00"))
    assert statuses(paper, entry) == ["filled", "canceled", "filled"]


def test_an_open_below_the_stop_fills_it_there_and_not_at_its_price() -> None:
    paper = market((85, 86, 80, 84))
    entry = paper.submit(bracket())
    paper.advance(at(15, "09:30"))
    assert paper.legs(entry)[1].average_price == 85


def test_an_open_below_the_limit_of_the_stop_leaves_the_shares_unsold() -> None:
    paper = market((85, 86, 80, 84), (84, 88, 83, 87))
    entry = paper.submit(bracket(stop_limit="88"))
    paper.advance(at(16, "15:59"))
    assert statuses(paper, entry) == ["filled", "new", "new"]
    assert paper.legs(entry)[1].triggered
    paper.close_session()  # the high of the 16th reached its limit
    assert paper.legs(entry)[1].average_price == 88


def test_without_highs_and_lows_the_legs_meet_closes() -> None:
    paper = exchange(closes(AAPL=[100, 100, 95, 89, 100]))
    entry = paper.submit(bracket())
    paper.advance(at(15, "16:00"))
    assert statuses(paper, entry) == ["filled", "new", "new"]
    paper.advance(at(16, "15:45"))
    assert statuses(paper, entry) == ["filled", "canceled", "filled"]
    assert paper.legs(entry)[1].average_price == 89


def test_an_entry_filled_within_a_day_s_range_may_be_stopped_out_by_it_but_not_take_its_profit() -> None:
    paper = market((100, 112, 94, 100))
    entry = paper.submit(bracket(stop="90", **limit("95")))
    paper.advance(at(15, "16:00"))  # the low of 94 filled the entry; whether 112 came after it is not known
    assert statuses(paper, entry) == ["filled", "new", "new"]
    paper = market((100, 112, 88, 100))
    entry = paper.submit(bracket(stop="90", **limit("95")))
    paper.advance(at(15, "16:00"))
    assert statuses(paper, entry) == ["filled", "canceled", "filled"]


def test_a_day_bracket_whose_entry_expires_takes_its_legs_along() -> None:
    paper = market()
    entry = paper.submit(bracket(stop="90", time_in_force=TimeInForce.DAY, **limit("95")))
    paper.close_session()
    assert statuses(paper, entry) == ["expired", "canceled", "canceled"]


def test_the_legs_of_a_day_bracket_end_with_the_day_and_leave_the_shares_unprotected() -> None:
    paper = market()
    entry = paper.submit(bracket(time_in_force=TimeInForce.DAY))
    paper.close_session()
    assert statuses(paper, entry) == ["filled", "expired", "expired"]
    assert paper.position("AAPL").qty_available == 10


def test_canceling_the_entry_ends_its_legs() -> None:
    paper = market()
    entry = paper.submit(bracket())
    paper.cancel(entry.id)
    assert statuses(paper, entry) == ["canceled", "canceled", "canceled"]
    assert paper.account().buying_power == 10000


@pytest.mark.parametrize("which", [0, 1])
def test_canceling_one_leg_ends_the_other(which: int) -> None:
    paper = market()
    entry = paper.submit(bracket())
    paper.close_session()
    paper.cancel(paper.legs(entry)[which].id)
    assert statuses(paper, entry) == ["filled", "canceled", "canceled"]
    assert paper.position("AAPL").qty_available == 10


def test_a_rejected_entry_ends_its_legs() -> None:
    paper = exchange(closes(AAPL=[100, 130]))
    entry = paper.submit(buy("95", order_class=OrderClass.OTO, stop_loss=StopLoss(D(90))))
    paper.close_session()
    assert statuses(paper, entry) == ["rejected", "canceled"]


def test_the_price_of_a_leg_can_be_replaced_and_the_new_leg_takes_its_place() -> None:
    paper = market((100, 101, 93, 95))
    entry = paper.submit(bracket())
    paper.close_session()
    profit, stop = paper.legs(entry)
    raised = paper.replace(stop.id, Change(stop_price=D(94)))
    assert [leg.id for leg in paper.legs(entry)] == [profit.id, raised.id]
    assert paper.position("AAPL").qty_available == 0
    paper.advance(at(15, "16:00"))
    assert statuses(paper, entry) == ["filled", "canceled", "filled"]
    assert reread(paper, raised).average_price == 94


def test_a_replaced_entry_keeps_its_legs() -> None:
    paper = market()
    entry = paper.submit(bracket(stop="80", **limit("90")))
    new = paper.replace(entry.id, Change(limit_price=D(100)))
    assert paper.legs(entry) == []
    paper.close_session()
    assert statuses(paper, new) == ["filled", "new", "new"]


def test_the_quantity_of_an_order_with_legs_cannot_be_replaced() -> None:
    paper = market()
    entry = paper.submit(bracket())
    with pytest.raises(Refused, match="only the prices") as refused:
        paper.replace(entry.id, Change(qty=D(5)))
    assert refused.value.status == 422


# One triggers the other.


@pytest.mark.parametrize("leg", [{"take_profit": D(110)}, {"stop_loss": StopLoss(D(90))}])
def test_an_oto_order_sets_its_one_leg_free_when_it_fills(leg: dict[str, Any]) -> None:
    paper = market()
    entry = paper.submit(buy("10", order_class=OrderClass.OTO, time_in_force=TimeInForce.GTC, **leg))
    assert statuses(paper, entry) == ["new", "held"]
    paper.close_session()
    assert statuses(paper, entry) == ["filled", "new"]


# One cancels the other.


def holding(*days: Bar) -> PaperExchange:
    paper = market(*days)
    paper.by_hand.trade("AAPL", D(10), D(100))
    return paper


def test_both_sides_of_an_oco_order_work_at_once() -> None:
    paper = holding()
    order = paper.submit(oco())
    (stop,) = paper.legs(order)
    assert (order.type, order.limit_price, stop.type, stop.stop_price) == (OrderType.LIMIT, 110, OrderType.STOP, 90)
    assert statuses(paper, order) == ["new", "new"]


@pytest.mark.parametrize(
    ("day", "ended", "cash"),
    [((100, 112, 99, 105), ["filled", "canceled"], 10100), ((100, 101, 88, 95), ["canceled", "filled"], 9900)],
)
def test_the_side_of_an_oco_order_that_fills_ends_the_other(day: Bar, ended: list[str], cash: int) -> None:
    paper = holding(day)
    order = paper.submit(oco())
    paper.advance(at(15, "16:00"))
    assert statuses(paper, order) == ended
    assert paper.account().cash == cash


def test_an_oco_order_for_the_day_expires_whole() -> None:
    paper = holding()
    order = paper.submit(oco(time_in_force=TimeInForce.DAY))
    paper.close_session()
    assert statuses(paper, order) == ["expired", "expired"]


# What is refused.


@pytest.mark.parametrize(
    ("ticket", "words"),
    [
        (bracket(profit="100"), "take_profit.limit_price must be >= base_price + 0.01"),
        (bracket(stop="100"), "stop_loss.stop_price must be <= base_price - 0.01"),
        (bracket(stop="97", **limit("97")), "stop_loss.stop_price must be <= base_price - 0.01"),
        (bracket(profit="80", stop="90"), "take_profit.limit_price must be > stop_loss.stop_price"),
        (bracket(profit="110.001"), "invalid take_profit.limit_price 110.001. sub-penny"),
        (bracket(stop="90.001"), "invalid stop_loss.stop_price 90.001. sub-penny"),
        (buy("10", order_class=OrderClass.BRACKET, take_profit=D(110)), "bracket orders require stop_loss.stop_price"),
        (buy("10", order_class=OrderClass.OTO), "oto orders require either take_profit or stop_loss"),
        (buy("10", take_profit=D(110)), "take_profit and stop_loss need order_class"),
        (sell("10", order_class=OrderClass.OTO, take_profit=D(110)), "oto orders must be buy orders"),
        (buy("0.5", order_class=OrderClass.OTO, take_profit=D(110)), "fractional orders must be simple"),
        (oco(stop="100"), "stop_loss.stop_price must be <= base_price - 0.01"),
    ],
)
def test_legs_on_the_wrong_side_or_of_the_wrong_number_are_refused(ticket: Ticket, words: str) -> None:
    paper = holding()
    with pytest.raises(Refused) as refused:
        paper.submit(ticket)
    assert words in refused.value.message
    assert (refused.value.status, refused.value.code) == (422, 42210000)
    assert not paper.orders()


def test_a_complex_order_is_no_wash_trade() -> None:
    paper = holding()
    paper.submit(sell("5", **limit("120")))
    assert paper.submit(bracket()).status is Status.NEW
