"""How the exchange says no over HTTP: status, code and body of each kind, and answers put in its place."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import requests
from alpaca_trade_api.rest import APIError
from werkzeug.wrappers import Request, Response

from openbell.adapters.alpaca.client import AlpacaClient
from paper import Credentials, PaperExchange
from paper.server import Proceed
from tests.integration.paper.conftest import Serve, client_of
from tests.unit.paper.market_days import buy, closes, exchange, limit

D = Decimal


@pytest.fixture
def paper() -> PaperExchange:
    """10:00 on 14 June 2022, 10,000 USD less 10 shares of AAPL at 100."""
    opened = exchange(closes(AAPL=[100, 102], KO=[50, 51]))
    opened.by_hand.trade("AAPL", D(10), D(100))
    return opened


def failure(call: Callable[[], Any]) -> tuple[int, dict[str, Any]]:
    with pytest.raises(APIError) as failed:
        call()
    return failed.value.status_code, failed.value._error


# The account's refusals.


def test_a_duplicate_client_order_id_gets_422(client: AlpacaClient) -> None:
    client.submit_order("KO", qty="1", client_order_id="run-1")
    assert failure(lambda: client.submit_order("KO", qty="1", client_order_id="run-1")) == (
        422,
        {"code": 40010001, "message": "client_order_id must be unique"},
    )


def test_insufficient_buying_power_gets_403_with_the_amounts(client: AlpacaClient) -> None:
    assert failure(lambda: client.submit_order("KO", qty="1000", type="limit", limit_price="50")) == (
        403,
        {"buying_power": "9000.00", "code": 40310000, "cost_basis": "50000.00", "message": "insufficient buying power"},
    )


def test_insufficient_shares_get_403_with_what_is_free(client: AlpacaClient) -> None:
    client.submit_order("AAPL", qty="4", side="sell", type="limit", limit_price="120")
    status, body = failure(lambda: client.submit_order("AAPL", qty="7", side="sell"))
    assert (status, body["code"]) == (403, 40310000)
    assert body["message"] == "insufficient qty available for order (requested: 7, available: 6)"
    assert (body["existing_qty"], body["held_for_orders"], body["available"]) == ("10", "4", "6")


def test_a_wash_trade_gets_403_with_the_order_in_its_way(client: AlpacaClient) -> None:
    resting = client.submit_order("AAPL", qty="4", side="sell", type="stop", stop_price="90", time_in_force="gtc")
    assert failure(lambda: client.submit_order("AAPL", qty="1")) == (
        403,
        {
            "code": 40310000,
            "existing_order_id": resting["id"],
            "message": "potential wash trade detected. use complex orders",
            "reject_reason": "opposite side market/stop order exists",
        },
    )


def test_a_price_in_fractions_of_a_cent_gets_422(client: AlpacaClient) -> None:
    status, body = failure(lambda: client.submit_order("KO", qty="1", type="limit", limit_price="290.123"))
    assert (status, body["code"]) == (422, 42210000)
    assert body["message"] == (
        "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria"
    )


def test_an_ended_order_is_not_cancelable(client: AlpacaClient) -> None:
    order = client.submit_order("KO", qty="1")
    client.cancel_order(order["id"])
    assert failure(lambda: client.cancel_order(order["id"])) == (
        422,
        {"code": 42210000, "message": 'order is already in "canceled" state'},
    )


# Requests that cannot be read.


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({}, 422, 40010001, "symbol is required"),
        ({"symbol": "KO"}, 422, 40010001, "side is required"),
        ({"symbol": "KO", "side": "hold", "qty": 1}, 422, 42210000, "invalid side 'hold'"),
        ({"symbol": "KO", "side": "buy", "qty": "many"}, 422, 40010001, "qty is not a number: many"),
        ({"symbol": "KO", "side": "buy", "qty": "NaN"}, 422, 40010001, "qty is not a number"),
        ({"symbol": "KO", "side": "buy", "qty": True}, 422, 40010001, "qty is not a number"),
        ({"symbol": "KO", "side": "buy", "qty": 1, "notional": 5}, 400, 40010001, "only one of qty or notional"),
        ({"symbol": "KO", "side": "buy", "qty": 1, "type": "trailing_stop"}, 422, 42210000, "invalid order type"),
        ({"symbol": "KO", "side": "buy", "qty": 1, "time_in_force": "ioc"}, 422, 42210000, "invalid time_in_force"),
        ({"symbol": "KO", "side": "buy", "qty": 1, "extended_hours": True}, 422, 42210000, "extended hours"),
        ({"symbol": "KO", "side": "buy", "qty": 1, "take_profit": "60"}, 422, 40010001, "must be an object"),
        ({"symbol": "ZZZ", "side": "buy", "qty": 1}, 422, 42210000, 'could not find asset "ZZZ"'),
    ],
)
def test_an_order_that_cannot_be_understood_is_refused_in_words(
    paper: PaperExchange, client: AlpacaClient, body: dict[str, Any], status: int, code: int, words: str
) -> None:
    answered, told = failure(lambda: client.post("/orders", body))
    assert (answered, told["code"]) == (status, code)
    assert words in told["message"]
    assert not paper.orders()


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff"])
def test_a_body_that_is_no_json_object_gets_400(paper: PaperExchange, url_of: Serve, content: bytes) -> None:
    headers = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret", "Content-Type": "application/json"}
    answer = requests.post(f"{url_of(paper)}/v2/orders", data=content, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, 40010001)


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("/stocks/bars", {"timeframe": "1Day"}, "symbols is required"),
        ("/stocks/bars", {"symbols": "KO", "timeframe": "1Min"}, "only daily bars"),
        ("/stocks/bars", {"symbols": "KO", "timeframe": "1Day", "adjustment": "some"}, "invalid adjustment"),
        ("/stocks/bars", {"symbols": "KO", "timeframe": "1Day", "limit": "10001"}, "limit must be"),
        ("/stocks/bars", {"symbols": "KO", "timeframe": "1Day", "start": "yesterday"}, "start is neither"),
        ("/stocks/bars", {"symbols": "KO", "timeframe": "1Day", "end": "2022-13-45"}, "end is neither"),
        ("/stocks/bars", {"symbols": "KO", "timeframe": "1Day", "page_token": "x"}, "page_token is invalid"),
        ("/stocks/trades/latest", {}, "symbols is required"),
    ],
)
def test_a_data_request_that_cannot_be_understood_gets_400(
    client: AlpacaClient, path: str, query: dict[str, str], words: str
) -> None:
    status, body = failure(lambda: client.data_get(path, query))
    assert status == 400
    assert words in body["message"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"status": "pending"}, "status must be one of open, closed, all"),
        ({"limit": "501"}, "limit must be a whole number from 1 to 500"),
        ({"after": "yesterday"}, "after is neither"),
        ({"after_order_id": "none"}, "after_order_id: no order none"),
    ],
)
def test_a_list_of_orders_that_cannot_be_made_gets_422(client: AlpacaClient, query: dict[str, str], words: str) -> None:
    status, body = failure(lambda: client.get("/orders", query))
    assert status == 422
    assert words in body["message"]


# What there is not.


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/orders/none", "order not found for none"),
        ("/orders:by_client_order_id?client_order_id=none", "order not found for none"),
        ("/positions/KO", "position does not exist"),
        ("/assets/ZZZ", "asset not found for ZZZ"),
        ("/stocks/ZZZ/trades/latest", "no trade found for ZZZ"),
        ("/stocks/ZZZ/bars/latest", "no bar found for ZZZ"),
        ("/stocks/ZZZ/snapshot", "no snapshot found for ZZZ"),
        ("/watchlists", "endpoint not found: /v2/watchlists"),
    ],
)
def test_what_there_is_not_gets_404(client: AlpacaClient, path: str, message: str) -> None:
    assert failure(lambda: client.get(path)) == (404, {"code": 40410000, "message": message})


def test_a_method_that_is_not_known_gets_405_in_json(client: AlpacaClient) -> None:
    status, body = failure(lambda: client.put("/orders", {}))
    assert (status, "code" in body) == (405, False)


# Who may ask, and how often.


@pytest.mark.parametrize(("key", "secret"), [("other", "secret"), ("key", "other")])
def test_wrong_keys_get_401_without_a_code(paper: PaperExchange, url_of: Serve, key: str, secret: str) -> None:
    url = url_of(paper, credentials=Credentials("key", "secret"))
    assert client_of(url).get_account()["status"] == "ACTIVE"
    stranger = client_of(url, key, secret)
    assert failure(stranger.get_account) == (401, {"message": "unauthorized."})
    assert failure(lambda: stranger.get_latest_trades(["KO"])) == (401, {"message": "unauthorized."})
    assert failure(lambda: stranger.submit_order("KO", qty="1"))[0] == 401
    assert not paper.orders()


def test_requests_without_keys_get_401_even_when_any_keys_will_do(paper: PaperExchange, url_of: Serve) -> None:
    answer = requests.get(f"{url_of(paper)}/v2/account", timeout=5)
    assert (answer.status_code, answer.json()) == (401, {"message": "unauthorized."})


def test_too_many_requests_get_429_and_the_headers_count_down(paper: PaperExchange, url_of: Serve) -> None:
    headers = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}
    for _ in range(2):  # a new minute may begin in between, but not twice
        url = url_of(paper, requests_per_minute=2)
        answers = [requests.get(f"{url}/v2/clock", headers=headers, timeout=5) for _ in range(3)]
        if answers[-1].headers["X-RateLimit-Reset"] == answers[0].headers["X-RateLimit-Reset"]:
            break
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[0].headers["X-RateLimit-Limit"] == "2"
    assert requests.get(f"{url}/control/state", headers=headers, timeout=5).status_code == 200


# Answers that a test puts in the exchange's place.


def test_an_order_can_be_booked_and_answered_with_504(paper: PaperExchange, url_of: Serve) -> None:
    def timed_out(request: Request, proceed: Proceed) -> Response:
        answer = proceed()
        return Response("upstream timed out", 504) if request.method == "POST" else answer

    client = client_of(url_of(paper, timed_out))
    with pytest.raises(requests.HTTPError) as failed:
        client.submit_order("KO", qty="1", client_order_id="run-1")
    assert failed.value.response.status_code == 504
    assert client.get_order_by_client_order_id("run-1")["status"] == "new"
    assert len(paper.orders()) == 1


def test_an_intercepted_request_never_reaches_the_exchange(paper: PaperExchange, url_of: Serve) -> None:
    seen: list[tuple[str, str, Any]] = []

    def refuse(request: Request, _proceed: Proceed) -> Response:
        seen.append((request.method, request.path, json.loads(request.get_data())["symbol"]))
        return Response('{"message": "down for maintenance"}', 503, content_type="application/json")

    client = client_of(url_of(paper, refuse))
    assert failure(lambda: client.submit_order("KO", qty="1")) == (503, {"message": "down for maintenance"})
    assert seen == [("POST", "/v2/orders", "KO")]
    assert not paper.orders()


def test_what_an_intercepted_request_gave_is_what_the_exchange_answered(paper: PaperExchange, url_of: Serve) -> None:
    paper.submit(buy("1", "KO", client_order_id="run-1", **limit("40")))
    client = client_of(url_of(paper, lambda _request, proceed: proceed()))
    assert client.get_order_by_client_order_id("run-1")["limit_price"] == "40"
    assert failure(lambda: client.get_order("none"))[0] == 404
    assert client.cancel_order(paper.orders()[0].id) is None
