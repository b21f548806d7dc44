"""mean_reversion: buy a short, sharp fall in a long rise, and sell the recovery."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from openbell.model import Signal
from openbell.portfolio.sizing import Sizing
from openbell.strategies.protocol import Context, Parameters, Strategy

_STILL = 1e-9  # fraction: the average of a price that stands still differs from it by rounding


class MeanReversionParameters(Parameters):
    """RSI over `rsi_bars` below `oversold` is a sharp fall; above the average of `trend` bars is a long rise."""

    max_weight: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.25")  # a day may have one entry only
    rsi_bars: Annotated[int, Field(ge=1, le=30)] = 2
    oversold: Annotated[float, Field(gt=0, le=50)] = 10.0
    trend: Annotated[int, Field(ge=3, le=500)] = 200
    recovery: Annotated[int, Field(ge=1, le=60)] = 5  # sold above the average of so many bars

    @model_validator(mode="after")
    def _windows_inside_trend(self) -> Self:
        longest = max(self.rsi_bars, self.recovery)
        if longest >= self.trend:
            raise ValueError(
                f"trend {self.trend} must be above rsi_bars {self.rsi_bars} and recovery {self.recovery}: "
                "it is the long rise in which they look for a short fall"
            )
        return self


class MeanReversion(Strategy[MeanReversionParameters]):
    """Enters when RSI-2 falls below 10 above the 200-day average, leaves when the close is above the 5-day average.

    Connors and Alvarez (2009), Short Term Trading Strategies That Work, long side; RSI by Wilder (1978), New Concepts
    in Technical Trading Systems. As in the book there is no stop: a fall that goes on is held until it recovers. A
    symbol that has a gap in its last `trend` bars is left as it is.
    """

    parameters_model: ClassVar[type[Parameters]] = MeanReversionParameters
    sizing: ClassVar[Sizing] = Sizing.ENTER

    def signals(self, context: Context) -> list[Signal]:
        """What has fallen in a rise, and the holdings that have recovered."""
        closes = context.closes.to_numpy()[-self.parameters.trend :]
        if len(closes) < self.parameters.trend:
            return []
        facts = zip(
            map(str, context.closes.columns),
            rsi(closes, self.parameters.rsi_bars).tolist(),
            (closes[-1] / closes.mean(axis=0) - 1).tolist(),
            (closes[-1] / closes[-self.parameters.recovery :].mean(axis=0) - 1).tolist(),
            strict=True,
        )
        found = (
            self._exit(symbol, recovered) if symbol in context.holdings else self._entry(symbol, strength, rise)
            for symbol, strength, rise, recovered in sorted(facts)
        )
        return [signal for signal in found if signal]

    def _entry(self, symbol: str, strength: float, rise: float) -> Signal | None:
        oversold = self.parameters.oversold
        if not (strength < oversold and rise > _STILL):
            return None
        reason = (
            f"RSI-{self.parameters.rsi_bars} {strength:.1f} is below {oversold:g}, "
            f"the close {rise:.1%} above its {self.parameters.trend}-bar average"
        )
        return Signal(symbol, 1 - strength / oversold, reason)

    def _exit(self, symbol: str, recovered: float) -> Signal | None:
        if not recovered > _STILL:
            return None
        return Signal(symbol, -1.0, f"recovered: {recovered:.1%} above its {self.parameters.recovery}-bar average")


def rsi(closes: NDArray[Any], bars: int) -> NDArray[np.float64]:
    """Wilder's relative strength index of the last bar, 0 to 100: `(n_bars, n_symbols)` closes give `(n_symbols,)`.

    The average gain in per cent of average gain plus average loss, 50 if nothing moved. The averages are exponential
    with weight 1 / `bars`, over the window alone, so that it does not matter how much history lies before it. For
    closes 100, 101, 100, 98 and 2 bars the moves weigh 1/4, 1/2, 1: gain 1/4, loss 5/2, RSI 9.09.
    """
    moves = np.diff(closes, axis=0)
    weights = (1 - 1 / bars) ** np.arange(len(moves) - 1, -1, -1)
    gain, loss = weights @ np.maximum(moves, 0), weights @ np.maximum(-moves, 0)
    moved = gain + loss
    return np.where(moved == 0, 50.0, 100 * gain / np.where(moved == 0, 1.0, moved))
