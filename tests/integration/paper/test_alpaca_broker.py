"""`openbell.ports.Broker` over Alpaca's API: what is read, and what is sent."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from openbell.adapters.alpaca.broker import AlpacaBroker
from openbell.errors import (
    BrokerRefused,
    ConfigError,
    OrderNotCancelable,
)
from openbell.model import Bracket, BrokerPosition, LegKind, MarketClock, OrderRequest, OrderStatus, Side
from openbell.ports import Broker
from paper import PaperExchange
from paper.server import Proceed
from tests.integration.paper.conftest import Serve, broker_of
from tests.unit.paper.market_days import at, buy, closes, exchange, limit, sell

D = Decimal
BRACKET = Bracket(stop_price=D(90), stop_limit_price=D("89.5"), take_profit_price=D(110))
REQUEST = OrderRequest("run-AAPL-buy-1", "AAPL", Side.BUY, D(10))


# Reads.


def test_the_clock_is_the_exchange_s(broker: Broker) -> None:
    clock = broker.clock()
    assert clock == MarketClock(at(14, "10:00"), True, at(15, "09:30"), at(14, "16:00"))
    assert clock.session == date(2022, 6, 14)


def test_the_account_is_read_exactly(paper: PaperExchange, broker: Broker) -> None:
    paper.by_hand.trade("AAPL", D("0.3"), D("100.01"))
    paper.submit(buy("1", "KO", **limit("40")))
    account = broker.account()
    assert account.cash == D("9969.997")  # 10,000 - 0.3 x 100.01
    assert account.equity == D("9999.997")  # and 0.3 x 100
    assert (account.buying_power, account.last_equity, account.blocked) == (D("9929.997"), 10000, "")


@pytest.mark.parametrize(
    ("what", "words"),
    [({"trading": True}, "trading blocked"), ({"trading": True, "account": True}, "account blocked, trading blocked")],
)
def test_a_blocked_account_says_why(paper: PaperExchange, broker: Broker, what: dict[str, bool], words: str) -> None:
    paper.by_hand.block(**what)
    assert broker.account().blocked == words


def test_positions_are_equities_with_what_is_free_of_them(paper: PaperExchange, broker: Broker) -> None:
    paper.by_hand.trade("AAPL", D(10), D(95))
    paper.by_hand.trade("BTC/USD", D("0.01"), D(30000), "crypto")
    paper.submit(sell("4", **limit("120")))
    assert broker.positions() == {"AAPL": BrokerPosition("AAPL", D(10), D(6), D(95), D(100))}


def test_a_short_position_has_a_negative_quantity(paper: PaperExchange, url_of: Serve) -> None:
    short = b'[{"symbol": "AAPL", "side": "short", "qty": "7", "avg_entry_price": "100", "current_price": null}]'
    broker = broker_of(url_of(paper, lambda _request, _proceed: Response(short, content_type="application/json")))
    assert broker.positions() == {"AAPL": BrokerPosition("AAPL", D(-7), D(-7), D(100), D(100))}


def test_tradable_symbols_leave_out_what_is_halted(paper: PaperExchange, broker: Broker) -> None:
    assert broker.tradable_symbols() == {"AAPL", "KO"}
    paper.by_hand.set_asset("AAPL", tradable=False)
    assert broker.tradable_symbols() == {"KO"}
    paper.by_hand.set_asset("KO", active=False)
    assert broker.tradable_symbols() == frozenset()


def test_open_orders_are_complete_beyond_the_largest_page(paper: PaperExchange, broker: Broker) -> None:
    sent = [paper.submit(buy("1", **limit("1"))).id for _ in range(1001)]
    assert [order.id for order in broker.open_orders()] == sent


def test_orders_since_are_complete_however_they_stand(paper: PaperExchange, broker: Broker) -> None:
    before = paper.submit(buy("1", **limit("1")))
    paper.advance(paper.now + timedelta(seconds=1))
    since = paper.now
    paper.advance(paper.now + timedelta(seconds=1))
    sent = [paper.submit(buy("1", **limit("1"))).id for _ in range(501)]
    paper.cancel(sent[0])
    found = broker.orders_since(since)
    assert [order.id for order in found] == sent
    assert (found[0].status, found[1].status) == (OrderStatus.CANCELED, OrderStatus.WORKING)
    assert before.id in {order.id for order in broker.orders_since(since - timedelta(hours=1))}
    assert broker.orders_since(paper.now) == []


def test_an_order_that_ends_between_two_pages_moves_nothing(paper: PaperExchange, url_of: Serve) -> None:
    sent = [paper.submit(buy("1", **limit("1"))).id for _ in range(502)]
    last_of_page = sent[499]

    def end_it(_request: Request, proceed: Proceed) -> Response:
        answer = proceed()
        if paper.order(last_of_page).status.open:
            paper.cancel(last_of_page)
        return answer

    assert [order.id for order in broker_of(url_of(paper, end_it)).open_orders()] == sent


def test_open_orders_have_their_legs_as_long_as_one_of_them_is_open(paper: PaperExchange, broker: Broker) -> None:
    broker.submit(replace(REQUEST, bracket=BRACKET))
    paper.close_session()
    (order,) = broker.open_orders()
    assert (order.status, order.filled_qty, order.filled_avg_price) == (OrderStatus.FILLED, 10, 102)
    assert [(leg.kind, leg.status, leg.side) for leg in order.legs] == [
        (LegKind.TAKE_PROFIT, OrderStatus.WORKING, Side.SELL),
        (LegKind.STOP, OrderStatus.WORKING, Side.SELL),
    ]
    broker.cancel(order.legs[0].id)
    assert broker.open_orders() == []


# Orders.


def test_an_order_is_sent_as_a_market_order_for_the_day(paper: PaperExchange, broker: Broker) -> None:
    answered = broker.submit(REQUEST)
    (order,) = paper.orders()
    assert (order.client_order_id, order.symbol, order.side, order.qty) == ("run-AAPL-buy-1", "AAPL", "buy", 10)
    assert (order.type, order.time_in_force, order.order_class) == ("market", "day", "")
    assert (answered.id, answered.status, answered.kind) == (order.id, OrderStatus.WORKING, LegKind.ENTRY)
    assert (answered.qty, answered.filled_qty, answered.filled_avg_price) == (10, 0, 0)


def test_a_bracket_is_sent_until_canceled_with_its_prices(paper: PaperExchange, broker: Broker) -> None:
    answered = broker.submit(replace(REQUEST, bracket=BRACKET))
    entry, profit, stop = paper.orders()
    assert (entry.type, entry.time_in_force, entry.order_class) == ("market", "gtc", "bracket")
    assert (profit.limit_price, stop.stop_price, stop.limit_price) == (110, 90, D("89.5"))
    assert [leg.id for leg in answered.legs] == [profit.id, stop.id]


def test_a_fraction_of_a_share_is_sent_exactly(paper: PaperExchange, broker: Broker) -> None:
    broker.submit(replace(REQUEST, qty=D("0.123456789")))
    assert paper.orders()[0].qty == D("0.123456789")


def test_an_order_is_found_by_our_id_with_its_legs_and_fills(paper: PaperExchange, broker: Broker) -> None:
    broker.submit(replace(REQUEST, bracket=BRACKET))
    paper.close_session()
    found = broker.find_order(REQUEST.client_order_id)
    assert found
    assert (found.status, found.filled_qty, found.filled_avg_price) == (OrderStatus.FILLED, 10, 102)
    assert [leg.kind for leg in found.legs] == [LegKind.TAKE_PROFIT, LegKind.STOP]


def test_an_order_that_was_never_booked_is_not_found(broker: Broker) -> None:
    assert broker.find_order("none") is None


@pytest.mark.parametrize(("how", "status"), [("cancel", OrderStatus.CANCELED), ("expire", OrderStatus.EXPIRED)])
def test_an_order_that_ended_unfilled_says_how(
    paper: PaperExchange, broker: Broker, how: str, status: OrderStatus
) -> None:
    order = paper.submit(buy("1", client_order_id="run-1", **limit("90")))
    if how == "cancel":
        paper.cancel(order.id)
    paper.close_session()
    found = broker.find_order("run-1")
    assert found
    assert found.status is status


def test_an_order_whose_price_ran_away_is_rejected(url_of: Serve) -> None:
    paper = exchange(closes(AAPL=[100, 130]))
    broker = broker_of(url_of(paper))
    broker.submit(replace(REQUEST, qty=D(95)))  # 95 x 130 is more than 10,000
    paper.close_session()
    found = broker.find_order(REQUEST.client_order_id)
    assert found
    assert (found.status, found.filled_qty) == (OrderStatus.REJECTED, 0)


def test_a_status_that_is_new_to_us_is_not_taken_for_an_end(paper: PaperExchange, url_of: Serve) -> None:
    def rename(_request: Request, proceed: Proceed) -> Response:
        answer = proceed()
        answer.set_data(answer.get_data().replace(b'"status":"new"', b'"status":"reconsidered"'))
        return answer

    assert broker_of(url_of(paper, rename)).submit(REQUEST).status is OrderStatus.WORKING


def test_legs_that_cannot_be_read_do_not_make_a_booked_order_unknown(paper: PaperExchange, url_of: Serve) -> None:
    def lose_order(request: Request, proceed: Proceed) -> Response:
        is_second = request.path.startswith("/v2/orders/")
        return Response('{"code": 40410000, "message": "order not found"}', 404) if is_second else proceed()

    broker = broker_of(url_of(paper, lose_order))
    broker.submit(replace(REQUEST, bracket=BRACKET))
    with pytest.raises(BrokerRefused, match="order not found"):
        broker.find_order(REQUEST.client_order_id)


def test_a_working_order_can_be_canceled(paper: PaperExchange, broker: Broker) -> None:
    order = broker.submit(REQUEST)
    broker.cancel(order.id)
    assert paper.order(order.id).status == "canceled"


def test_an_order_that_has_ended_or_never_was_is_not_cancelable(broker: Broker) -> None:
    order = broker.submit(REQUEST)
    broker.cancel(order.id)
    with pytest.raises(OrderNotCancelable, match='already in "canceled" state'):
        broker.cancel(order.id)
    with pytest.raises(OrderNotCancelable, match="order not found"):
        broker.cancel("none")


# Hosts.


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("https://api.alpaca.markets", "paper"),
        ("https://API.alpaca.markets/", "paper"),
        ("https://paper-api.alpaca.markets", "live"),
        ("http://127.0.0.1:8000", "live"),
    ],
)
def test_paper_mode_and_the_live_host_do_not_go_together(url: str, mode: Any) -> None:
    with pytest.raises(ConfigError, match="do not belong together"):
        AlpacaBroker(url, "https://data.alpaca.markets", "key", "secret", mode)


def test_the_live_host_is_accepted_in_live_mode_and_no_request_is_made() -> None:
    AlpacaBroker("https://api.alpaca.markets", "https://data.alpaca.markets", "key", "secret", "live")
    AlpacaBroker("https://paper-api.alpaca.markets", "https://data.alpaca.markets", "key", "secret")
