"""A strategy that buys one symbol on one day, with a bracket: what happens to it is up to the market."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from openbell.model import Signal
from openbell.portfolio.sizing import BracketRule, Sizing, SizingRule
from openbell.strategies import Context, Market, Strategy
from openbell.strategies.protocol import Parameters


class BuysOnParameters(Parameters):
    """Prices of the bracket are fractions of the price at which it was decided."""

    symbol: str
    day: date
    stop: Decimal
    stop_limit: Decimal
    take_profit: Decimal


class BuysOn(Strategy[BuysOnParameters]):
    """Buys `symbol` on `day`."""

    parameters_model: ClassVar[type[Parameters]] = BuysOnParameters
    sizing: ClassVar[Sizing] = Sizing.ENTER

    def universe(self, market: Market, size: int, lookback: int) -> tuple[str, ...]:
        return (self.parameters.symbol,)

    def signals(self, context: Context) -> list[Signal]:
        today = context.session == self.parameters.day
        return [Signal(self.parameters.symbol, 1.0, "it is the day")] if today else []

    def sizing_rule(self) -> SizingRule:
        wanted = self.parameters
        bracket = BracketRule(wanted.stop, wanted.stop_limit, wanted.take_profit)
        return SizingRule(self.sizing, wanted.cash_buffer, bracket, wanted.max_weight)
