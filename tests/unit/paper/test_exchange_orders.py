"""What becomes of simple orders, with prices that can be followed by hand. The clock stands at 10:00 on 14 June."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from paper import Change, PaperExchange, Refused, Rules, Split, Ticket, TimeInForce
from paper.orders import Order, Side, Status
from tests.unit.paper.market_days import at, bars, buy, closes, exchange, limit, reread, sell, stop

D = Decimal
NAN = float("nan")
type Bar = tuple[float, float, float, float]
QUIET: Bar = (100, 101, 99, 100)
GTC: dict[str, Any] = {"time_in_force": TimeInForce.GTC}


def flat(start: datetime | None = None, rules: Rules | None = None) -> PaperExchange:
    """An exchange whose only stock closes at 100 every day."""
    return exchange(closes(AAPL=[100] * 4), start, rules=rules)


def holding(qty: str, rules: Rules) -> PaperExchange:
    """The same, with shares bought by hand at 100."""
    paper = flat(rules=rules)
    paper.by_hand.trade("AAPL", D(qty), D(100))
    return paper


# When and at which price.


def test_a_market_order_waits_for_the_closing_window_and_fills_at_the_close_with_slippage() -> None:
    paper = exchange(closes(AAPL=[100, 102]), rules=Rules(slippage_bps=D(5)))
    order = paper.submit(buy("10"))
    paper.advance(at(14, "15:44"))
    assert reread(paper, order).status is Status.NEW
    paper.advance(at(14, "15:45"))
    filled = reread(paper, order)
    assert (filled.status, filled.ended_at) == (Status.FILLED, at(14, "15:45"))
    assert filled.average_price == D("102.051")  # 102 x 1.0005
    assert paper.account().cash == D("8979.49")  # 10,000 - 10 x 102.051
    assert paper.position("AAPL").holding.cost == D("1020.51")


def test_slippage_makes_a_sell_cheaper() -> None:
    paper = holding("10", rules=Rules(slippage_bps=D(5)))
    paper.submit(sell("10"))
    paper.close_session()
    assert [(fill.price, fill.cash_change) for fill in paper.fills()] == [(D("99.95"), D("999.50"))]
    assert not paper.positions()


def test_a_market_order_in_the_closing_window_is_answered_as_accepted_and_has_filled() -> None:
    paper = flat(start=at(14, "15:50"))
    order = paper.submit(buy("10"))
    assert (order.status, order.filled_qty) == (Status.NEW, 0)
    assert reread(paper, order).status is Status.FILLED


@pytest.mark.parametrize("day_bar", [(99, 103, 98, 101), (99, 99, 99, 99)])
def test_an_order_sent_after_the_close_waits_as_accepted_for_the_next_open(day_bar: Bar) -> None:
    paper = exchange(bars(AAPL=[(100, 100, 100, 100)] * 2 + [day_bar]), at(14, "17:00"))
    order = paper.submit(buy("10"))
    paper.advance(at(15, "09:29"))
    assert reread(paper, order).status is Status.ACCEPTED
    paper.advance(at(15, "09:30"))
    assert reread(paper, order).average_price == 99


def test_without_opens_an_order_sent_after_the_close_fills_at_the_next_close() -> None:
    paper = exchange(closes(AAPL=[100, 101, 104]), at(14, "17:00"))
    order = paper.submit(buy("10"))
    paper.advance(at(15, "09:30"))
    assert reread(paper, order).status is Status.NEW
    paper.close_session()
    assert reread(paper, order).average_price == 104


def test_a_market_order_is_filled_in_parts_minute_by_minute() -> None:
    paper = flat(rules=Rules(fill_share=D("0.4")))
    order = paper.submit(buy("10"))
    seen = []
    for minute in ("15:45", "15:46", "15:47"):
        paper.advance(at(14, minute))
        now = reread(paper, order)
        seen.append((now.status.value, int(now.filled_qty)))
    assert seen == [("partially_filled", 4), ("partially_filled", 8), ("filled", 10)]
    assert [(fill.qty, fill.cumulative_qty, fill.leaves_qty) for fill in paper.fills()] == [
        (4, 4, 6),
        (4, 8, 2),
        (2, 10, 0),
    ]
    assert paper.account().cash == 9000


def test_a_part_is_one_share_at_least() -> None:
    paper = flat(rules=Rules(fill_share=D("0.1")))
    paper.submit(buy("2"))
    paper.close_session()
    assert [fill.qty for fill in paper.fills()] == [1, 1]


def test_a_day_order_that_the_window_cannot_fill_expires_with_what_it_has() -> None:
    paper = flat(rules=Rules(fill_share=D("0.05")))
    order = paper.submit(buy("20"))  # 1 share in each of the 15 minutes
    paper.close_session()
    ended = reread(paper, order)
    assert (ended.status, ended.filled_qty, ended.ended_at) == (Status.EXPIRED, 15, at(14, "16:00"))
    assert (paper.account().cash, paper.account().buying_power) == (8500, 8500)


def test_an_order_in_usd_buys_fractions_rounded_down() -> None:
    paper = exchange(closes(AAPL=[100, 102]))
    order = paper.submit(Ticket("AAPL", Side.BUY, notional=D(1000)))
    paper.close_session()
    assert reread(paper, order).filled_qty == D("9.803921568")  # 1000 / 102 = 9.8039215686...
    assert D("9000") <= paper.account().cash < D("9000.000001")


def test_a_missing_price_fills_nothing_and_the_day_order_expires() -> None:
    paper = exchange(closes(AAPL=[100, NAN, 100]))
    order = paper.submit(buy("10"))
    paper.close_session()
    assert reread(paper, order).status is Status.EXPIRED


# How long.


def test_a_day_limit_order_out_of_reach_expires_at_the_bell_and_frees_its_cash() -> None:
    paper = flat()
    order = paper.submit(buy("10", **limit("90")))
    assert paper.account().buying_power == 9100  # 10 x 90 set aside
    paper.close_session()
    ended = reread(paper, order)
    assert (ended.status, ended.ended_at) == (Status.EXPIRED, at(14, "16:00"))
    assert paper.account().buying_power == 10000


def test_a_day_order_sent_in_the_evening_lives_until_the_end_of_the_next_session() -> None:
    paper = flat(start=at(14, "17:00"))
    order = paper.submit(buy("10", **limit("90")))
    paper.advance(at(15, "15:59"))
    assert reread(paper, order).status is Status.NEW
    paper.close_session()
    assert reread(paper, order).ended_at == at(15, "16:00")


def test_a_gtc_order_rests_over_sessions_and_the_weekend_until_a_low_reaches_it() -> None:
    paper = exchange(bars(AAPL=[QUIET, QUIET, QUIET, QUIET, QUIET, (100, 101, 94, 97)]))
    order = paper.submit(buy("10", **GTC, **limit("95")))
    paper.advance(at(21, "15:59"))
    assert reread(paper, order).status is Status.NEW
    paper.advance(at(21, "16:00"))  # the low is known when the session has ended
    filled = reread(paper, order)
    assert (filled.status, filled.average_price, filled.ended_at) == (Status.FILLED, 95, at(21, "16:00"))


def test_an_order_placed_after_the_open_does_not_meet_the_low_of_its_first_day() -> None:
    paper = exchange(bars(AAPL=[(100, 101, 99, 100), (100, 101, 90, 100), (100, 101, 94, 100)]))
    order = paper.submit(buy("10", **GTC, **limit("95")))
    paper.close_session()
    assert reread(paper, order).status is Status.NEW
    paper.advance(at(15, "16:00"))
    assert reread(paper, order).average_price == 95


def test_a_limit_buy_fills_at_a_better_open() -> None:
    paper = exchange(bars(AAPL=[(100, 101, 99, 100), (100, 101, 99, 100), (93, 96, 92, 95)]))
    order = paper.submit(buy("10", **GTC, **limit("95")))
    paper.advance(at(15, "09:30"))
    assert reread(paper, order).average_price == 93


def test_a_stop_that_the_session_reached_fills_at_its_price_with_slippage() -> None:
    paper = exchange(bars(AAPL=[QUIET, QUIET, (100, 101, 90, 97)]), rules=Rules(slippage_bps=D(10)))
    paper.by_hand.trade("AAPL", D(10), D(100))
    order = paper.submit(sell("10", **GTC, **stop("95")))
    paper.advance(at(15, "16:00"))
    assert reread(paper, order).average_price == D("94.905")  # 95 x 0.999


# Cancel and replace.


def test_a_canceled_order_has_ended_and_cannot_be_canceled_again() -> None:
    paper = flat()
    order = paper.submit(buy("10", **limit("90")))
    paper.cancel(order.id)
    ended = reread(paper, order)
    assert (ended.status, ended.ended_at) == (Status.CANCELED, at(14, "10:00"))
    assert paper.account().buying_power == 10000
    with pytest.raises(Refused, match='already in "canceled" state') as refused:
        paper.cancel(order.id)
    assert refused.value.status == 422


def test_an_order_nobody_sent_cannot_be_canceled() -> None:
    with pytest.raises(Refused) as refused:
        flat().cancel("no-such-order")
    assert (refused.value.status, refused.value.code) == (404, 40410000)


def test_cancel_all_gives_the_orders_that_it_ended() -> None:
    paper = flat()
    first, second = (paper.submit(buy("10", **limit(price))) for price in ("90", "91"))
    assert [order.id for order in paper.cancel_all()] == [first.id, second.id]
    assert not [order for order in paper.orders() if order.status.open]
    assert paper.cancel_all() == []


def replaced(paper: PaperExchange, order: Order, **changes: Any) -> Order:
    return paper.replace(order.id, Change(**changes))


def test_a_replaced_order_ends_and_a_changed_one_with_a_new_id_takes_its_place() -> None:
    paper = flat()
    old = paper.submit(buy("10", client_order_id="mine", **limit("90")))
    new = replaced(paper, old, qty=D(5), limit_price=D(100))
    ended = reread(paper, old)
    assert (ended.status, ended.replaced_by, new.replaces) == (Status.REPLACED, new.id, old.id)
    assert new.client_order_id != "mine"
    assert paper.account().buying_power == 9500  # 5 x 100 instead of 10 x 90
    paper.close_session()
    assert (reread(paper, new).status, reread(paper, new).filled_qty) == (Status.FILLED, 5)


def test_a_change_may_use_what_the_order_had_set_aside() -> None:
    paper = flat()
    order = paper.submit(buy("100", **limit("99")))
    assert paper.account().buying_power == 100
    assert replaced(paper, order, limit_price=D(100)).status is Status.NEW  # 10,000 in all
    assert paper.account().buying_power == 0


def test_an_order_replaced_within_the_closing_window_meets_its_price_at_once() -> None:
    paper = flat(start=at(14, "15:50"))
    new = replaced(paper, paper.submit(buy("10", **limit("90"))), limit_price=D(101))
    assert reread(paper, new).average_price == 100


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"qty": D(120)}, 403, "insufficient buying power"),  # 120 x 90 = 10,800
        ({"qty": D("1.5")}, 422, "fractional"),
        ({"stop_price": D(80)}, 422, "limit orders have no stop price"),
        ({"limit_price": D("90.001")}, 422, "sub-penny"),
        ({"client_order_id": "mine"}, 422, "must be unique"),
    ],
)
def test_a_change_that_is_not_possible_leaves_the_order_as_it_is(
    change: dict[str, Any], status: int, words: str
) -> None:
    paper = flat()
    order = paper.submit(buy("10", client_order_id="mine", **limit("90")))
    with pytest.raises(Refused, match=words) as refused:
        replaced(paper, order, **change)
    assert refused.value.status == status
    assert reread(paper, order) == order


def test_a_partly_filled_order_cannot_shrink_below_what_it_has() -> None:
    paper = flat(start=at(14, "15:45"), rules=Rules(fill_share=D("0.4")))
    order = paper.submit(buy("10"))
    with pytest.raises(Refused, match="above the filled quantity 4"):
        replaced(paper, order, qty=D(4))


def test_an_ended_order_cannot_be_replaced() -> None:
    paper = flat()
    order = paper.submit(buy("10", **limit("90")))
    paper.cancel(order.id)
    with pytest.raises(Refused, match='already in "canceled" state'):
        replaced(paper, order, limit_price=D(91))


def test_a_sell_in_usd_and_one_in_shares_never_sell_more_than_is_held() -> None:
    paper = exchange(closes(AAPL=[100, 50]))
    paper.by_hand.trade("AAPL", D(20), D(100))
    in_usd = paper.submit(Ticket("AAPL", Side.SELL, notional=D(1000)))  # 10 shares at 100, 20 at 50
    in_shares = paper.submit(sell("10"))
    paper.close_session()
    assert (reread(paper, in_usd).filled_qty, reread(paper, in_shares).filled_qty) == (10, 10)
    assert not paper.positions()


# A split on the way.


def test_a_resting_order_is_told_in_new_shares_after_a_split() -> None:
    paper = exchange(bars([Split("AAPL", date(2022, 6, 15), D(4))], AAPL=[QUIET, QUIET, (25, 25.5, 22, 24)]))
    order = paper.submit(buy("10", **GTC, **limit("92")))
    paper.advance(at(15, "09:30"))
    after = reread(paper, order)
    assert (after.qty, after.limit_price) == (40, 23)  # 92 / 4
    assert paper.account().buying_power == 9080  # still 920 set aside
    paper.close_session()
    assert reread(paper, order).average_price == 23


def test_an_order_that_a_reverse_split_leaves_with_part_of_a_share_ends() -> None:
    paper = exchange(closes([Split("AAPL", date(2022, 6, 15), D("0.1"))], AAPL=[100, 100, 1000]))
    whole = paper.submit(buy("10", **GTC, **limit("90")))
    part = paper.submit(buy("15", **GTC, **limit("90")))
    paper.advance(at(15, "09:30"))
    assert (reread(paper, whole).qty, reread(paper, whole).status) == (1, Status.NEW)
    assert reread(paper, part).status is Status.CANCELED
