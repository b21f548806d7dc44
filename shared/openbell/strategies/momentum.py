"""momentum: hold the winners of the last year, rebalanced monthly."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from openbell.model import Signal
from openbell.portfolio.sizing import Sizing
from openbell.strategies.protocol import Context, Parameters, Strategy, complete_window


class MomentumParameters(Parameters):
    """Look back over `lookback` bars, leave out the last `skip`, hold the best `hold` symbols."""

    hold: Annotated[int, Field(ge=1, le=500)] = 5
    lookback: Annotated[int, Field(ge=2, le=2520)] = 252
    skip: Annotated[int, Field(ge=0, le=252)] = 21

    @model_validator(mode="after")
    def _skip_inside_lookback(self) -> Self:
        if self.skip >= self.lookback:
            raise ValueError(f"skip {self.skip} must be below lookback {self.lookback}")
        return self


class Momentum(Strategy[MomentumParameters]):
    """Holds the winners of the last year less its last month, at equal weights.

    Jegadeesh and Titman (1993), Returns to Buying Winners and Selling Losers, J. Finance 48(1). The return from
    `lookback` bars ago to `skip` bars ago ranks the symbols; the best `hold` with a positive return are held. It speaks
    on the first run of a month and is silent otherwise; a holding that cannot be ranked for want of bars is kept.
    """

    parameters_model: ClassVar[type[Parameters]] = MomentumParameters
    sizing: ClassVar[Sizing] = Sizing.REBALANCE

    def signals(self, context: Context) -> list[Signal]:
        """The winners to hold, and the holdings that are winners no longer."""
        if context.rebalanced_this_month:
            return []
        returns = self._returns(context)
        ranked = sorted(returns, key=lambda symbol: (-returns[symbol], symbol))
        winners = [symbol for symbol in ranked[: self.parameters.hold] if returns[symbol] > 0]
        rank = {symbol: number for number, symbol in enumerate(ranked, start=1)}
        signals = [
            Signal(symbol, 1.0, f"12-1 return {returns[symbol]:+.1%}, number {rank[symbol]} of {len(ranked)}")
            for symbol in winners
        ]
        return signals + [
            Signal(symbol, -1.0, self._why_left(returns[symbol], rank[symbol]))
            for symbol in sorted(context.holdings)
            if symbol in returns and symbol not in winners
        ]

    def _returns(self, context: Context) -> dict[str, float]:
        """Close `skip` bars ago over close `lookback` bars ago, less 1, of each symbol that has all bars between."""
        lookback, skip = self.parameters.lookback, self.parameters.skip
        window = complete_window(context.closes, lookback + 1 - skip, skip)
        if window.empty:
            return {}
        ratio = window.iloc[-1] / window.iloc[0] - 1
        return {str(symbol): float(value) for symbol, value in ratio.items()}

    def _why_left(self, value: float, rank: int) -> str:
        return f"12-1 return {value:+.1%}, number {rank}: not among the best {self.parameters.hold} with a gain"
