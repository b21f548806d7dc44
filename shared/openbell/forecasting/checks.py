"""Why a price series cannot be forecast, in words for the reader; an empty reason means that it can."""

import numpy as np

from openbell.forecasting.arrays import Days, Floats
from openbell.forecasting.calibration import fewest_bars
from openbell.forecasting.closes import date_of
from openbell.forecasting.options import ForecastOptions

_FEWEST_BARS = 10
_LONGEST_GAP = 5  # missing bars in a row
_MOST_GAPS = 0.05  # of the bars since the first


def fault_of_prices(prices: Floats, days: Days, options: ForecastOptions) -> str:
    """What is wrong with one ticker's closes `(n,)` on `days` since 1970-01-01; NaN is a missing bar."""
    present = np.flatnonzero(~np.isnan(prices))
    values = prices[present]
    if len(values) < _FEWEST_BARS:
        return f"only {len(values)} bars; at least {_FEWEST_BARS} are needed"
    bad = present[~np.isfinite(values) | (values <= 0)]
    if len(bad):
        return f"price {prices[bad[-1]]:g} on {date_of(int(days[bad[-1]]))}; prices must be finite and above 0"
    if present[-1] != len(prices) - 1:
        last, own = date_of(int(days[-1])), date_of(int(days[present[-1]]))
        return f"no bar for the last session {last}; the last one is of {own}"
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
