"""Alpaca's market data endpoints over HTTP. The parameters `feed`, `asof` and `currency` are accepted and ignored."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from paper.bars import BarServer, read_bars_query, trade_view
from paper.data_views import action_view
from paper.errors import bad_request, not_found
from paper.exchange import PaperExchange
from paper.requests_in import read_day, read_symbols


def data_api(exchange: PaperExchange) -> Blueprint:
    """Bars, latest trades and snapshots under /v2/stocks."""
    api = Blueprint("data", __name__, url_prefix="/v2/stocks")
    server = BarServer(exchange.market)
    _add_bars(api, exchange, server)
    _add_latest(api, exchange, server)
    _add_snapshots(api, exchange, server)
    return api


def actions_api(exchange: PaperExchange) -> Blueprint:
    """Corporate actions under /v1."""
    api = Blueprint("actions", __name__, url_prefix="/v1")

    @api.get("/corporate-actions")
    def actions() -> Response:
        symbols = set(read_symbols(request.args))
        today = exchange.now.date()
        start, end = read_day(request.args, "start") or today, read_day(request.args, "end") or today
        types = {kind for kind in request.args.get("types", "").split(",") if kind}
        found: dict[str, list[dict[str, Any]]] = {}
        for action in exchange.actions():
            concerned = not symbols or symbols & {action.symbol, action.new_symbol}
            if concerned and start <= action.ex_date <= end and (not types or action.type.value in types):
                found.setdefault(f"{action.type.value}s", []).append(action_view(action))
        return jsonify({"corporate_actions": found, "next_page_token": None})

    return api


def _wanted() -> list[str]:
    symbols = read_symbols(request.args)
    if not symbols:
        raise bad_request("symbols is required")
    return symbols


def _add_bars(api: Blueprint, exchange: PaperExchange, server: BarServer) -> None:
    @api.get("/bars")
    def bars() -> Response:
        now = exchange.now
        found, token = server.page(_wanted(), read_bars_query(request.args, now), now)
        return jsonify({"bars": found, "next_page_token": token})

    @api.get("/<symbol>/bars")
    def bars_of(symbol: str) -> Response:
        now, symbol = exchange.now, symbol.upper()
        found, token = server.page([symbol], read_bars_query(request.args, now), now)
        return jsonify({"bars": found.get(symbol, []), "symbol": symbol, "next_page_token": token})


def _add_latest(api: Blueprint, exchange: PaperExchange, server: BarServer) -> None:
    @api.get("/trades/latest")
    def trades() -> Response:
        views = {symbol: trade_view(exchange.market, symbol, exchange.now) for symbol in _wanted()}
        return jsonify({"trades": {symbol: view for symbol, view in views.items() if view}})

    @api.get("/<symbol>/trades/latest")
    def trade(symbol: str) -> Response:
        view = trade_view(exchange.market, symbol.upper(), exchange.now)
        if view is None:
            raise not_found(f"no trade found for {symbol}")
        return jsonify({"symbol": symbol.upper(), "trade": view})

    @api.get("/bars/latest")
    def latest_bars() -> Response:
        found = {symbol: server.latest(symbol, exchange.now) for symbol in _wanted()}
        return jsonify({"bars": {symbol: bars[-1] for symbol, bars in found.items() if bars}})

    @api.get("/<symbol>/bars/latest")
    def latest_bar(symbol: str) -> Response:
        bars = server.latest(symbol.upper(), exchange.now)
        if not bars:
            raise not_found(f"no bar found for {symbol}")
        return jsonify({"symbol": symbol.upper(), "bar": bars[-1]})


def _add_snapshots(api: Blueprint, exchange: PaperExchange, server: BarServer) -> None:
    def snapshot_of(symbol: str) -> dict[str, Any] | None:
        trade, bars = trade_view(exchange.market, symbol, exchange.now), server.latest(symbol, exchange.now)
        if trade is None or not bars:
            return None
        before = bars[-2] if len(bars) > 1 else None
        return {"latestTrade": trade, "minuteBar": None, "dailyBar": bars[-1], "prevDailyBar": before}

    @api.get("/snapshots")
    def snapshots() -> Response:
        found = {symbol: snapshot_of(symbol) for symbol in _wanted()}
        return jsonify({symbol: view for symbol, view in found.items() if view})

    @api.get("/<symbol>/snapshot")
    def snapshot(symbol: str) -> Response:
        view = snapshot_of(symbol.upper())
        if view is None:
            raise not_found(f"no snapshot found for {symbol}")
        return jsonify({"symbol": symbol.upper(), **view})
