"""The exchange over HTTP, asked by the client that the platform uses: shapes as Alpaca documents them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from alpaca_trade_api.rest import REST, APIError

from openbell.adapters.alpaca.client import AlpacaClient
from paper import PaperExchange
from tests.integration.paper.conftest import Serve
from tests.unit.paper.market_days import at, buy, limit, stop

D = Decimal
type Body = dict[str, Any]


def numbers_are_text(body: Body, *names: str) -> bool:
    return all(isinstance(body[name], str) and Decimal(body[name]).is_finite() for name in names)


# Account and positions.


def test_the_account_tells_money_as_text_and_flags_as_booleans(client: AlpacaClient) -> None:
    account = client.get_account()
    assert numbers_are_text(
        account, "buying_power", "regt_buying_power", "non_marginable_buying_power", "cash", "portfolio_value",
        "equity", "last_equity", "long_market_value", "short_market_value", "initial_margin", "maintenance_margin",
        "last_maintenance_margin", "sma", "multiplier", "accrued_fees", "options_buying_power",
    )  # fmt: skip
    flags = ("trading_blocked", "transfers_blocked", "account_blocked", "trade_suspended_by_user", "shorting_enabled")
    assert [account[flag] for flag in flags] == [False] * 5
    assert (account["status"], account["currency"], account["multiplier"]) == ("ACTIVE", "USD", "1")
    assert (account["cash"], account["equity"], account["balance_asof"]) == ("10000", "10000", "2022-06-14")
    assert "pattern_day_trader" not in account  # withdrawn in 2026


def test_a_position_tells_its_worth_and_today_s_change_as_text(paper: PaperExchange, client: AlpacaClient) -> None:
    paper.by_hand.trade("AAPL", D(10), D(95))
    client.submit_order("AAPL", qty="4", side="sell", limit_price="110", type="limit")
    paper.advance(at(14, "15:45"))
    (position,) = client.list_positions()
    assert {name: position[name] for name in position if name != "asset_id"} == {
        "symbol": "AAPL",
        "exchange": "NYSE",
        "asset_class": "us_equity",
        "asset_marginable": False,
        "qty": "10",
        "qty_available": "6",
        "avg_entry_price": "95",
        "side": "long",
        "market_value": "1020",
        "cost_basis": "950",
        "unrealized_pl": "70",
        "unrealized_plpc": "0.073684211",  # 70 / 950
        "unrealized_intraday_pl": "20",  # 10 x (102 - 100)
        "unrealized_intraday_plpc": "0.02",
        "current_price": "102",
        "lastday_price": "100",
        "change_today": "0.02",
    }
    assert client.get_position("AAPL") == client.get_position(position["asset_id"]) == position


def test_closing_a_position_answers_with_the_order_that_sells_it(paper: PaperExchange, client: AlpacaClient) -> None:
    paper.by_hand.trade("AAPL", D(10), D(95))
    order = client.close_position("AAPL", qty="4")
    assert (order["side"], order["qty"], order["type"], order["time_in_force"]) == ("sell", "4", "market", "day")
    (closed,) = client.close_all_positions()
    assert (closed["symbol"], closed["status"], closed["body"]["code"]) == ("AAPL", 403, 40310000)  # 4 are spoken for


# Orders.


def test_an_order_is_answered_in_alpaca_s_shape(client: AlpacaClient) -> None:
    order = client.submit_order("AAPL", qty="10", side="buy", client_order_id="run-1")
    assert {name: order[name] for name in order if name not in {"id", "asset_id"}} == {
        "client_order_id": "run-1",
        "created_at": "2022-06-14T14:00:00Z",
        "updated_at": "2022-06-14T14:00:00Z",
        "submitted_at": "2022-06-14T14:00:00Z",
        "expires_at": "2022-06-14T20:00:00Z",
        **dict.fromkeys(("filled_at", "expired_at", "canceled_at", "failed_at", "replaced_at", "replaced_by")),
        **dict.fromkeys(("replaces", "notional", "filled_avg_price", "limit_price", "stop_price", "legs")),
        **dict.fromkeys(("trail_percent", "trail_price", "hwm", "source", "subtag")),
        "symbol": "AAPL",
        "asset_class": "us_equity",
        "qty": "10",
        "filled_qty": "0",
        "order_class": "",
        "order_type": "market",
        "type": "market",
        "side": "buy",
        "position_intent": "buy_to_open",
        "time_in_force": "day",
        "status": "new",
        "extended_hours": False,
    }


def test_a_filled_order_tells_price_quantity_and_time(paper: PaperExchange, client: AlpacaClient) -> None:
    order = client.submit_order("AAPL", qty="10", side="buy", client_order_id="run-1")
    paper.advance(at(14, "15:45"))
    filled = client.get_order_by_client_order_id("run-1")
    assert (filled["status"], filled["filled_qty"], filled["filled_avg_price"]) == ("filled", "10", "102")
    assert (filled["filled_at"], filled["id"]) == ("2022-06-14T19:45:00Z", order["id"])
    assert client.get_order(order["id"]) == filled


def test_a_bracket_is_answered_with_its_legs_and_asked_for_nested_or_not(client: AlpacaClient) -> None:
    exits = {"take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "90", "limit_price": "89.5"}}
    order = client.submit_order("AAPL", qty="10", side="buy", time_in_force="gtc", order_class="bracket", **exits)
    profit, stop_loss = order["legs"]
    assert (profit["type"], profit["limit_price"], profit["status"]) == ("limit", "110", "held")
    assert (stop_loss["type"], stop_loss["stop_price"], stop_loss["limit_price"]) == ("stop_limit", "90", "89.5")
    # good till cancelled: ended 90 days after it was sent, at 16:15 in New York
    expected = ("bracket", "2022-09-12T20:15:00Z", "sell_to_close")
    assert (order["order_class"], order["expires_at"], profit["position_intent"]) == expected
    assert client.get_order(order["id"])["legs"] is None
    assert client.get_order(order["id"], nested=True)["legs"] == [profit, stop_loss]
    assert [found["id"] for found in client.list_orders(nested=True)] == [order["id"]]
    assert len(client.list_orders()) == 3


def test_replacing_and_canceling(client: AlpacaClient) -> None:
    order = client.submit_order("AAPL", qty="10", side="buy", type="limit", limit_price="90")
    new = client.replace_order(order["id"], qty="5", limit_price="91.5")
    assert (new["qty"], new["limit_price"], new["replaces"]) == ("5", "91.5", order["id"])
    assert client.cancel_order(new["id"]) is None
    assert client.get_order(new["id"])["canceled_at"] == "2022-06-14T14:00:00Z"
    client.submit_order("AAPL", qty="10", side="buy", type="limit", limit_price="90")
    client.cancel_all_orders()
    assert client.list_orders() == []


def test_a_list_of_orders_is_filtered_and_sorted_as_asked(paper: PaperExchange, client: AlpacaClient) -> None:
    first = paper.submit(buy("1", **limit("90"))).id
    paper.advance(at(14, "11:00"))
    second = paper.submit(buy("1", "KO", **limit("40"))).id
    paper.advance(at(14, "12:00"))
    third = paper.submit(buy("1", **stop("120"))).id
    paper.cancel(first)

    def ids(**query: Any) -> list[str]:
        return [order["id"] for order in client.list_orders(**query)]

    assert ids() == [third, second]
    assert ids(status="all", direction="asc") == [first, second, third]
    assert ids(status="closed") == [first]
    assert ids(status="all", symbols=["AAPL"]) == [third, first]
    assert ids(status="all", side="sell") == []
    assert ids(status="all", limit=1) == [third]
    assert ids(status="all", after="2022-06-14T14:30:00Z", until="2022-06-14T15:30:00Z") == [second]
    assert ids(params={"after_order_id": second}, direction="asc") == [third]
    assert ids(params={"before_order_id": second}, status="all", direction="asc") == [first]


def test_the_next_page_of_orders_is_right_though_the_last_order_seen_has_ended(
    paper: PaperExchange, client: AlpacaClient
) -> None:
    ids = [paper.submit(buy("1", **limit("90"))).id for _ in range(3)]
    page = client.list_orders(limit=2, direction="asc")
    paper.cancel(page[-1]["id"])
    after = {"after_order_id": page[-1]["id"]}
    assert [order["id"] for order in client.list_orders(direction="asc", params=after)] == ids[2:]


def test_fills_are_account_activities(paper: PaperExchange, client: AlpacaClient) -> None:
    order = client.submit_order("AAPL", qty="10", side="buy")
    paper.advance(at(14, "15:45"))
    (fill,) = client.get_activities(activity_types="FILL")
    assert (fill["activity_type"], fill["type"], fill["order_id"]) == ("FILL", "fill", order["id"])
    assert (fill["price"], fill["qty"], fill["cum_qty"], fill["leaves_qty"]) == ("102", "10", "10", "0")
    assert fill["transaction_time"] == "2022-06-14T19:45:00Z"
    assert client.get_activities(activity_types="DIV") == []


def test_the_portfolio_s_history_has_a_figure_for_each_close_and_now(
    paper: PaperExchange, client: AlpacaClient
) -> None:
    paper.submit(buy("10"))
    paper.advance(at(15, "15:45"))
    history = client.get_portfolio_history()
    assert history["equity"] == [10000.0, 10020.0]  # 10 shares from 102 to 104
    assert (history["profit_loss"], history["profit_loss_pct"], history["base_value"]) == ([0, 20], [0, 0.002], 10000)
    assert history["timestamp"] == [int(datetime.fromisoformat(f"2022-06-{day}T00Z").timestamp()) for day in (14, 15)]


# Clock, calendar, assets.


def test_the_clock_tells_new_york_s_offset(client: AlpacaClient) -> None:
    assert client.get_clock() == {
        "timestamp": "2022-06-14T10:00:00-04:00",
        "is_open": True,
        "next_open": "2022-06-15T09:30:00-04:00",
        "next_close": "2022-06-14T16:00:00-04:00",
    }


def test_the_calendar_has_holidays_early_closes_and_settlement_dates(client: AlpacaClient) -> None:
    days = client.get_calendar("2022-06-17", "2022-06-21")
    assert days == [
        {"date": "2022-06-17", "open": "09:30", "close": "16:00", "session_open": "0400", "session_close": "2000",
         "settlement_date": "2022-06-22"},
        {"date": "2022-06-21", "open": "09:30", "close": "16:00", "session_open": "0400", "session_close": "2000",
         "settlement_date": "2022-06-23"},
    ]  # fmt: skip
    (half,) = client.get_calendar("2022-11-25", "2022-11-25")
    assert (half["close"], half["session_close"]) == ("13:00", "1700")


def test_assets_tell_what_may_be_done_with_them(paper: PaperExchange, client: AlpacaClient) -> None:
    paper.by_hand.set_asset("KO", active=False)
    assert [asset["symbol"] for asset in client.list_assets()] == ["AAPL", "KO"]
    assert [asset["symbol"] for asset in client.list_assets("active", "us_equity")] == ["AAPL"]
    assert client.list_assets(asset_class="crypto") == []
    asset = client.get_asset("KO")
    assert (asset["class"], asset["status"], asset["tradable"]) == ("us_equity", "inactive", False)
    assert (asset["fractionable"], asset["shortable"], asset["attributes"]) == (True, False, [])


# The library's own entities.


def test_the_plain_library_reads_everything_too(
    paper: PaperExchange, url_of: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = url_of(paper)
    monkeypatch.setenv("APCA_API_DATA_URL", url)
    rest = REST("key", "secret", base_url=url)
    assert rest.get_account().equity == "10000"
    assert rest.get_clock().next_close.isoformat() == "2022-06-14T16:00:00-04:00"
    assert rest.get_calendar("2022-11-25", "2022-11-25")[0].close.isoformat() == "13:00:00"
    order = rest.submit_order("AAPL", 10, "buy", "market", "day")
    paper.advance(at(14, "15:45"))
    assert rest.get_order(order.id).filled_at.isoformat() == "2022-06-14T19:45:00+00:00"
    assert [position.qty for position in rest.list_positions()] == ["10"]
    assert rest.get_latest_trade("AAPL").p == 102
    with pytest.raises(APIError, match="order not found"):
        rest.get_order("none")
