"""sma_cross: hold what trends up, told by two moving averages."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from openbell.model import Signal
from openbell.portfolio.sizing import Sizing
from openbell.strategies.protocol import Context, Parameters, Strategy

_STILL = 1e-9  # fraction: averages of a price that stands still differ by rounding, which is no cross


class SmaCrossParameters(Parameters):
    """Averages over the last `fast` and the last `slow` closes."""

    fast: Annotated[int, Field(ge=1, le=250)] = 50
    slow: Annotated[int, Field(ge=2, le=500)] = 200

    @model_validator(mode="after")
    def _fast_below_slow(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast {self.fast} must be below slow {self.slow}")
        return self


class SmaCross(Strategy[SmaCrossParameters]):
    """Long while the fast simple moving average is above the slow one, otherwise out.

    The variable-length rule of Brock, Lakonishok and LeBaron (1992), Simple Technical Trading Rules and the Stochastic
    Properties of Stock Returns, J. Finance 47(5), long side only. A holding whose fast average is still above is left
    alone, and so is a symbol that has a gap in its last `slow` bars.
    """

    parameters_model: ClassVar[type[Parameters]] = SmaCrossParameters
    sizing: ClassVar[Sizing] = Sizing.ENTER

    def signals(self, context: Context) -> list[Signal]:
        """What to enter because its fast average is above, and the holdings whose fast average is below."""
        fast, slow = self.parameters.fast, self.parameters.slow
        closes = context.closes.to_numpy()[-slow:]
        if len(closes) < slow:
            return []
        gaps = closes[-fast:].mean(axis=0) / closes.mean(axis=0) - 1
        found = sorted(zip(map(str, context.closes.columns), gaps.tolist(), strict=True))
        return [
            self._signal(symbol, gap)
            for symbol, gap in found
            if (gap < -_STILL if symbol in context.holdings else gap > _STILL)
        ]

    def _signal(self, symbol: str, gap: float) -> Signal:
        side = "above" if gap > 0 else "below"
        reason = f"{self.parameters.fast}-bar average {abs(gap):.2%} {side} the {self.parameters.slow}-bar average"
        return Signal(symbol, 1.0 if gap > 0 else -1.0, reason)
