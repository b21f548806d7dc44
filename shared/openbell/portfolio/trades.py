"""Targets to trades: what would have to change hands for each strategy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from openbell.model import ZERO, Bracket, Side, Sleeve, Target


@dataclass(frozen=True)
class Trade:
    """A change that one strategy wants in one symbol: `qty` shares at about `price` USD."""

    strategy: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    reason: str
    bracket: Bracket | None = None

    @property
    def value(self) -> Decimal:
        """USD."""
        return self.qty * self.price


def changes(targets: Sequence[Target], sleeves: Mapping[str, Sleeve], prices: Mapping[str, Decimal]) -> list[Trade]:
    """The trades that lead from the sleeves' holdings to the targets: sells first, then by strategy and symbol.

    A symbol without a price (USD) counts as worth nothing, which the risk gate does not let through.
    """
    trades = []
    for target in targets:
        delta = target.qty - sleeves[target.strategy].held(target.symbol)
        if delta:
            side = Side.BUY if delta > 0 else Side.SELL
            bracket = target.bracket if side is Side.BUY else None
            price = prices.get(target.symbol, ZERO)
            trades.append(Trade(target.strategy, target.symbol, side, abs(delta), price, target.reason, bracket))
    return sorted(trades, key=lambda trade: (trade.side is Side.BUY, trade.strategy, trade.symbol))
