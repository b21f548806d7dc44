"""Which price fills an order, with prices that can be checked by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest

from paper.history import DayPrices
from paper.matching import Outcome, at_print, buy_stop_limit, in_range
from paper.orders import Order, OrderClass, OrderType, Side, Status, TimeInForce
from tests.unit.paper.market_days import at

D = Decimal
NONE = Outcome()


def order(side: Side, limit: str | None = None, stop: str | None = None, triggered: bool = False) -> Order:
    kinds = {(False, False): "market", (True, False): "limit", (False, True): "stop", (True, True): "stop_limit"}
    return Order(
        id="1",
        client_order_id="1",
        symbol="AAPL",
        side=side,
        type=OrderType(kinds[limit is not None, stop is not None]),
        time_in_force=TimeInForce.GTC,
        order_class=OrderClass.SIMPLE,
        qty=D(10),
        notional=None,
        limit_price=D(limit) if limit else None,
        stop_price=D(stop) if stop else None,
        status=Status.NEW,
        created_at=at(13, "10:00"),
        updated_at=at(13, "10:00"),
        active_at=at(13, "10:00"),
        session=None,
        triggered=triggered,
    )


def buy(limit: str | None = None, stop: str | None = None, triggered: bool = False) -> Order:
    return order(Side.BUY, limit, stop, triggered)


def sell(limit: str | None = None, stop: str | None = None, triggered: bool = False) -> Order:
    return order(Side.SELL, limit, stop, triggered)


def day(low: str, high: str, close: str = "100") -> DayPrices:
    return DayPrices(open=D("100"), high=D(high), low=D(low), close=D(close))


@pytest.mark.parametrize(
    ("what", "price", "bps", "paid"),
    [
        (buy(), "100", "5", "100.05"),  # 100 x 1.0005
        (sell(), "100", "5", "99.95"),
        (buy(), "33.3333", "0", "33.3333"),
        (buy(limit="101"), "100", "5", "100"),  # a better print, and no slippage for a limit order
        (sell(limit="99"), "100", "5", "100"),
        (sell(stop="95"), "93", "5", "92.9535"),  # a gap through the stop: 93 x 0.9995
        (sell(stop="95"), "95", "0", "95"),
        (buy(stop="105"), "106", "10", "106.106"),
        (sell(limit="94.97", stop="95"), "95", "5", "94.97"),  # 95 x 0.9995 = 94.9525 is beyond the limit
    ],
)
def test_a_print_fills_at_the_price_that_the_rules_give(what: Order, price: str, bps: str, paid: str) -> None:
    assert at_print(what, D(price), D(bps)).price == D(paid)


@pytest.mark.parametrize(
    ("what", "price"),
    [(buy(limit="99"), "100"), (sell(limit="101"), "100"), (sell(stop="95"), "96"), (buy(stop="105"), "104")],
)
def test_a_print_on_the_wrong_side_of_the_price_does_nothing(what: Order, price: str) -> None:
    assert at_print(what, D(price), D(5)) == NONE


def test_a_stop_limit_that_gaps_past_its_limit_rests_as_a_limit_order() -> None:
    assert at_print(sell(limit="94", stop="95"), D(93), D(0)) == Outcome(None, triggered=True)
    assert at_print(sell(limit="94", stop="95", triggered=True), D("94.5"), D(0)).price == D("94.5")


def test_a_buy_stop_pays_at_most_two_and_a_half_percent_more_than_its_stop() -> None:
    assert buy_stop_limit(D(100)) == D("102.5")
    assert buy_stop_limit(D(40)) == D("41.6")  # 4 % below 50 USD
    assert at_print(buy(stop="100"), D("102.6"), D(0)) == Outcome(None, triggered=True)
    assert at_print(buy(stop="100"), D("102.5"), D(10)).price == D("102.5")  # slippage stays within


@pytest.mark.parametrize(
    ("what", "low", "high", "paid"),
    [
        (buy(limit="98"), "97", "103", "98"),
        (sell(limit="102"), "97", "103", "102"),
        (sell(stop="98"), "97", "103", "97.951"),  # 98 x 0.9995
        (buy(stop="102"), "97", "103", "102.051"),
        (sell(limit="97.96", stop="98"), "97", "103", "97.96"),
        (buy(limit="110"), "97", "103", "103"),  # never outside the bar
        (sell(stop="110"), "97", "103", "102.9485"),  # 103 x 0.9995
    ],
)
def test_a_complete_bar_fills_at_the_order_s_own_price(what: Order, low: str, high: str, paid: str) -> None:
    assert in_range(what, day(low, high), D(5)).price == D(paid)


@pytest.mark.parametrize("what", [buy(limit="96"), sell(limit="104"), sell(stop="96"), buy(stop="104")])
def test_a_bar_that_did_not_touch_the_price_does_nothing(what: Order) -> None:
    assert in_range(what, day("97", "103"), D(5)) == NONE


def test_a_stop_limit_with_its_limit_above_the_stop_needs_a_close_above_the_limit() -> None:
    what = sell(limit="96", stop="95")
    assert in_range(what, day("94", "100", close="95.5"), D(0)) == Outcome(None, triggered=True)
    assert in_range(what, day("94", "100", close="97"), D(0)) == Outcome(D(96), triggered=True)


def test_a_triggered_stop_limit_is_a_limit_order_over_a_bar() -> None:
    assert in_range(sell(limit="94", stop="95", triggered=True), day("90", "95"), D(5)).price == D(94)


def test_a_bar_without_a_range_is_refused() -> None:
    with pytest.raises(ValueError, match="no range"):
        in_range(buy(limit="98"), replace(day("97", "103"), low=None), D(0))
