"""Why a price series cannot be forecast, in words for the reader; an empty reason means that it can."""

import numpy as np
import pandas as pd

from openbell.forecasting.arrays import Floats
from openbell.forecasting.calibration import fewest_bars
from openbell.forecasting.options import ForecastOptions

_FEWEST_BARS = 10
_LONGEST_GAP = 5  # missing bars in a row
_MOST_GAPS = 0.05  # of the bars since the first


def fault_of_dates(index: pd.Index) -> str:
    """What is wrong with the dates that all tickers share."""
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        return "the index must hold tz-naive session dates"
    stamps = index.to_numpy()
    if (stamps.astype("datetime64[D]") != stamps).any():
        return "the index must hold dates without a time of day"
    if (stamps[1:] > stamps[:-1]).all():
        return ""
    if index.has_duplicates:
        return f"session {index[index.duplicated()][0]:%Y-%m-%d} occurs more than once"
    return "sessions are not in ascending order"


def fault_of_prices(prices: Floats, index: pd.DatetimeIndex, options: ForecastOptions) -> str:
    """What is wrong with one ticker's closes `(n,)`; NaN is a missing bar."""
    present = np.flatnonzero(~np.isnan(prices))
    values = prices[present]
    if len(values) < _FEWEST_BARS:
        return f"only {len(values)} bars; at least {_FEWEST_BARS} are needed"
    bad = present[~np.isfinite(values) | (values <= 0)]
    if len(bad):
        return f"price {prices[bad[-1]]:g} on {index[bad[-1]]:%Y-%m-%d}; prices must be finite and above 0"
    if present[-1] != len(prices) - 1:
        return f"no bar for the last session {index[-1]:%Y-%m-%d}; the last one is of {index[present[-1]]:%Y-%m-%d}"
    return _fault_of_gaps(prices[present[0] :]) or _fault_of_length(values, options)


def _fault_of_gaps(prices: Floats) -> str:
    missing = np.isnan(prices)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]])))
    longest = int((edges[1::2] - edges[::2]).max(initial=0))
    if longest > _LONGEST_GAP:
        return f"{longest} bars in a row are missing; at most {_LONGEST_GAP} may be"
    if missing.sum() > _MOST_GAPS * len(prices):
        return f"{int(missing.sum())} of {len(prices)} bars are missing; at most {_MOST_GAPS:.0%} may be"
    return ""


def _fault_of_length(values: Floats, options: ForecastOptions) -> str:
    """What is wrong with the closes that would be used."""
    bars = len(values)
    if options.horizon > bars:
        return f"option horizon: {options.horizon} is not allowed; expected at most the {bars} bars of the history"
    if options.calibration and bars < fewest_bars(options):
        return (
            f"only {bars} bars; at least {fewest_bars(options)} are needed to score past forecasts over a horizon of "
            f"{options.horizon} (preset raw needs fewer)"
        )
    used = values[-(options.history or bars) :]
    if used.min() == used.max():
        return f"the price is {used[0]:g} on every bar; a constant cannot be forecast"
    return ""
