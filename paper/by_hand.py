"""What happens to an account outside the platform: manual trades, transfers, blocked accounts, halted symbols."""

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from paper.account import US_EQUITY
from paper.actions import Action, Clerk
from paper.errors import Refused, forbidden, invalid
from paper.state import Asset

if TYPE_CHECKING:
    from paper.exchange import PaperExchange


class ByHand:
    """Changes that no order of ours makes, for rehearsals and tests of what follows from them."""

    def __init__(self, exchange: "PaperExchange") -> None:
        self._exchange = exchange

    @property
    def _clerk(self) -> Clerk:
        return self._exchange.engine.clerk

    def trade(self, symbol: str, qty: Decimal, price: Decimal | None = None, asset_class: str = US_EQUITY) -> None:
        """Buy (`qty` above 0) or sell (below 0) at `price` (USD), by default the last one, without an order.

        Something of another asset class than us_equity keeps the price that it was last traded at. Refused if more is
        sold than is free, or if no price is known.
        """
        with self._exchange.guard.change():
            state = self._exchange.state
            held = state.account.holdings.get(symbol)
            asset_class = held.asset_class if held else asset_class
            if asset_class == US_EQUITY:
                self._exchange.admission.asset(symbol)
            paid = self._exchange.valuation.price(symbol) if price is None else price
            if paid is None or paid <= 0:
                raise invalid(f"no price is known for {symbol}: give one above 0")
            if qty < 0:
                self._exchange.admission.check_shares(symbol, -qty, freed=Decimal(0))
            if qty * paid > state.account.cash:
                raise forbidden(f"cash of {state.account.cash} does not pay for {qty * paid}")
            state.account.trade(symbol, qty, paid, asset_class)
            self._clerk.enter("FILL", symbol, qty, price=paid, amount=-qty * paid)
            if asset_class != US_EQUITY:
                state.assets[symbol] = Asset(symbol, asset_class=asset_class)

    def transfer(self, amount: Decimal) -> None:
        """Pay USD in (above 0) or out (below 0); Refused if more is taken out than there is."""
        with self._exchange.guard.change():
            account = self._exchange.state.account
            if account.cash + amount < 0:
                raise Refused(403, 40310000, f"cannot take {-amount} out of {account.cash}")
            account.cash += amount
            self._clerk.enter("CSD" if amount > 0 else "CSW", amount=amount)

    def pay(self, kind: str, amount: Decimal, symbol: str = "", qty: Decimal = Decimal(0)) -> None:
        """Interest, a fee, a dividend: USD that come (above 0) or go, written into the record as `kind` (INT, FEE)."""
        with self._exchange.guard.change():
            self._exchange.state.account.cash += amount
            self._clerk.enter(kind, symbol, qty, amount=amount)

    def announce(self, action: Action) -> None:
        """A corporate action beside those of the history; it happens at the opening of its ex-date."""
        with self._exchange.guard.change():
            self._exchange.state.actions.append(action)

    def set_asset(self, symbol: str, **changes: bool) -> Asset:
        """Change what may be done with a symbol: `tradable`, `active`, `fractionable`; gives the asset as it is now."""
        with self._exchange.guard.change():
            asset = replace(self._exchange.admission.asset(symbol), **changes)  # type: ignore[arg-type]
            self._exchange.state.assets[symbol] = asset
            return asset

    def block(self, *, trading: bool | None = None, account: bool | None = None) -> None:
        """Block or free trading, or the whole account; None leaves as it is."""
        with self._exchange.guard.change():
            state = self._exchange.state
            state.trading_blocked = state.trading_blocked if trading is None else trading
            state.account_blocked = state.account_blocked if account is None else account
