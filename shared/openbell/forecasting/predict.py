"""What fitted parameters say about bars ahead."""

import numpy as np

from openbell.forecasting.arrays import Days, Floats
from openbell.forecasting.design import Design, ramps_at
from openbell.forecasting.fitting import Fit
from openbell.forecasting.intervals import Spread, half_widths


def trend_at(fit: Fit, days: Days) -> Floats:
    """The trend of each series at `days` (days since 1970-01-01), in the series' units: `(B, len(days))`."""
    return fit.rescale(_trend(fit, days))


def fit_at(fit: Fit, days: Days) -> Floats:
    """Prophet's yhat of each series at `days`, in the series' units: `(B, len(days))`."""
    design = fit.window.design
    trend = _trend(fit, days)
    effects = fit.parameters.beta @ design.features_at(days).T
    return fit.rescale(trend * (1 + effects) if _multiplicative(design) else trend + effects)


def expected_changes(fit: Fit, days: Days, levels: Floats) -> Floats:
    """How far the series is expected to move in 1 to H bars from each of `J` consecutive bars: `(J, B, H)`.

    `days`: those of the J bars and of the H bars after the last one. `levels` `(J, B)`: the series at the J bars. The
    fitted curve's changes are damped, and the gap between level and curve shrinks by the anchor's share a bar.
    """
    options = fit.window.design.options
    ahead = np.arange(1, options.horizon + 1)
    curve = fit_at(fit, days)
    steps = np.lib.stride_tricks.sliding_window_view(np.diff(curve, axis=1), options.horizon, axis=1)
    moves = np.cumsum(steps * options.damping ** (ahead - 1), axis=2).swapaxes(0, 1)
    gap = levels - curve[:, : len(levels)].T
    return np.asarray(moves + (options.anchor**ahead - 1) * gap[:, :, None], dtype=np.float64)


def model_half_widths(fit: Fit, future: Days) -> Floats:
    """Distance from yhat to either end of Prophet's own interval at the `future` days, series' units: `(B, h)`.

    As in Prophet, bars count as evenly spaced and every one may change the rate; a multiplicative seasonality scales
    the uncertainty of the trend by its largest effect on the horizon.
    """
    design, parameters = fit.window.design, fit.parameters
    t = design.scaled_time(future)
    step = float(np.diff(t).mean()) if len(t) > 1 else float(np.diff(design.t).mean())
    size = np.zeros_like(parameters.sigma) if design.flat else np.abs(parameters.delta).mean(axis=1) + 1e-8
    if _multiplicative(design):
        size = size * np.abs(1 + parameters.beta @ design.features_at(future).T).max(axis=1)
    spread = Spread(parameters.sigma, size, step, min(1.0, len(design.changepoints) * step))
    return half_widths(spread, len(future), design.options.interval_width) * fit.window.scale[:, None]


def _multiplicative(design: Design) -> bool:
    return design.options.seasonality_mode == "multiplicative"


def _trend(fit: Fit, days: Days) -> Floats:
    design, parameters = fit.window.design, fit.parameters
    offset = np.broadcast_to(parameters.m[:, None], (len(parameters.m), len(days)))
    if design.flat:
        return offset
    t = design.scaled_time(days)
    return np.asarray(
        parameters.k[:, None] * t + offset + parameters.delta @ ramps_at(t, design.changepoints).T, dtype=np.float64
    )
