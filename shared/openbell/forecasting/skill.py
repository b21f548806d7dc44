"""Whether a ticker's past forecasts were any better than "tomorrow equals today"."""

import numpy as np

from openbell.forecasting.arrays import Floats
from openbell.forecasting.calibration import Past


def skill_against_naive(past: Past) -> Floats:
    """1 - error / naive error, averaged over the horizon, of each series' past forecasts: `(B,)`.

    Above 0 the forecasts were better than the last close, 0.02 means by 2 % of the mean absolute error; NaN for a price
    that did not move. Only forecasts whose outcome is known count, each made from bars up to its own.
    """
    error = np.nanmean(np.abs(past.realised - past.forecasts)[:-1], axis=0)
    naive = np.nanmean(np.abs(past.realised)[:-1], axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(1 - (error / np.where(naive > 0, naive, np.nan)).mean(axis=1), dtype=np.float64)
