"""Figures of a series of daily returns: pure functions of arrays, free of any broker, strategy or calendar.

Returns are simple and daily, as fractions: `(n,)`, 252 of them make a year, and the risk-free rate is 0. A figure that
the series is too short or too still for is NaN. The definitions are those of empyrical, whose values the tests hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

YEAR = 252  # sessions
_NAN = float("nan")


def returns_of(values: Floats) -> Floats:
    """Returns between the values of an equity curve: 100, 110, 99 gives 0.1, -0.1. After 0 nothing is made any more."""
    before = values[:-1]
    growth = np.divide(values[1:], before, out=np.ones(len(before)), where=before > 0)
    return np.asarray(growth - 1, dtype=np.float64)


def total_return(returns: Floats) -> float:
    """What the whole series made: 0.1 and -0.1 make -0.01."""
    return float(np.prod(1 + returns) - 1)


def cagr(returns: Floats) -> float:
    """Compound growth a year: 21 % in two years is 10 %."""
    if not len(returns):
        return _NAN
    growth = 1 + total_return(returns)
    return float(growth ** (YEAR / len(returns)) - 1) if growth > 0 else -1.0


def volatility(returns: Floats) -> float:
    """Standard deviation a year."""
    return float(np.std(returns, ddof=1) * YEAR**0.5) if len(returns) > 1 else _NAN


def sharpe(returns: Floats) -> float:
    """Mean over standard deviation, a year: Sharpe (1994), The Sharpe Ratio, J. Portfolio Management 21(1)."""
    if len(returns) < 2 or not (deviation := np.std(returns, ddof=1)) > 0:  # noqa: PLR2004
        return _NAN
    return float(np.mean(returns) / deviation * YEAR**0.5)


def sortino(returns: Floats) -> float:
    """Mean over downside deviation from 0, a year: Sortino and Price (1994), J. Investing 3(3)."""
    downside = float(np.sqrt(np.mean(np.minimum(returns, 0) ** 2))) if len(returns) > 1 else 0.0
    return float(np.mean(returns) / downside * YEAR**0.5) if downside > 0 else _NAN


def max_drawdown(returns: Floats) -> float:
    """The deepest fall from a high, negative: 0.1, -0.2, 0.05 fell by 20 %."""
    curve = np.concatenate([[1.0], np.cumprod(1 + returns)])
    return float((curve / np.maximum.accumulate(curve) - 1).min())


def calmar(returns: Floats) -> float:
    """Growth a year over the deepest drawdown: Young (1991), Futures 20(1)."""
    deepest = max_drawdown(returns)
    return cagr(returns) / -deepest if deepest < 0 else _NAN


def omega(returns: Floats) -> float:
    """Sum of gains over sum of losses: Keating and Shadwick (2002), threshold 0. 0.02, -0.01, 0.01 is 3."""
    losses = -float(returns[returns < 0].sum())
    return float(returns[returns > 0].sum()) / losses if losses > 0 else _NAN


def value_at_risk(returns: Floats, share: float = 0.05) -> float:
    """The return that a day in 20 falls below, in history: the quantile at `share`, interpolated."""
    return float(np.percentile(returns, share * 100)) if len(returns) else _NAN


def expected_shortfall(returns: Floats, share: float = 0.05) -> float:
    """The mean of the worst `share` of the days (CVaR); at least the worst one."""
    if not len(returns):
        return _NAN
    worst = int((len(returns) - 1) * share) + 1
    return float(np.sort(returns)[:worst].mean())


def skewness(returns: Floats) -> float:
    """Third central moment over the cubed standard deviation, both over n: below 0, the long tail is of losses."""
    return _standard_moment(returns, 3)


def kurtosis(returns: Floats) -> float:
    """Fourth central moment over the squared variance, both over n: 3 for a normal distribution, more for fat tails."""
    return _standard_moment(returns, 4)


def _standard_moment(returns: Floats, order: int) -> float:
    deviations = returns - returns.mean() if len(returns) else returns
    spread = float(np.mean(deviations**2)) if len(returns) else 0.0
    return float(np.mean(deviations**order) / spread ** (order / 2)) if spread > 0 else _NAN


def beta(returns: Floats, benchmark: Floats) -> float:
    """Slope of the returns on the benchmark's."""
    spread = float(np.var(benchmark, ddof=1)) if len(benchmark) > 1 else 0.0
    return float(np.cov(returns, benchmark, ddof=1)[0, 1] / spread) if spread > 0 else _NAN


def alpha(returns: Floats, benchmark: Floats) -> float:
    """What the mean is more than beta times the benchmark's, compounded over a year: Jensen (1968), J. Finance 23."""
    slope = beta(returns, benchmark)
    return _NAN if np.isnan(slope) else float((1 + np.mean(returns) - slope * np.mean(benchmark)) ** YEAR - 1)


def information_ratio(returns: Floats, benchmark: Floats) -> float:
    """The Sharpe ratio of what it made more than the benchmark."""
    return sharpe(returns - benchmark)


@dataclass(frozen=True)
class Drawdown:
    """A fall from a high until it is reached again; `depth` is a negative fraction, `sessions` lead to the recovery."""

    peak: date
    trough: date
    recovered: date | None  # None: not yet
    depth: float
    sessions: int


def drawdowns(values: Floats, days: Sequence[date], count: int = 5) -> list[Drawdown]:
    """The deepest falls of an equity curve `(n,)` on `days`, deepest first; they do not overlap."""
    highs = np.maximum.accumulate(values)
    found, start = [], None
    for at in range(1, len(values) + 1):
        ended = at == len(values) or values[at] >= highs[at - 1]
        if not ended and start is None:
            start = at - 1
        elif ended and start is not None:
            found.append(_fall(values, days, start, at))
            start = None
    return sorted(found, key=lambda fall: fall.depth)[:count]


def _fall(values: Floats, days: Sequence[date], peak: int, end: int) -> Drawdown:
    trough = peak + int(np.argmin(values[peak:end]))
    recovered = days[end] if end < len(values) else None
    depth = float(values[trough] / values[peak] - 1)
    return Drawdown(days[peak], days[trough], recovered, depth, min(end, len(values) - 1) - peak)


def drawdown_curve(values: Floats) -> Floats:
    """How far each value lies below the highest before it, 0 or negative."""
    return np.asarray(values / np.maximum.accumulate(values) - 1)


def rolling_sharpe(returns: Floats, window: int = YEAR // 2) -> Floats:
    """The Sharpe ratio of the last `window` returns at each of them; NaN before there are as many."""
    result = np.full(len(returns), _NAN)
    if len(returns) >= window:
        views = np.lib.stride_tricks.sliding_window_view(returns, window)
        deviations = views.std(axis=1, ddof=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.where(deviations > 0, views.mean(axis=1) / deviations * YEAR**0.5, _NAN)
        result[window - 1 :] = ratios
    return result


def monthly_returns(values: Floats, days: Sequence[date], start: float) -> dict[tuple[int, int], float]:
    """The return of every (year, month), from the last value of the month before; `start` is the value before all."""
    last = {(day.year, day.month): float(value) for day, value in zip(days, values, strict=True)}
    before = [start, *last.values()]
    return {month: value / previous - 1 for (month, value), previous in zip(last.items(), before, strict=False)}
