"""What every way to fail means to a caller of AlpacaBroker: rejected, unknown, unavailable, limited or refused."""

import socket
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from alpaca_trade_api.rest import APIError
from werkzeug.wrappers import Request, Response

from openbell.adapters.alpaca import client as alpaca_client
from openbell.errors import (
    BrokerRefused,
    BrokerUnavailable,
    OpenbellError,
    OrderRejected,
    OutcomeUnknown,
    RateLimited,
)
from openbell.model import OrderRequest, OrderStatus, Side
from openbell.ports import Broker
from paper import Credentials, Intercept, PaperExchange, serve
from paper.server import Proceed
from tests.integration.paper.conftest import Serve, broker_of
from tests.unit.paper.market_days import limit, sell

D = Decimal
REQUEST = OrderRequest("run-AAPL-buy-1", "AAPL", Side.BUY, D(10))


# What a failed submission means.


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (replace(REQUEST, qty=D(98)), r"insufficient buying power \(code 40310000\)"),
        (replace(REQUEST, side=Side.SELL), "insufficient qty available for order"),
        (replace(REQUEST, symbol="ZZZ"), "could not find asset"),
        (replace(REQUEST, client_order_id="x" * 129), r"no more than 128 characters \(code 40010001\)"),
    ],
)
def test_the_broker_s_refusal_is_told_in_its_own_words(
    paper: PaperExchange, broker: Broker, request_: OrderRequest, words: str
) -> None:
    with pytest.raises(OrderRejected, match=words):
        broker.submit(request_)
    assert not paper.orders()


def test_a_wash_trade_tells_its_reason(paper: PaperExchange, broker: Broker) -> None:
    paper.by_hand.trade("AAPL", D(10))
    paper.submit(sell("10", **limit("120")))
    with pytest.raises(OrderRejected, match=r"wash trade detected.*opposite side limit order exists"):
        broker.submit(REQUEST)


def test_a_duplicate_may_have_been_booked_before_and_a_look_up_tells(broker: Broker) -> None:
    first = broker.submit(REQUEST)
    with pytest.raises(OutcomeUnknown, match="may have been sent before"):
        broker.submit(REQUEST)
    assert broker.find_order(REQUEST.client_order_id) == first


def answering(status: int, body: str, content_type: str = "application/json") -> Intercept:
    return lambda _request, _proceed: Response(body, status, content_type=content_type)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (422, '{"code": 40010001, "message": "client order id must be unique"}', OutcomeUnknown),
        (409, '{"code": 40910000, "message": "client_order_id must be unique"}', OutcomeUnknown),
        (422, '{"code": 40010001, "message": "order_id is missing"}', OrderRejected),
        (403, '{"code": 40310100, "message": "trade denied due to pattern day trading"}', OrderRejected),
        (403, '{"message": "forbidden."}', BrokerRefused),
        (403, "<html>Forbidden</html>", BrokerRefused),
        (401, '{"message": "unauthorized."}', BrokerRefused),
        (429, '{"message": "too many requests."}', RateLimited),
        (429, "slow down", RateLimited),
        (500, '{"code": 50010000, "message": "internal server error"}', OutcomeUnknown),
        (503, "<html>Service Unavailable</html>", OutcomeUnknown),
        *((status, "<html>somebody between us</html>", OutcomeUnknown) for status in (404, 408, 423, 425, 499)),
        (404, '{"code": 40410000, "message": "asset not found"}', OrderRejected),
        (200, "<html>Welcome</html>", OutcomeUnknown),
        (200, "", OutcomeUnknown),
        (301, "", OutcomeUnknown),
    ],
)
def test_what_the_answer_to_a_submission_means(
    paper: PaperExchange, url_of: Serve, status: int, body: str, error: type[OpenbellError]
) -> None:
    with pytest.raises(error):
        broker_of(url_of(paper, answering(status, body))).submit(REQUEST)


def cut(request: Request, proceed: Proceed) -> Response:
    """Let it take effect, then hang up without an answer."""
    answer = proceed()
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return answer


def gateway_timeout(_request: Request, proceed: Proceed) -> Response:
    proceed()
    return Response("upstream timed out", 504)


