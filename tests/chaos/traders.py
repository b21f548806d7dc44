"""Strategies that trade a lot for no reason: coins tossed from the session's date, so that a replay repeats them."""

import sys
from decimal import Decimal
from hashlib import sha256
from typing import ClassVar

from openbell.model import Signal
from openbell.portfolio.sizing import BracketRule, Sizing, SizingRule
from openbell.strategies import Context, Parameters, Strategy

_BRACKET = BracketRule(stop=Decimal("0.02"), stop_limit=Decimal("0.05"), take_profit=Decimal("0.025"))


class TraderParameters(Parameters):
    """`salt` makes the tosses of two traders independent of each other."""

    salt: str = "a"


def heads(salt: str, session: object, symbol: str) -> bool:
    """A fair coin that falls the same way every time."""
    return sha256(f"{salt}/{session}/{symbol}".encode()).digest()[0] % 2 == 0


class Swinger(Strategy[TraderParameters]):
    """Enters and leaves by the coin; every entry comes with a bracket so tight that its legs fire within days."""

    parameters_model: ClassVar[type[Parameters]] = TraderParameters
    sizing: ClassVar[Sizing] = Sizing.ENTER

    def signals(self, context: Context) -> list[Signal]:
        """Up or down for each symbol."""
        return [_toss(self.parameters.salt, context, symbol, flip=False) for symbol in sorted(context.prices)]

    def sizing_rule(self) -> SizingRule:
        """Entries are protected."""
        return SizingRule(self.sizing, self.parameters.cash_buffer, _BRACKET)


class Rotator(Strategy[TraderParameters]):
    """Holds the half of its universe for which the coin falls heads, at equal weights, every session anew."""

    parameters_model: ClassVar[type[Parameters]] = TraderParameters
    sizing: ClassVar[Sizing] = Sizing.REBALANCE

    def signals(self, context: Context) -> list[Signal]:
        """Up or down for each symbol."""
        return [_toss(self.parameters.salt, context, symbol, flip=False) for symbol in sorted(context.prices)]


class Contrarian(Rotator):
    """Wants the opposite of the rotator of the same salt, so that their trades meet inside the account."""

    def signals(self, context: Context) -> list[Signal]:
        """Down or up for each symbol."""
        return [_toss(self.parameters.salt, context, symbol, flip=True) for symbol in sorted(context.prices)]


class Hostile(Rotator):
    """Misbehaves in another way each session, and trades in some."""

    def signals(self, context: Context) -> list[Signal]:
        """Signals of no use to anybody, or none at all."""
        good = super().signals(context)
        match sha256(f"{self.parameters.salt}/{context.session}".encode()).digest()[1] % 6:
            case 0:
                raise ValueError("no signals today")
            case 1:
                sys.exit("no platform today")
            case 2:
                return [Signal(signal.symbol, float("nan"), signal.reason) for signal in good]
            case 3:
                return (signal for signal in good)  # type: ignore[return-value]
            case 4:
                return [*good, *good]
        return good


class Forecaster(Strategy[TraderParameters]):
    """Buys what Prophet expects to rise and sells the rest: the forecasts pass through the run's stores."""

    parameters_model: ClassVar[type[Parameters]] = TraderParameters
    needs_forecasts: ClassVar[bool] = True
    sizing: ClassVar[Sizing] = Sizing.ENTER

    def signals(self, context: Context) -> list[Signal]:
        """Up or down for each forecast."""
        return [
            Signal(symbol, 1.0 if forecast.yhat[-1] > forecast.last_close else -1.0, "the forecast says so")
            for symbol, forecast in sorted(context.forecasts.items())
        ]


def _toss(salt: str, context: Context, symbol: str, *, flip: bool) -> Signal:
    up = heads(salt, context.session, symbol) != flip
    return Signal(symbol, 1.0 if up else -1.0, "the coin says so")
