"""How much a Sharpe ratio is worth: the chance that it is more than luck, and how far it might have come out otherwise.

Returns are simple and daily, as fractions: `(n,)`. A figure that the series is too short or too still for is NaN.
"""

from collections.abc import Sequence
from math import e, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from lab import metrics
from lab.metrics import YEAR, Floats

_NORMAL = NormalDist()
_EULER = 0.5772156649015329  # the Euler-Mascheroni constant
_BLOCK = YEAR // 12  # sessions that a resampled block has on average: a month
_SAMPLES = 1000
_NAN = float("nan")


def probabilistic_sharpe(returns: Floats, benchmark: float = 0.0) -> float:
    """The chance that the true Sharpe ratio is above `benchmark`, a ratio of one period; from 0 to 1.

    Bailey and Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier, J. of Risk 15(2). It grows with the number of
    returns and falls with a long tail of losses. 1,250 days with 0.158 a day, skew -3 and kurtosis 10, against 0.1132:
    0.90.
    """
    found = metrics.sharpe(returns) / sqrt(YEAR)
    variance = 1 - metrics.skewness(returns) * found + (metrics.kurtosis(returns) - 1) / 4 * found**2
    if not variance > 0:
        return _NAN
    return _NORMAL.cdf((found - benchmark) * sqrt((len(returns) - 1) / variance))


def deflated_sharpe(returns: Floats, trial_sharpes: Sequence[float]) -> float:
    """The chance that the true Sharpe ratio is above what the best of the trials would reach by luck; from 0 to 1.

    `trial_sharpes`: the ratios of one period, not of a year, of all that was tried, the chosen one included; unknown
    ones (NaN) do not count. Bailey and Lopez de Prado (2014), The Deflated Sharpe Ratio, J. Portfolio Management 40(5).
    """
    return probabilistic_sharpe(returns, luckiest_sharpe(trial_sharpes))


def luckiest_sharpe(trial_sharpes: Sequence[float]) -> float:
    """The largest ratio of one period to be expected if no trial had any skill; 0 for a single trial.

    100 trials whose ratios have a variance of 1/500: 0.1132. Their spread stands for that of luck.
    """
    known = [ratio for ratio in trial_sharpes if np.isfinite(ratio)]
    if len(known) < 2:  # noqa: PLR2004 one has no spread
        return 0.0
    count = len(known)
    quantiles = _NORMAL.inv_cdf(1 - 1 / count), _NORMAL.inv_cdf(1 - 1 / (count * e))
    return float(np.std(known, ddof=1)) * ((1 - _EULER) * quantiles[0] + _EULER * quantiles[1])


def bootstrap_interval(returns: Floats, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Where `level` of the Sharpe ratios a year lie if the days had come otherwise; the same for the same seed.

    Days are drawn anew in blocks of random length, a month on average, so that what hangs together stays together:
    Politis and Romano (1994), The Stationary Bootstrap, J. American Statistical Association 89(428).
    """
    days = len(returns)
    if days < 2 * _BLOCK:
        return _NAN, _NAN
    luck = np.random.default_rng(seed)
    ratios = np.array([metrics.sharpe(returns[_resampled(days, luck)]) for _ in range(_SAMPLES)])
    if not np.isfinite(ratios).any():
        return _NAN, _NAN
    low, high = np.nanpercentile(ratios, [(1 - level) * 50, (1 + level) * 50])
    return float(low), float(high)


def _resampled(days: int, luck: np.random.Generator) -> NDArray[np.int64]:
    """Positions of as many days, in blocks that go on from the end at the beginning."""
    begins = luck.random(days) < 1 / _BLOCK
    begins[0] = True
    every = np.arange(days)
    block = np.maximum.accumulate(np.where(begins, every, 0))  # where each day's block begins
    return np.asarray((luck.integers(days, size=days)[block] + every - block) % days)
