"""Alpaca's trading endpoints over HTTP."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, jsonify, request

from paper.booking import asset_id
from paper.errors import not_found
from paper.exchange import Closing, PaperExchange
from paper.order_list import list_orders
from paper.orders import Order
from paper.requests_in import (
    read_change,
    read_day,
    read_flag,
    read_instant,
    read_json,
    read_number,
    read_ticket,
    read_whole,
)
from paper.trading_views import (
    account_view,
    activity_view,
    asset_view,
    calendar_view,
    clock_view,
    entry_view,
    order_view,
    portfolio_view,
    position_view,
)


def trading_api(exchange: PaperExchange) -> Blueprint:
    """Account, positions, orders, clock, calendar, assets, activities and portfolio history under /v2."""
    api = Blueprint("trading", __name__, url_prefix="/v2")
    _add_orders(api, exchange)
    _add_positions(api, exchange)
    _add_account(api, exchange)
    _add_reference(api, exchange)
    return api


def _add_orders(api: Blueprint, exchange: PaperExchange) -> None:
    def show(order: Order, nested: bool) -> Response:
        return jsonify(order_view(order, exchange.legs(order) if nested else None, exchange.market.calendar))

    @api.post("/orders")
    def submit() -> Response:
        with exchange.lock:
            return show(exchange.submit(read_ticket(read_json(request.get_data()))), nested=True)

    @api.get("/orders")
    def orders() -> Response:
        found = list_orders(exchange, request.args)
        return jsonify([order_view(order, legs, exchange.market.calendar) for order, legs in found])

    @api.get("/orders:by_client_order_id")
    def by_client_order_id() -> Response:
        with exchange.lock:
            order = exchange.order_by_client_id(request.args.get("client_order_id", ""))
            return show(order, read_flag(request.args, "nested"))

    @api.get("/orders/<order_id>")
    def order(order_id: str) -> Response:
        with exchange.lock:
            return show(exchange.order(order_id), read_flag(request.args, "nested"))

    @api.patch("/orders/<order_id>")
    def replace(order_id: str) -> Response:
        with exchange.lock:
            return show(exchange.replace(order_id, read_change(read_json(request.get_data()))), nested=True)

    @api.delete("/orders/<order_id>")
    def cancel(order_id: str) -> tuple[str, int]:
        exchange.cancel(order_id)
        return "", 204

    @api.delete("/orders")
    def cancel_all() -> tuple[Response, int]:
        return jsonify([{"id": order.id, "status": 200} for order in exchange.cancel_all()]), 207


def _add_positions(api: Blueprint, exchange: PaperExchange) -> None:
    @api.get("/positions")
    def positions() -> Response:
        return jsonify([position_view(position) for position in exchange.positions()])

    @api.get("/positions/<symbol>")
    def position(symbol: str) -> Response:
        return jsonify(position_view(exchange.position(_symbol_of(exchange, symbol))))

    @api.delete("/positions/<symbol>")
    def close(symbol: str) -> Response:
        symbol = _symbol_of(exchange, symbol)
        qty, percentage = read_number(request.args, "qty"), read_number(request.args, "percentage")
        with exchange.lock:
            if percentage is not None:
                qty = (exchange.position(symbol).qty * percentage / 100).quantize(Decimal("0.000000001"))
            return jsonify(order_view(exchange.close_position(symbol, qty), None, exchange.market.calendar))

    @api.delete("/positions")
    def close_all() -> tuple[Response, int]:
        closed = exchange.close_all_positions(cancel_orders=read_flag(request.args, "cancel_orders"))
        return jsonify([_closing_view(closing, exchange) for closing in closed]), 207


def _closing_view(closing: Closing, exchange: PaperExchange) -> dict[str, Any]:
    if closing.refusal:
        return {"symbol": closing.symbol, "status": closing.refusal.status, "body": closing.refusal.body}
    body = closing.order and order_view(closing.order, None, exchange.market.calendar)
    return {"symbol": closing.symbol, "status": 200, "body": body}


def _symbol_of(exchange: PaperExchange, symbol_or_id: str) -> str:
    """The symbol, also from the id of its asset."""
    symbols = [asset.symbol for asset in exchange.assets()]
    if symbol_or_id.upper() in symbols:
        return symbol_or_id.upper()
    return next((symbol for symbol in symbols if asset_id(symbol) == symbol_or_id), symbol_or_id.upper())


def _add_account(api: Blueprint, exchange: PaperExchange) -> None:
    @api.get("/account")
    def account() -> Response:
        with exchange.lock:
            return jsonify(account_view(exchange.account(), exchange.state, exchange.rules))

    @api.get("/account/activities")
    def activities() -> Response:
        kinds = request.args.get("activity_types")
        return jsonify(_activities(exchange, frozenset(kinds.split(",")) if kinds else None))

    @api.get("/account/activities/<kind>")
    def activities_of(kind: str) -> Response:
        return jsonify(_activities(exchange, frozenset({kind})))

    @api.get("/account/portfolio/history")
    def portfolio_history() -> Response:
        with exchange.lock:
            today = exchange.now.date()
            past = [(day, equity) for day, equity in exchange.equities() if day < today]
            now = (today, exchange.account().equity)
            return jsonify(portfolio_view([*past, now], exchange.state.opening_equity))


def _activities(exchange: PaperExchange, types: frozenset[str] | None) -> list[dict[str, Any]]:
    """Fills and what else came or went, newest first unless the query says asc, cut to the page that it asks for."""
    query = request.args
    after, until, day = read_instant(query, "after"), read_instant(query, "until"), read_day(query, "date")
    category = query.get("category", "")
    found = [
        view
        for at, view in _record(exchange)
        if (after is None or at > after)
        and (until is None or at <= until)
        and (day is None or at.date() == day)
        and (types is None or view["activity_type"] in types)
        and category in {"", "trade_activity" if view["activity_type"] == "FILL" else "non_trade_activity"}
    ]
    if query.get("direction", "desc") == "desc":
        found.reverse()
    ids = [view["id"] for view in found]
    token = query.get("page_token")
    start = ids.index(token) + 1 if token in ids else 0
    return found[start : start + read_whole(query, "page_size", 100, 100)]


def _record(exchange: PaperExchange) -> list[tuple[datetime, dict[str, Any]]]:
    with exchange.lock:
        fills = [(fill.at, activity_view(fill)) for fill in exchange.fills()]
        return sorted([*fills, *((entry.at, entry_view(entry)) for entry in exchange.entries())], key=lambda e: e[0])


def _add_reference(api: Blueprint, exchange: PaperExchange) -> None:
    calendar = exchange.market.calendar

    @api.get("/clock")
    def clock() -> Response:
        return jsonify(clock_view(exchange.now, calendar))

    @api.get("/calendar")
    def sessions() -> Response:
        # The last two sessions have no settlement date inside the calendar.
        first, last = calendar.days[0], calendar.days[-3]
        start, end = read_day(request.args, "start") or first, read_day(request.args, "end") or last
        return jsonify(calendar_view(calendar.between(start, min(end, last)), calendar))

    @api.get("/assets")
    def assets() -> Response:
        status, kind = request.args.get("status"), request.args.get("asset_class", "us_equity")
        views = [asset_view(asset) for asset in exchange.assets() if asset.asset_class == kind]
        return jsonify([view for view in views if status in {None, "", "all", view["status"]}])

    @api.get("/assets/<symbol>")
    def asset(symbol: str) -> Response:
        return jsonify(asset_view(exchange.asset(_symbol_of(exchange, symbol))))

    @api.get("/<path:anything>")
    def unknown(anything: str) -> Response:
        raise not_found(f"endpoint not found: /v2/{anything}")