@pytest.mark.parametrize("trouble", [cut, gateway_timeout])
def test_an_order_booked_without_an_answer_is_unknown_sent_once_and_found(
    paper: PaperExchange, url_of: Serve, monkeypatch: pytest.MonkeyPatch, trouble: Intercept
) -> None:
    monkeypatch.setenv("APCA_RETRY_MAX", "3")
    monkeypatch.setenv("APCA_RETRY_WAIT", "0")
    sent: list[str] = []

    def only_orders(request: Request, proceed: Proceed) -> Response:
        if request.method != "POST":
            return proceed()
        sent.append(request.path)
        return trouble(request, proceed)

    broker = broker_of(url_of(paper, only_orders))
    with pytest.raises(OutcomeUnknown, match="run-AAPL-buy-1"):
        broker.submit(REQUEST)
    assert sent == ["/v2/orders"]
    found = broker.find_order(REQUEST.client_order_id)
    assert found
    assert found.status is OrderStatus.WORKING


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Answers nothing for longer than we are willing to wait."""
    monkeypatch.setattr(alpaca_client, "READ_SECONDS", 0.1)
    over = Event()

    def wait(_request: Request, proceed: Proceed) -> Response:
        over.wait(5)
        return proceed()

    yield wait
    over.set()


def test_silence_is_not_waited_for_without_end(paper: PaperExchange, url_of: Serve, silence: Intercept) -> None:
    broker = broker_of(url_of(paper, silence))
    with pytest.raises(OutcomeUnknown, match="timed out"):
        broker.submit(REQUEST)
    with pytest.raises(BrokerUnavailable, match="timed out"):
        broker.clock()
    with pytest.raises(BrokerUnavailable, match="timed out"):
        broker.cancel("any")


# What any other failed call means.

READS: dict[str, Callable[[Broker], object]] = {
    "clock": lambda broker: broker.clock(),
    "account": lambda broker: broker.account(),
    "positions": lambda broker: broker.positions(),
    "open_orders": lambda broker: broker.open_orders(),
    "tradable_symbols": lambda broker: broker.tradable_symbols(),
    "find_order": lambda broker: broker.find_order("any"),
}
CALLS: dict[str, Callable[[Broker], object]] = {**READS, "cancel": lambda broker: broker.cancel("any")}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_tells_outage_limit_and_refusal_apart(
    paper: PaperExchange, url_of: Serve, call: Callable[[Broker], object]
) -> None:
    answers: list[tuple[int, str, type[OpenbellError]]] = [
        (500, '{"code": 50010000, "message": "internal server error"}', BrokerUnavailable),
        (504, "<html>Gateway Time-out</html>", BrokerUnavailable),
        *((status, "<html>somebody between us</html>", BrokerUnavailable) for status in (404, 408, 423, 425, 499)),
        (404, '{"message": "no route matched"}', BrokerUnavailable),
        (200, "<html>Welcome</html>", BrokerUnavailable),
        (429, '{"message": "too many requests."}', RateLimited),
        (403, '{"message": "forbidden."}', BrokerRefused),
        (401, '{"message": "unauthorized."}', BrokerRefused),
    ]
    current = answers[0]
    broker = broker_of(url_of(paper, lambda _request, _proceed: Response(current[1], current[0])))
    for current in answers:
        with pytest.raises(current[2]):
            call(broker)


@pytest.mark.parametrize("call", READS.values(), ids=READS)
def test_an_empty_answer_is_not_taken_for_nothing(
    paper: PaperExchange, url_of: Serve, call: Callable[[Broker], object]
) -> None:
    with pytest.raises(BrokerUnavailable, match="the answer is empty"):
        call(broker_of(url_of(paper, answering(200, ""))))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_line_that_is_cut_is_an_outage(paper: PaperExchange, url_of: Serve, call: Callable[[Broker], object]) -> None:
    with pytest.raises(BrokerUnavailable):
        call(broker_of(url_of(paper, cut)))


def test_nobody_at_the_other_end_is_an_outage(paper: PaperExchange) -> None:
    with serve(paper) as server:
        broker = broker_of(server.url)
    with pytest.raises(BrokerUnavailable):
        broker.clock()
    with pytest.raises(OutcomeUnknown):
        broker.submit(REQUEST)


def test_wrong_keys_are_refused(paper: PaperExchange, url_of: Serve) -> None:
    broker = broker_of(url_of(paper, credentials=Credentials("key", "another secret")))
    with pytest.raises(BrokerRefused, match="unauthorized"):
        broker.clock()
    with pytest.raises(BrokerRefused, match="refuses the keys"):
        broker.submit(REQUEST)


def test_too_many_requests_are_told_as_such(
    paper: PaperExchange, url_of: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alpaca_client, "LONGEST_WAIT_SECONDS", -1.0)
    broker = broker_of(url_of(paper, requests_per_minute=1))

    def ask_again_and_again() -> None:  # the minute may turn once
        for _ in range(3):
            broker.clock()

    with pytest.raises(RateLimited, match="the clock"):
        ask_again_and_again()


def test_a_used_up_minute_is_waited_out_if_its_end_is_near(
    paper: PaperExchange, url_of: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = url_of(paper, requests_per_minute=1)
    monkeypatch.setattr(alpaca_client, "LONGEST_WAIT_SECONDS", 61.0)
    waits: list[float] = []
    client = alpaca_client.AlpacaClient(url, url, "key", "secret", waits.append)
    client.get_clock()
    with pytest.raises(APIError):  # the stand-in for sleeping lets no time pass
        client.get_clock()
    assert len(waits) == 1
    assert 0 < waits[0] <= 60


def test_a_used_up_minute_whose_end_is_far_sends_nothing(
    paper: PaperExchange, url_of: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = url_of(paper, requests_per_minute=1)
    monkeypatch.setattr(alpaca_client, "LONGEST_WAIT_SECONDS", -1.0)
    broker = broker_of(url)
    broker.clock()
    with pytest.raises(RateLimited):
        broker.submit(REQUEST)
    assert paper.orders() == []
