"""How good the forecasts of a backtest were: sums over forecasts, so that none has to be kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openbell.forecasts import Forecast
from paper.history import Floats


@dataclass(frozen=True)
class HorizonAccuracy:
    """Forecasts of one horizon (bars) against what came; ratios are fractions.

    `error` is the mean absolute error as a fraction of the last close, `naive_error` that of the last close itself.
    `hit_rate`: how often the direction was right. `coverage`: how often the close lay in the interval.
    """

    horizon: int
    forecasts: int
    error: float
    naive_error: float
    hit_rate: float
    coverage: float

    @property
    def skill(self) -> float:
        """How much smaller the error is than that of "tomorrow equals today", as a fraction."""
        return 1 - self.error / self.naive_error if self.naive_error > 0 else float("nan")


class ForecastScores:
    """Scores forecasts by the bars that followed them, which the strategies never saw."""

    def __init__(self, horizon: int) -> None:
        self._count = np.zeros(horizon)
        self._moved = np.zeros(horizon)
        self._sums = {name: np.zeros(horizon) for name in ("error", "naive", "hits", "covered")}

    def add(self, forecasts: Iterable[Forecast], following: dict[str, Floats]) -> None:
        """Score forecasts by the closes that followed, at most a horizon of them for each symbol, NaN where missing."""
        for forecast in forecasts:
            closes = following[forecast.symbol][: len(self._count)]
            known = np.isfinite(closes)
            bars = len(closes)
            yhat = np.array(forecast.yhat[:bars])
            lower, upper = np.array(forecast.yhat_lower[:bars]), np.array(forecast.yhat_upper[:bars])
            moved = known & (closes != forecast.last_close) & (yhat != forecast.last_close)
            right = (closes > forecast.last_close) == (yhat > forecast.last_close)
            self._count[:bars] += known
            self._moved[:bars] += moved
            self._add("error", np.where(known, np.abs(closes - yhat) / forecast.last_close, 0))
            self._add("naive", np.where(known, np.abs(closes / forecast.last_close - 1), 0))
            self._add("hits", moved & right)
            self._add("covered", known & (lower <= closes) & (closes <= upper))

    def _add(self, name: str, values: NDArray[Any]) -> None:
        self._sums[name][: len(values)] += values

    def by_horizon(self) -> tuple[HorizonAccuracy, ...]:
        """The first horizon, a week and the last one; nothing if no forecast has met a close."""
        last = len(self._count)
        wanted = sorted({1, min(5, last), last})
        return tuple(self._at(h) for h in wanted if self._count[h - 1])

    def _at(self, horizon: int) -> HorizonAccuracy:
        at, count = horizon - 1, self._count[horizon - 1]
        means = {name: float(sums[at] / count) for name, sums in self._sums.items()}
        hits = float(self._sums["hits"][at] / self._moved[at]) if self._moved[at] else float("nan")
        return HorizonAccuracy(horizon, int(count), means["error"], means["naive"], hits, means["covered"])
