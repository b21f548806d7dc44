"""How good stored forecasts were, once their bars have arrived."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from openbell.accuracy import Tally
from openbell.forecasts import Forecast


@dataclass(frozen=True)
class BarScore:
    """One forecast of one bar against its close. Ratios are fractions.

    `percentage_error` is absolute, of the close. `scaled_error` and `naive_scaled_error` are those of the forecast and
    of the last close in units of the naive scale: their means are MASE. `hit`: whether the direction was right, None
    if either did not move. `covered`: whether the close lay in the interval. `pinball`: mean loss of the interval's
    two ends as quantiles, as a fraction of the last close.
    """

    symbol: str
    session: date
    horizon: int
    percentage_error: float
    scaled_error: float
    naive_scaled_error: float
    hit: bool | None
    covered: bool
    pinball: float


def score(forecast: Forecast, closes: Mapping[date, float], rescale: float = 1.0) -> list[BarScore]:
    """Scores of the forecast's bars whose close (USD by session) has arrived, in the order of the sessions.

    `rescale` turns the forecast's prices into those of `closes`: 0.5 after a split of two to one. A forecast without
    a naive scale cannot be scored: ValueError.
    """
    if not forecast.naive_scale:
        raise ValueError(f"the forecast of {forecast.symbol} has no naive scale to measure errors by")
    return [
        _score_bar(forecast, position, closes[session] / rescale, forecast.naive_scale)
        for position, session in enumerate(forecast.sessions)
        if session in closes
    ]


def _score_bar(forecast: Forecast, position: int, close: float, scale: float) -> BarScore:
    error = abs(close - forecast.yhat[position])
    expected = np.sign(forecast.yhat[position] - forecast.last_close)
    moved = np.sign(close - forecast.last_close)
    lower, upper = forecast.yhat_lower[position], forecast.yhat_upper[position]
    tail = (1 - forecast.interval_width) / 2
    loss = (quantile_loss(close, lower, tail) + quantile_loss(close, upper, 1 - tail)) / 2
    return BarScore(
        symbol=forecast.symbol,
        session=forecast.sessions[position],
        horizon=position + 1,
        percentage_error=error / close,
        scaled_error=error / scale,
        naive_scaled_error=abs(close - forecast.last_close) / scale,
        hit=bool(expected == moved) if expected and moved else None,
        covered=lower <= close <= upper,
        pinball=loss / forecast.last_close,
    )


def quantile_loss(value: float, quantile: float, level: float) -> float:
    """Pinball loss of `quantile` at `level`; value 12, quantile 10, level 0.9: 0.9 * 2 = 1.8."""
    return level * (value - quantile) if value >= quantile else (1 - level) * (quantile - value)


def tally(scores: Iterable[BarScore]) -> dict[int, Tally]:
    """The scores' sums by horizon, ascending."""
    tallies: dict[int, Tally] = {}
    for one in scores:
        tallies[one.horizon] = tallies.get(one.horizon, Tally()) + Tally(
            bars=1,
            percentage_error=one.percentage_error,
            scaled_error=one.scaled_error,
            naive_scaled_error=one.naive_scaled_error,
            moved=int(one.hit is not None),
            hits=int(bool(one.hit)),
            covered=int(one.covered),
            pinball=one.pinball,
        )
    return dict(sorted(tallies.items()))


def over_last(by_session: Mapping[date, Mapping[int, Tally]], sessions: int) -> dict[int, Tally]:
    """Tallies by horizon over the last `sessions` of the sessions that have any."""
    total: dict[int, Tally] = {}
    for day in sorted(by_session)[-sessions:]:
        for horizon, found in by_session[day].items():
            total[horizon] = total.get(horizon, Tally()) + found
    return dict(sorted(total.items()))
