"""The paper exchange as a broker and as a price source, without HTTP in between."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd

import paper
from openbell.adapters.alpaca.activities import read_actions, read_activity
from openbell.errors import OrderNotCancelable, OrderRejected, OutcomeUnknown
from openbell.model import (
    ZERO,
    Account,
    Activity,
    BrokerOrder,
    BrokerPosition,
    CorporateAction,
    LegKind,
    MarketClock,
    OrderRequest,
    OrderStatus,
    Side,
)
from paper.data_views import action_view
from paper.orders import Order
from paper.trading_views import activity_view, entry_view

_STATUS = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "replaced": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}
_MISSING = 404
_DUPLICATE = "client_order_id must be unique"


class ExchangeBroker:
    """`openbell.ports.Broker`: what AlpacaBroker does over HTTP, done directly."""

    def __init__(self, exchange: paper.PaperExchange) -> None:
        self._exchange = exchange

    def clock(self) -> MarketClock:
        """See Broker."""
        now, calendar = self._exchange.now, self._exchange.market.calendar
        return MarketClock(now, calendar.is_open(now), calendar.next_open(now), calendar.next_close(now))

    def account(self) -> Account:
        """See Broker."""
        summary = self._exchange.account()
        return Account(summary.equity, summary.last_equity, summary.cash, summary.buying_power)

    def positions(self) -> dict[str, BrokerPosition]:
        """See Broker."""
        return self._positions(equities=True)

    def other_holdings(self) -> dict[str, BrokerPosition]:
        """See Broker."""
        return self._positions(equities=False)

    def _positions(self, *, equities: bool) -> dict[str, BrokerPosition]:
        return {
            position.symbol: BrokerPosition(
                symbol=position.symbol,
                qty=position.qty,
                qty_available=position.qty_available,
                average_price=position.holding.average_price,
                price=position.holding.average_price if position.price is None else position.price,
            )
            for position in self._exchange.positions()
            if (position.holding.asset_class == "us_equity") is equities
        }

    def orders_since(self, since: datetime) -> list[BrokerOrder]:
        """See Broker."""
        found = [order for order in self._exchange.orders() if order.parent_id is None and order.created_at > since]
        return [self._told(order) for order in found]

    def open_orders(self) -> list[BrokerOrder]:
        """See Broker."""
        book = self._exchange.state.book
        roots = {root.id: root for root in map(book.root, book.open())}
        return [self._told(order) for order in roots.values()]

    def activities(self, since: date) -> list[Activity]:
        """See Broker."""
        entries = [entry for entry in self._exchange.entries() if entry.type != "FILL" and entry.at.date() >= since]
        return [read_activity(entry_view(entry)) for entry in entries]

    def fill_activities(self, since: datetime) -> list[Activity]:
        """See Broker."""
        fills = [(fill.at, activity_view(fill)) for fill in self._exchange.fills()]
        by_hand = [(entry.at, entry_view(entry)) for entry in self._exchange.entries() if entry.type == "FILL"]
        found = sorted([*fills, *by_hand], key=lambda each: each[0])
        return [read_activity(view) for at, view in found if at > since]

    def corporate_actions(self, symbols: Collection[str], first: date, last: date) -> list[CorporateAction]:
        """See Broker."""
        found = [
            action
            for action in self._exchange.actions()
            if first <= action.ex_date <= last and {action.symbol, action.new_symbol} & set(symbols)
        ]
        return [seen for action in found for seen in read_actions({f"{action.type.value}s": [action_view(action)]})]

    def tradable_symbols(self) -> frozenset[str]:
        """See Broker."""
        return frozenset(asset.symbol for asset in self._exchange.assets() if asset.tradable and asset.active)

    def find_order(self, client_order_id: str) -> BrokerOrder | None:
        """See Broker."""
        try:
            return self._told(self._exchange.order_by_client_id(client_order_id))
        except paper.Refused:
            return None

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """See Broker."""
        try:
            return self._told(self._exchange.submit(_ticket(request)))
        except paper.Refused as refusal:
            if refusal.message == _DUPLICATE:
                raise OutcomeUnknown(f"order {request.client_order_id} may have been sent before") from refusal
            raise OrderRejected(f"{refusal.message} (code {refusal.code})") from refusal

    def cancel(self, order_id: str) -> None:
        """See Broker."""
        try:
            self._exchange.cancel(order_id)
        except paper.Refused as refusal:
            raise OrderNotCancelable(f"order {order_id}: {refusal.message}") from refusal

    def _told(self, order: Order) -> BrokerOrder:
        """The order, or what stands in its place, under the id that it was sent with."""
        newest = order
        while newest.replaced_by:
            newest = self._exchange.order(newest.replaced_by)
        told = _broker_order(newest, LegKind.ENTRY, [_leg(leg) for leg in self._exchange.legs(newest)])
        return replace(told, client_order_id=order.client_order_id)


def _ticket(request: OrderRequest) -> paper.Ticket:
    ticket = paper.Ticket(
        request.symbol,
        paper.Side(request.side.value),
        request.qty,
        type=paper.OrderType.LIMIT if request.limit_price else paper.OrderType.MARKET,
        limit_price=request.limit_price,
        client_order_id=request.client_order_id,
    )
    if request.bracket is None:
        return ticket
    if request.side is Side.SELL and not request.is_oco:
        return replace(ticket, time_in_force=paper.TimeInForce.GTC)
    if request.is_oco:
        ticket = replace(ticket, type=paper.OrderType.LIMIT, limit_price=request.bracket.take_profit_price)
    return replace(
        ticket,
        time_in_force=paper.TimeInForce.DAY if request.today_only else paper.TimeInForce.GTC,
        order_class=paper.OrderClass.OCO if request.is_oco else paper.OrderClass.BRACKET,
        take_profit=request.bracket.take_profit_price,
        stop_loss=paper.StopLoss(request.bracket.stop_price, request.bracket.stop_limit_price),
    )


def _leg(order: Order) -> BrokerOrder:
    return _broker_order(order, LegKind.TAKE_PROFIT if order.type is paper.OrderType.LIMIT else LegKind.STOP, ())


def _broker_order(order: Order, kind: LegKind, legs: Sequence[BrokerOrder]) -> BrokerOrder:
    return BrokerOrder(
        id=order.id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=Side(order.side.value),
        status=_STATUS.get(order.status.value, OrderStatus.WORKING),
        qty=order.qty or ZERO,
        filled_qty=order.filled_qty,
        filled_avg_price=order.average_price or ZERO,
        kind=kind,
        legs=tuple(legs),
        filled_at=order.updated_at if order.filled_qty else None,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        expires_at=order.ages_at,
    )


class ExchangeData:
    """`openbell.ports.MarketData` over the exchange's own history: nothing after the last complete session."""

    name = "Paper exchange"

    def __init__(self, exchange: paper.PaperExchange) -> None:
        self._exchange = exchange

    def daily_closes(self, symbols: Sequence[str], start: date, end: date) -> pd.DataFrame:
        """See MarketData."""
        history, market = self._exchange.history, self._exchange.market
        last = market.last_complete(self._exchange.now)
        until = min(end, last) if last else date.min
        rows = [row for row, day in enumerate(history.sessions) if start <= day <= until]
        known = [symbol for symbol in symbols if symbol in history.columns]
        closes = history.bars.close[np.ix_(rows, [history.columns[symbol] for symbol in known])]
        splits_until = market.splits_until(self._exchange.now)
        for column, symbol in enumerate(known):
            closes[:, column] /= history.split_factors(symbol, np.array(rows), splits_until)
        frame = pd.DataFrame(closes, index=pd.DatetimeIndex([history.sessions[row] for row in rows]), columns=known)
        return frame.dropna(axis="columns", how="all")

    def latest_prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        """See MarketData. Spelled as the data API spells them, whose prices are JSON numbers: 289.532, not 289.5320."""
        found = {symbol: self._exchange.latest_trade(symbol) for symbol in symbols}
        return {symbol: Decimal(str(float(trade.price))) for symbol, trade in found.items() if trade}
