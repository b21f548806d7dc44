"""What a Sharpe ratio that was picked out of many is worth."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.metrics import YEAR, Floats
from lab.sharpe import bootstrap_interval, deflated_sharpe, probabilistic_sharpe
from lab.trials.trial import session_sharpe

LEVEL = 0.95  # of the interval


@dataclass(frozen=True)
class Luck:
    """Of one series of returns; chances are from 0 to 1, NaN where the series is too short to tell."""

    annual_sharpe: float
    low: float  # of a year: 95 % of resampled histories lie between
    high: float
    probabilistic: float  # chance that the true ratio is above 0
    deflated: float  # chance that it is above what the best of so many trials without any skill would show
    trials: int


def luck_of(returns: Floats, trial_sharpes: Sequence[float], seed: int) -> Luck:
    """How much of the Sharpe ratio of `returns` may be luck, after trials with these ratios (of a session)."""
    low, high = bootstrap_interval(returns, LEVEL, seed)
    return Luck(
        annual_sharpe=session_sharpe(returns) * YEAR**0.5,
        low=low,
        high=high,
        probabilistic=probabilistic_sharpe(returns),
        deflated=deflated_sharpe(returns, trial_sharpes),
        trials=len(trial_sharpes),
    )
