"""Backtrader's broker as `openbell.ports.Broker`: what AlpacaBroker does over HTTP, done in a Cerebro's strategy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import backtrader as bt

from lab.quick_exchange import QuickBroker, QuickExchange
from openbell.errors import OrderNotCancelable
from openbell.model import ZERO, Account, Bracket, BrokerOrder, BrokerPosition, LegKind, OrderRequest, OrderStatus, Side
from openbell.money import ONE_SHARE
from paper.matching import with_slippage

_ENDS = {
    bt.Order.Completed: OrderStatus.FILLED,
    bt.Order.Canceled: OrderStatus.CANCELED,
    bt.Order.Expired: OrderStatus.EXPIRED,
    bt.Order.Margin: OrderStatus.REJECTED,
    bt.Order.Rejected: OrderStatus.REJECTED,
}
_DIGITS = 4  # of a price in USD, as on the paper exchange


def usd(amount: float) -> Decimal:
    """A float of Backtrader's as USD with four decimals."""
    return Decimal(f"{amount:.{_DIGITS}f}")


class TickBroker(bt.brokers.BackBroker):  # type: ignore[misc]
    """Backtrader's broker with the paper exchange's slippage, rounded as there; what rests at a limit has none.

    An entry with a limit takes the price of its bar, within the limit, and is cancelled if that bar is beyond it.
    """

    def __init__(self, cash: Decimal, slippage_bps: Decimal) -> None:
        super().__init__()
        self._slippage_bps = slippage_bps
        self.setcash(float(cash))
        self.set_checksubmit(False)  # sells of the same bar pay for buys, as they do where buys wait for them

    # Backtrader's own hooks, whose first number is the bar's high or low.

    def _slip_up(self, _: float, price: float, doslip: bool = True, lim: bool = False) -> float:  # noqa: ARG002
        return price if lim else self._taken(price, 1)

    def _slip_down(self, _: float, price: float, doslip: bool = True, lim: bool = False) -> float:  # noqa: ARG002
        return price if lim else self._taken(price, -1)

    def _try_exec_limit(self, order: Any, popen: float, phigh: float, plow: float, plimit: float) -> None:
        if not order.info.get("takes"):
            super()._try_exec_limit(order, popen, phigh, plow, plimit)
        elif popen <= plimit if order.isbuy() else popen >= plimit:
            paid = self._taken(popen, 1 if order.isbuy() else -1)
            self._execute(order, ago=0, price=min(paid, plimit) if order.isbuy() else max(paid, plimit))
        else:
            order.cancel()
            self.notify(order)
            self._bracketize(order, cancel=True)

    def _taken(self, price: float, sign: int) -> float:
        return float(with_slippage(usd(price), sign, self._slippage_bps))


@dataclass(frozen=True)
class _Sent:
    """An order at Backtrader's, and its protective legs."""

    request: OrderRequest
    entry: Any
    legs: Mapping[LegKind, Any] = field(default_factory=dict)


