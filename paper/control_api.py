"""What no broker offers, under /control: the clock, and what happens to an account outside the platform.

| request | does |
|---|---|
| GET /control/state | time, cash, equity, positions, numbers of orders and fills, how orders are filled |
| POST /control/advance {"to": "2022-06-15T15:00:00-04:00"} | moves the clock; without an offset New York time |
| POST /control/wait {"seconds": 10} | moves it by seconds, or to the next price that a market order waits for |
| POST /control/close_session | moves it to today's closing bell |
| POST /control/next_session {"time": "15:00"} | moves it to a time of the next session, in New York |
| POST /control/cash {"amount": "-500"} | pays USD in or out |
| POST /control/activity {"type": "INT", "amount", "symbol", "qty"} | interest, a fee, a dividend comes or goes |
| POST /control/action {"type": "forward_split", "symbol", "ex_date", "ratio", ...} | announces a corporate action |
| POST /control/position {"symbol", "qty", "price", "asset_class"} | a manual trade; `qty` below 0 sells |
| POST /control/asset {"symbol", "tradable", "active", "fractionable"} | halts or frees a symbol |
| POST /control/status {"trading_blocked", "account_blocked"} | blocks or frees the account |

Every answer is the state. Like /v2 it asks for the account's keys in headers, and takes nothing but JSON.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, jsonify, request

from paper.account import US_EQUITY
from paper.actions import Action, ActionType
from paper.errors import bad_request, invalid_field
from paper.exchange import PaperExchange
from paper.requests_in import Body, read_json, read_number
from paper.sessions import NEW_YORK
from paper.text import plain
from paper.trading_views import clock_view, position_view

_NO_INSTANT = (ValueError, OverflowError)  # unreadable, in the past, beyond the calendar, beyond the year 9999


def control_api(exchange: PaperExchange) -> Blueprint:
    """The control endpoints."""
    api = Blueprint("control", __name__, url_prefix="/control")
    _add_clock(api, exchange)
    _add_events(api, exchange)

    @api.get("/state")
    def state() -> Response:
        return _state(exchange)

    return api


def _state(exchange: PaperExchange) -> Response:
    with exchange.lock:
        account = exchange.account()
        view: dict[str, Any] = {
            **clock_view(exchange.now, exchange.market.calendar),
            "cash": plain(account.cash),
            "equity": plain(account.equity),
            "positions": [position_view(position) for position in exchange.positions()],
            "orders": len(exchange.orders()),
            "open_orders": sum(order.status.open for order in exchange.orders()),
            "fills": len(exchange.fills()),
            "trading_blocked": exchange.state.trading_blocked,
            "account_blocked": exchange.state.account_blocked,
            "how_orders_fill": exchange.describe_fills(),
        }
    return jsonify(view)


def _body() -> Body:
    return read_json(request.get_data())


def _required_number(body: Body, name: str) -> Decimal:
    number = read_number(body, name)
    if number is None:
        raise invalid_field(f"{name} is required")
    return number


def _flags(body: Mapping[str, Any], *names: str) -> dict[str, bool]:
    flags = {name: body[name] for name in names if name in body}
    if not all(isinstance(flag, bool) for flag in flags.values()):
        raise invalid_field(f"{', '.join(flags)} must be true or false")
    return flags


def _action(body: Body) -> Action:
    paid = body.get("pay_date")
    try:
        return Action(
            ActionType(str(body.get("type"))),
            str(body.get("symbol", "")).upper(),
            date.fromisoformat(str(body.get("ex_date"))),
            str(body.get("new_symbol", "")).upper(),
            read_number(body, "ratio") or Decimal(0),
            read_number(body, "cash") or Decimal(0),
            date.fromisoformat(str(paid)) if paid else None,
            in_lieu=_flags(body, "in_lieu").get("in_lieu", False),
        )
    except ValueError as error:
        raise invalid_field(f"no corporate action: {error}") from error


def _add_clock(api: Blueprint, exchange: PaperExchange) -> None:
    @api.post("/advance")
    def advance() -> Response:
        text = str(_body().get("to", ""))
        try:
            to = datetime.fromisoformat(text)
            exchange.advance(to if to.tzinfo else to.replace(tzinfo=NEW_YORK))
        except _NO_INSTANT as error:
            raise bad_request(f"cannot advance to {text!r}: {error}") from error
        return _state(exchange)

    @api.post("/wait")
    def wait() -> Response:
        seconds = _required_number(_body(), "seconds")
        try:
            exchange.wait(float(seconds))
        except _NO_INSTANT as error:
            raise bad_request(f"cannot wait {seconds} seconds: {error}") from error
        return _state(exchange)

    @api.post("/close_session")
    def close_session() -> Response:
        exchange.close_session()
        return _state(exchange)

    @api.post("/next_session")
    def next_session() -> Response:
        text = str(_body().get("time", ""))
        try:
            exchange.open_next_session(time.fromisoformat(text))
        except ValueError as error:
            raise bad_request(f"cannot go to {text!r} of the next session: {error}") from error
        return _state(exchange)


def _add_events(api: Blueprint, exchange: PaperExchange) -> None:
    @api.post("/cash")
    def cash() -> Response:
        exchange.by_hand.transfer(_required_number(_body(), "amount"))
        return _state(exchange)

    @api.post("/activity")
    def activity() -> Response:
        body = _body()
        qty = read_number(body, "qty") or Decimal(0)
        symbol = str(body.get("symbol", "")).upper()
        exchange.by_hand.pay(str(body.get("type", "")).upper(), _required_number(body, "amount"), symbol, qty)
        return _state(exchange)

    @api.post("/action")
    def action() -> Response:
        exchange.by_hand.announce(_action(_body()))
        return _state(exchange)

    @api.post("/position")
    def position() -> Response:
        body = _body()
        qty, price = _required_number(body, "qty"), read_number(body, "price")
        symbol = str(body.get("symbol", "")).upper()
        exchange.by_hand.trade(symbol, qty, price, str(body.get("asset_class") or US_EQUITY))
        return _state(exchange)

    @api.post("/asset")
    def asset() -> Response:
        body = _body()
        exchange.by_hand.set_asset(
            str(body.get("symbol", "")).upper(), **_flags(body, "tradable", "active", "fractionable")
        )
        return _state(exchange)

    @api.post("/status")
    def status() -> Response:
        flags = _flags(_body(), "trading_blocked", "account_blocked")
        exchange.by_hand.block(trading=flags.get("trading_blocked"), account=flags.get("account_blocked"))
        return _state(exchange)
