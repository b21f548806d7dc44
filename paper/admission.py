"""What the account allows: checks of an order against holdings, cash and resting orders, raising Refused."""

from decimal import Decimal

from paper.errors import Refused, forbidden, insufficient_buying_power, invalid, invalid_field, not_found
from paper.market import Market
from paper.matching import buy_stop_limit
from paper.orders import ZERO, Order, OrderClass, OrderType, Side, Ticket
from paper.state import Asset, Rules, State
from paper.tickets import check_exits, check_ticket, is_fractional
from paper.valuation import Valuation

_COMPLEX = frozenset({OrderClass.BRACKET, OrderClass.OCO, OrderClass.OTO})


class Admission:
    """Decides whether an order is accepted."""

    def __init__(self, market: Market, state: State, rules: Rules, valuation: Valuation) -> None:
        self._market = market
        self._state = state
        self._rules = rules
        self._valuation = valuation

    def asset(self, symbol: str) -> Asset:
        """What may be done with a symbol; 404 for one that the data does not have."""
        known = self._state.assets.get(symbol)
        if known:
            return known
        if symbol not in self._market.history.columns:
            raise not_found(f"asset not found for {symbol}")
        return Asset(symbol)

    def reserve_price(self, ticket: Ticket) -> Decimal:
        """USD to set aside for each share: the worst price that the order allows, or a collar above the market."""
        if ticket.limit_price is not None:
            return ticket.limit_price
        if ticket.stop_price is not None:
            return buy_stop_limit(ticket.stop_price) if ticket.side is Side.BUY else ticket.stop_price
        price = self._valuation.price(ticket.symbol)
        if price is None:
            raise invalid(f"no price is known yet for {ticket.symbol}: send the order when it has traded")
        collar = self._rules.market_collar if ticket.side is Side.BUY and ticket.notional is None else ZERO
        return price * (1 + collar)

    def check(self, ticket: Ticket) -> None:
        """Raise Refused if the order is not accepted now."""
        check_ticket(ticket)
        self._check_asset(ticket)
        self.check_new_id(ticket.client_order_id)
        self._check_account()
        self._check_legs(ticket)
        self._check_wash_trade(ticket)
        if ticket.side is Side.SELL:
            self.check_shares(ticket.symbol, self._wanted_shares(ticket), freed=ZERO)
        else:
            self.check_cash(self._cost(ticket), freed=ZERO)

    def check_new_id(self, client_order_id: str) -> None:
        """Raise Refused if an order was ever accepted with this id."""
        if client_order_id and self._state.book.by_client_id(client_order_id):
            raise invalid_field("client_order_id must be unique")

    def check_shares(self, symbol: str, wanted: Decimal, freed: Decimal) -> None:
        """Raise Refused if fewer shares than wanted are free of other sell orders; `freed` are given back first."""
        held = self._state.account.held(symbol)
        reserved = self._state.book.reserved_shares(symbol) - freed
        if wanted > held - reserved:
            available = _plain(max(ZERO, held - reserved))
            raise forbidden(
                f"insufficient qty available for order (requested: {_plain(wanted)}, available: {available})",
                available=available,
                existing_qty=_plain(held),
                held_for_orders=_plain(reserved),
                symbol=symbol,
            )

    def check_cash(self, cost: Decimal, freed: Decimal) -> None:
        """Raise Refused if the cost (USD) exceeds the buying power; `freed` is given back first."""
        available = self._valuation.buying_power() + freed
        if cost > available:
            raise insufficient_buying_power(max(ZERO, available), cost)

    def _check_asset(self, ticket: Ticket) -> None:
        try:
            asset = self.asset(ticket.symbol)
        except Refused as error:
            raise invalid(f'could not find asset "{ticket.symbol}"') from error
        if asset.asset_class != "us_equity":
            raise invalid(f"{ticket.symbol} is {asset.asset_class}: only US equities are traded here")
        if not asset.active:
            raise invalid(f"asset {ticket.symbol} is not active")
        if not asset.tradable:
            raise invalid(f"asset {ticket.symbol} is not tradable")
        if is_fractional(ticket) and not asset.fractionable:
            raise forbidden(f'asset "{ticket.symbol}" is not fractionable')

    def _check_account(self) -> None:
        if self._state.account_blocked:
            raise forbidden("account is blocked")
        if self._state.trading_blocked:
            raise forbidden("new orders are rejected: trading is blocked for this account")

    def _check_legs(self, ticket: Ticket) -> None:
        if ticket.order_class is OrderClass.SIMPLE:
            return
        price = self._valuation.price(ticket.symbol)
        if price is not None:
            check_exits(ticket, price)

    def _check_wash_trade(self, ticket: Ticket) -> None:
        """A resting order of the other side that this one could trade with stops it, unless it is a complex order."""
        if ticket.order_class in _COMPLEX:
            return
        for order in self._state.book.open(ticket.symbol):
            if order.side is not ticket.side and order.status.live and _could_meet(ticket, order):
                kind = "limit" if order.type is OrderType.LIMIT else "market/stop"
                raise forbidden(
                    "potential wash trade detected. use complex orders",
                    existing_order_id=order.id,
                    reject_reason=f"opposite side {kind} order exists",
                )

    def _wanted_shares(self, ticket: Ticket) -> Decimal:
        if ticket.qty is not None:
            return ticket.qty
        return (ticket.notional or ZERO) / self.reserve_price(ticket)

    def _cost(self, ticket: Ticket) -> Decimal:
        return ticket.notional if ticket.notional is not None else self.reserve_price(ticket) * (ticket.qty or ZERO)


def _could_meet(ticket: Ticket, order: Order) -> bool:
    """Two limit orders meet only if the buyer's limit reaches the seller's; anything else might."""
    both_limits = ticket.type is OrderType.LIMIT and order.type is OrderType.LIMIT
    if not both_limits or ticket.limit_price is None or order.limit_price is None:
        return True
    buy, sell = (ticket, order) if ticket.side is Side.BUY else (order, ticket)
    return (buy.limit_price or ZERO) >= (sell.limit_price or ZERO)


def _plain(qty: Decimal) -> str:
    return f"{qty.normalize():f}"