class BacktraderBroker(QuickBroker):
    """The account in a Cerebro; the clock and the prices of the moment are those of the paper exchange's market."""

    def __init__(self, exchange: QuickExchange, cash: Decimal) -> None:
        super().__init__(exchange)
        self.last_equity = cash  # USD at the last close
        self._sent: dict[str, _Sent] = {}
        self._orders: dict[str, Any] = {}
        self._trader: Any = None
        self._feeds: dict[str, Any] = {}

    def attach(self, trader: Any) -> None:
        """Trade through a Backtrader strategy from now on; its data feeds are named by symbol."""
        self._trader = trader
        self._feeds = {feed._name: feed for feed in trader.datas}

    def filled_on(self, order_id: str) -> date | None:
        """The session of an order's last fill."""
        order = self._orders.get(order_id)
        return bt.num2date(order.executed.dt).date() if order is not None and order.executed.size else None

    def shares(self) -> dict[str, Decimal]:
        """See QuickBroker."""
        sizes = {symbol: self._trader.getposition(feed).size for symbol, feed in self._feeds.items()}
        return {symbol: Decimal(str(size)) for symbol, size in sizes.items() if size}

    def position_values(self) -> dict[str, Decimal]:
        """See QuickBroker."""
        return {symbol: position.qty * position.price for symbol, position in self.positions().items()}

    def account_with(self, values: Mapping[str, Decimal]) -> Account:
        """See QuickBroker."""
        cash = usd(self._trader.broker.getcash())
        return Account(cash + sum(values.values(), ZERO), self.last_equity, cash, max(ZERO, cash))

    def account(self) -> Account:
        """See Broker."""
        return self.account_with(self.position_values())

    def positions(self) -> dict[str, BrokerPosition]:
        """See Broker."""
        found = {}
        for symbol, qty in self.shares().items():
            paid = usd(self._trader.getposition(self._feeds[symbol]).price)
            latest = self._exchange.market.latest(symbol, self._exchange.now)
            found[symbol] = BrokerPosition(symbol, qty, qty, paid, latest.price if latest else paid)
        return found

    def open_orders(self) -> list[BrokerOrder]:
        """See Broker."""
        entries = [self._seen(sent) for sent in self._sent.values()]
        return [order for order in entries if any(not part.status.ended for part in (order, *order.legs))]

    def find_order(self, client_order_id: str) -> BrokerOrder | None:
        """See Broker."""
        sent = self._sent.get(client_order_id)
        return self._seen(sent) if sent else None

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """See Broker."""
        sent = self._send(request)
        self._sent[request.client_order_id] = sent
        self._orders |= {str(order.ref): order for order in (sent.entry, *sent.legs.values())}
        return self._seen(sent)

    def _send(self, request: OrderRequest) -> _Sent:
        place = self._trader.buy if request.side is Side.BUY else self._trader.sell
        what = {"data": self._feeds[request.symbol], "size": _size(request.qty)}
        if request.is_oco:
            return self._send_oco(request, what)
        terms: dict[str, Any] = {"exectype": bt.Order.Market}
        if request.limit_price is not None:
            terms = {"exectype": bt.Order.Limit, "price": float(request.limit_price), "takes": True}
        if request.bracket is None or request.side is Side.SELL:
            return _Sent(request, place(**what, **terms))
        entry = place(**what, **terms, transmit=False)
        stop = self._stop(request, what, parent=entry, transmit=False)
        profit = self._profit(request, what, parent=entry)
        return _Sent(request, entry, {LegKind.STOP: stop, LegKind.TAKE_PROFIT: profit})

    def _send_oco(self, request: OrderRequest, what: Mapping[str, Any]) -> _Sent:
        """Two sells of which one ends the other; as at Alpaca, the profit's is the order and the stop its leg."""
        profit = self._profit(request, what)
        return _Sent(request, profit, {LegKind.STOP: self._stop(request, what, oco=profit)})

    def _stop(self, request: OrderRequest, what: Mapping[str, Any], **how: Any) -> Any:
        prices = _bracket(request)
        limit, price = float(prices.stop_limit_price), float(prices.stop_price)
        return self._trader.sell(**what, exectype=bt.Order.StopLimit, price=price, plimit=limit, **how)

    def _profit(self, request: OrderRequest, what: Mapping[str, Any], **how: Any) -> Any:
        price = float(_bracket(request).take_profit_price)
        return self._trader.sell(**what, exectype=bt.Order.Limit, price=price, **how)

    def cancel(self, order_id: str) -> None:
        """See Broker."""
        order = self._orders.get(order_id)
        if order is None or not order.alive():
            raise OrderNotCancelable(f"order {order_id} has ended, or never was")
        self._trader.cancel(order)

    def _seen(self, sent: _Sent) -> BrokerOrder:
        request = sent.request
        legs = tuple(_broker_order(leg, "", request.symbol, Side.SELL, kind) for kind, leg in sent.legs.items())
        return _broker_order(sent.entry, request.client_order_id, request.symbol, request.side, LegKind.ENTRY, legs)


def _broker_order(
    order: Any, client_order_id: str, symbol: str, side: Side, kind: LegKind, legs: tuple[BrokerOrder, ...] = ()
) -> BrokerOrder:
    filled = Decimal(str(abs(order.executed.size)))
    return BrokerOrder(
        id=str(order.ref),
        client_order_id=client_order_id,
        symbol=symbol,
        side=side,
        status=_ENDS.get(order.status, OrderStatus.WORKING),
        qty=Decimal(str(abs(order.created.size))),
        filled_qty=filled,
        filled_avg_price=usd(order.executed.price) if filled else ZERO,
        kind=kind,
        legs=legs,
    )


def _bracket(request: OrderRequest) -> Bracket:
    if request.bracket is None:
        raise ValueError(f"order {request.client_order_id} has no protective prices")
    return request.bracket


def _size(qty: Decimal) -> int | float:
    return int(qty) if qty % ONE_SHARE == 0 else float(qty)
