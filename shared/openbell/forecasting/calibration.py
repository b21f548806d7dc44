"""What a ticker's own past forecasts say about the next one: how far to believe the trend, how wide the interval is.

Every past forecast uses only bars up to its own: the model is refitted every few bars, and between two fits the last
one speaks. Its errors are measured in units of the volatility known at the time, so that a calm past does not make
for narrow intervals in a storm (normalised conformal prediction, Papadopoulos et al. 2008).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openbell.forecasting.arrays import Days, Floats
from openbell.forecasting.fitting import Fit
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.predict import expected_changes

FEWEST_FITTED = 63  # bars behind the first past forecast
FEWEST_SCORED = 40  # past forecasts whose outcome is known

_DECAY = 0.97  # of the squared bar-to-bar changes in the volatility; the best of 0.9 to 0.985 by interval score
_BLOCK = 1000  # bars in one cumulative sum: 0.97 ** -1000 is 2e13, far from overflow
_WEIGHT_SPREAD = 0.5  # standard deviation of the trend's weight around the one configured, before the past is seen


@dataclass(frozen=True)
class Past:
    """Past forecasts of `B` series from `J` consecutive bars; the last of them is the present one, without outcome.

    `expected` `(J, B, H)`: changes of the fitted curve. `weights` `(J, B)`: share of them that was believed, from
    outcomes known by then. `realised` `(J, B, H)`: changes of the series, NaN where still unknown. `volatility`
    `(J, B)`: of one bar.
    """

    expected: Floats
    weights: Floats
    realised: Floats
    volatility: Floats

    @property
    def forecasts(self) -> Floats:
        """The changes that were forecast, `(J, B, H)`."""
        return self.expected * self.weights[:, :, None]


def fewest_bars(options: ForecastOptions) -> int:
    """Bars that a calibrated forecast needs."""
    return FEWEST_FITTED + FEWEST_SCORED + options.horizon


def refits(bars: int, options: ForecastOptions) -> list[tuple[int, int]]:
    """First and last bar of each window to fit; the last one ends with the history and makes the forecast."""
    last = bars - 1
    scored = min(options.calibration, bars - FEWEST_FITTED)
    ends = [*range(last - scored, last, options.refit_every), last] if scored > 0 else [last]
    length = options.history or bars
    return [(max(0, end + 1 - length), end) for end in ends]


def look_back(fits: Sequence[Fit], ends: Sequence[int], days: Days, series: Floats) -> Past:
    """Past forecasts of `series` `(n, B)` from the last bar of the first fit on.

    `days` `(n + H,)`: those of the bars and of the horizon after them, since 1970-01-01.
    """
    options = fits[0].window.design.options
    horizon, bars = options.horizon, len(series)
    nexts = [*ends[1:], bars]
    expected = np.concatenate(
        [
            expected_changes(fit, days[end : following + horizon], series[end:following])
            for fit, end, following in zip(fits, ends, nexts, strict=True)
        ]
    )
    known = np.concatenate([series, np.full((horizon, series.shape[1]), np.nan)])
    ahead = np.lib.stride_tricks.sliding_window_view(known, horizon + 1, axis=0)[ends[0] :]
    realised = ahead[:, :, 1:] - ahead[:, :, :1]
    weights = _weights(expected[:, :, -1], realised[:, :, -1], options)
    volatility = _volatility(series) if options.calibration else np.ones_like(series)
    return Past(expected, weights, realised, volatility[ends[0] :])


def conformal_half_widths(past: Past, interval_width: float) -> Floats:
    """Half width of the present interval, in the series' units: `(B, H)`.

    Of n past errors in units of volatility the ceil((n + 1) width)-th smallest, times the present volatility.
    """
    errors = np.abs(past.realised - past.forecasts) / past.volatility[:, :, None]
    known = np.isfinite(errors).all(axis=1).sum(axis=0)
    rank = np.minimum(np.ceil((known + 1) * interval_width).astype(np.int64), known) - 1
    quantiles = [
        np.partition(errors[:count, :, h], k, axis=0)[k] for h, (count, k) in enumerate(zip(known, rank, strict=True))
    ]
    return np.asarray(np.stack(quantiles, axis=1) * past.volatility[-1][:, None], dtype=np.float64)


def _weights(expected: Floats, realised: Floats, options: ForecastOptions) -> Floats:
    """The share of the expected change to believe at each bar, from outcomes over the whole horizon known by then.

    The mean of a normal posterior, held in [0, 1]; overlapping outcomes count as one in `horizon`. `(J, B)`.
    """
    if not options.learn_weight:
        return np.full_like(expected, options.trend_weight)
    known = np.isfinite(realised)
    outcome = np.where(known, realised, 0.0)
    belief = np.where(known, expected, 0.0)
    noise = _lagged(outcome**2, options.horizon) / np.maximum(_lagged(known.astype(np.float64), options.horizon), 1)
    scale = np.where(noise > 0, noise, 1.0) * options.horizon
    prior = 1 / _WEIGHT_SPREAD**2
    support = _lagged(belief * outcome, options.horizon) / scale + prior * options.trend_weight
    weights = support / (_lagged(belief**2, options.horizon) / scale + prior)
    return np.asarray(np.clip(weights, 0.0, 1.0), dtype=np.float64)


def _lagged(values: Floats, lag: int) -> Floats:
    """Sums of `values` `(J, B)` up to `lag` bars before each bar."""
    sums = np.zeros_like(values)
    sums[lag:] = np.cumsum(values, axis=0)[:-lag]
    return sums


def _volatility(series: Floats) -> Floats:
    """Exponentially weighted root mean square of the changes up to each bar, `(n, B)`."""
    squares = np.diff(series, axis=0) ** 2
    mean = np.empty_like(series)
    mean[: FEWEST_FITTED - 1] = squares[: FEWEST_FITTED - 1].mean(axis=0)
    for first in range(FEWEST_FITTED - 1, len(series), _BLOCK):
        part = squares[first - 1 : first + _BLOCK - 1]
        decay = _DECAY ** np.arange(1, len(part) + 1)[:, None]
        mean[first : first + _BLOCK] = decay * (mean[first - 1] + (1 - _DECAY) * np.cumsum(part / decay, axis=0))
    return np.asarray(np.sqrt(np.maximum(mean, np.finfo(np.float64).tiny)), dtype=np.float64)
