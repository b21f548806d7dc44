"""low_volatility: hold the calmest symbols, rebalanced monthly."""

from typing import Annotated, ClassVar

import pandas as pd
from pydantic import Field

from openbell.model import Signal
from openbell.portfolio.sizing import Sizing
from openbell.strategies.protocol import Context, Market, Parameters, Strategy, complete_window

_SESSIONS_A_YEAR = 252


class LowVolatilityParameters(Parameters):
    """Hold the `hold` symbols that varied least over the last `lookback` daily returns."""

    hold: Annotated[int, Field(ge=1, le=500)] = 5
    lookback: Annotated[int, Field(ge=2, le=2520)] = 252


class LowVolatility(Strategy[LowVolatilityParameters]):
    """Holds the symbols of the lowest realised volatility, at equal weights.

    Blitz and van Vliet (2007), The Volatility Effect: Lower Risk without Lower Return, J. Portfolio Management 34(1),
    with daily returns of a year for their weekly ones of three. It speaks on the first run of a month and is silent
    otherwise. A price that never moved is not traded and is left out; a holding that cannot be ranked is kept.
    """

    parameters_model: ClassVar[type[Parameters]] = LowVolatilityParameters
    sizing: ClassVar[Sizing] = Sizing.REBALANCE

    def universe(self, market: Market, size: int, lookback: int) -> tuple[str, ...]:
        """The `size` calmest candidates over `lookback` bars: the default, winners, are seldom calm."""
        return tuple(_calmest_first(_volatility(market.closes, lookback))[:size])

    def signals(self, context: Context) -> list[Signal]:
        """The calmest to hold, and the holdings that are among them no longer."""
        if context.rebalanced_this_month:
            return []
        volatility = _volatility(context.closes, self.parameters.lookback)
        chosen = _calmest_first(volatility)[: self.parameters.hold]
        leaving = [symbol for symbol in sorted(context.holdings) if symbol in volatility and symbol not in chosen]
        return [Signal(symbol, 1.0, f"volatility {volatility[symbol]:.1%} a year") for symbol in chosen] + [
            Signal(symbol, -1.0, f"volatility {volatility[symbol]:.1%} a year: not among the {len(chosen)} lowest")
            for symbol in leaving
        ]


def _volatility(closes: pd.DataFrame, returns: int) -> dict[str, float]:
    """Standard deviation of the last `returns` daily returns, a year, of each symbol that has them all and moved."""
    deviation = complete_window(closes, returns + 1).pct_change().std() * _SESSIONS_A_YEAR**0.5
    return {str(symbol): float(value) for symbol, value in deviation.items() if value > 0}


def _calmest_first(volatility: dict[str, float]) -> list[str]:
    return sorted(volatility, key=lambda symbol: (volatility[symbol], symbol))
