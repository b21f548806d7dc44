"""What the account is worth at the latest prices, and what it may still spend."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from paper.account import Holding
from paper.errors import not_found
from paper.market import Market
from paper.orders import ZERO
from paper.sessions import NEW_YORK
from paper.state import Rules, State


@dataclass(frozen=True, slots=True)
class Position:
    """A holding with today's prices (USD); None where no price is known."""

    holding: Holding
    qty_available: Decimal  # not held by resting sell orders
    price: Decimal | None
    last_close: Decimal | None

    @property
    def symbol(self) -> str:
        """What is held."""
        return self.holding.symbol

    @property
    def qty(self) -> Decimal:
        """Shares held."""
        return self.holding.qty


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """The account's figures in USD."""

    cash: Decimal
    equity: Decimal
    last_equity: Decimal  # at the close of the last session before today
    positions_value: Decimal
    buying_power: Decimal


class Valuation:
    """The state, valued at the clock's time."""

    def __init__(self, market: Market, state: State, rules: Rules) -> None:
        self._market = market
        self._state = state
        self._rules = rules

    def price(self, symbol: str) -> Decimal | None:
        """The last price (USD) of a symbol, the fixed one if it has no market here; None if there is none yet."""
        holding = self._state.account.holdings.get(symbol)
        if holding and holding.fixed_price is not None:
            return holding.fixed_price
        latest = self._market.latest(symbol, self._state.now)
        return latest.price if latest else None

    def positions_value(self) -> Decimal:
        """USD that all holdings are worth at their last prices; at cost where there is no price."""
        holdings = self._state.account.holdings.values()
        return sum((self._value(holding) for holding in holdings), ZERO)

    def _value(self, holding: Holding) -> Decimal:
        price = self.price(holding.symbol)
        return holding.cost if price is None else holding.qty * price

    def equity(self) -> Decimal:
        """Cash and holdings (USD)."""
        return self._state.account.cash + self.positions_value()

    def buying_power(self) -> Decimal:
        """USD left for new buys: equity times the multiplier, less holdings and open buys. Free cash without margin."""
        reserved = self._state.book.reserved_cash()
        if self._rules.multiplier == 1:
            return self._state.account.cash - reserved
        value = self.positions_value()
        return (self._state.account.cash + value) * self._rules.multiplier - value - reserved

    def summary(self) -> AccountSummary:
        """The account's figures."""
        today = self._state.now.date()
        last = next((equity for day, equity in reversed(self._state.equities) if day < today), None)
        return AccountSummary(
            cash=self._state.account.cash,
            equity=self.equity(),
            last_equity=self._state.opening_equity if last is None else last,
            positions_value=self.positions_value(),
            buying_power=max(ZERO, self.buying_power()),
        )

    def positions(self) -> list[Position]:
        """What is held, by symbol."""
        return [self._position(holding) for _, holding in sorted(self._state.account.holdings.items())]

    def position(self, symbol: str) -> Position:
        """What is held of one symbol; Refused (404) if nothing is."""
        holding = self._state.account.holdings.get(symbol)
        if holding is None:
            raise not_found("position does not exist")
        return self._position(holding)

    def _position(self, holding: Holding) -> Position:
        available = holding.qty - self._state.book.reserved_shares(holding.symbol)
        price = self.price(holding.symbol)
        return Position(holding, available, price, self._previous_close(holding.symbol) or price)

    def _previous_close(self, symbol: str) -> Decimal | None:
        """The close (USD, in today's shares) of the last session before today."""
        now = self._state.now
        midnight = datetime.combine(now.date(), time(0), NEW_YORK)
        latest = self._market.latest(symbol, midnight)
        if latest is None:
            return None
        yesterday = now.date() - timedelta(days=1)
        return latest.price / self._market.history.split_factor(symbol, yesterday, self._market.splits_until(now))
