"""What fitted parameters say about the bars ahead."""

from dataclasses import dataclass

import numpy as np

from openbell.forecasting.design import Days, Design, ramps_at
from openbell.forecasting.intervals import Spread, half_widths
from openbell.forecasting.map_problem import Floats, Parameters


@dataclass(frozen=True)
class Outlook:
    """Predictions of `B` series for `h` bars ahead, `(B, h)`, in the units of the scaled series.

    `last_trend`, `last_fit`: trend and fit at the last bar, `(B,)`.
    """

    trend: Floats
    yhat: Floats
    last_trend: Floats
    last_fit: Floats


def predict(design: Design, parameters: Parameters, future: Days) -> Outlook:
    """Trend and yhat at the `future` days (days since 1970-01-01)."""
    days = np.concatenate([design.days[-1:], future])
    trend = trend_at(design, parameters, design.scaled_time(days))
    effects = parameters.beta @ design.features_at(days).T
    multiplicative = design.options.seasonality_mode == "multiplicative"
    yhat = trend * (1 + effects) if multiplicative else trend + effects
    return Outlook(trend=trend[:, 1:], yhat=yhat[:, 1:], last_trend=trend[:, 0], last_fit=yhat[:, 0])


def trend_at(design: Design, parameters: Parameters, t: Floats) -> Floats:
    """The trend of each series at scaled times `t`: `(B, len(t))`."""
    offset = np.broadcast_to(parameters.m[:, None], (len(parameters.m), len(t)))
    if design.flat:
        return offset
    return np.asarray(
        parameters.k[:, None] * t + offset + parameters.delta @ ramps_at(t, design.changepoints).T, dtype=np.float64
    )


def model_half_widths(design: Design, parameters: Parameters, future: Days, interval_width: float) -> Floats:
    """Distance from yhat to either end of Prophet's own interval at the `future` days: `(B, h)`.

    As in Prophet, bars count as evenly spaced and every one may change the rate. A multiplicative seasonality scales
    the trend's uncertainty by the seasonality at the horizon's mean.
    """
    t = design.scaled_time(future)
    step = float(np.diff(t).mean()) if len(t) > 1 else float(np.diff(design.t).mean())
    size = np.zeros_like(parameters.sigma) if design.flat else np.abs(parameters.delta).mean(axis=1) + 1e-8
    spread = Spread(parameters.sigma, size, step, min(1.0, len(design.changepoints) * step))
    return half_widths(spread, len(future), interval_width)
