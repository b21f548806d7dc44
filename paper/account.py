"""What the account owns: cash and holdings at average cost."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from paper.orders import ZERO, Fill

US_EQUITY = "us_equity"


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares of one symbol, what they cost in all (USD), and for things without a market here their fixed price."""

    symbol: str
    qty: Decimal
    cost: Decimal
    asset_class: str = US_EQUITY
    fixed_price: Decimal | None = None

    @property
    def average_price(self) -> Decimal:
        """USD paid for one share."""
        return self.cost / self.qty


class Account:
    """Cash (USD) and holdings. Holdings are never short; one that is sold out disappears."""

    def __init__(self, cash: Decimal, holdings: Mapping[str, Holding] | None = None) -> None:
        self.cash = cash
        self._holdings = dict(holdings or {})

    @property
    def holdings(self) -> Mapping[str, Holding]:
        """Holdings by symbol."""
        return MappingProxyType(self._holdings)

    def held(self, symbol: str) -> Decimal:
        """Shares held of a symbol."""
        holding = self._holdings.get(symbol)
        return holding.qty if holding else ZERO

    def book(self, fill: Fill) -> None:
        """Move cash and shares by a fill; ValueError if more is sold than held."""
        self.trade(fill.symbol, fill.side.sign * fill.qty, fill.price)

    def trade(self, symbol: str, qty: Decimal, price: Decimal, asset_class: str = US_EQUITY) -> None:
        """Buy (`qty` above 0) or sell (below 0) at a price in USD; average cost stays with the shares that remain.

        Selling 4 of 10 shares that cost 1,000 leaves 6 that cost 600.
        """
        held = self._holdings.get(symbol, Holding(symbol, ZERO, ZERO, asset_class))
        left = held.qty + qty
        if left < 0:
            raise ValueError(f"{symbol}: cannot sell {-qty} of {held.qty} shares")
        self.cash -= qty * price
        if left == 0:
            self._holdings.pop(symbol, None)
            return
        cost = held.cost + qty * price if qty > 0 else held.cost * left / held.qty
        fixed = None if asset_class == US_EQUITY else price
        self._holdings[symbol] = replace(held, qty=left, cost=cost, fixed_price=fixed)

    def exchange(self, symbol: str, new_symbol: str, qty: Decimal, *, stays: bool = False) -> None:
        """`qty` shares of `new_symbol` for all of `symbol`, whose cost they take over; or beside them, at no cost."""
        old = self._holdings[symbol] if stays else self._holdings.pop(symbol)
        if qty:
            known = self._holdings.get(new_symbol, replace(old, symbol=new_symbol, qty=ZERO, cost=ZERO))
            cost = ZERO if stays else old.cost
            self._holdings[new_symbol] = replace(known, qty=known.qty + qty, cost=known.cost + cost)
