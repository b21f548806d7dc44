"""A forecast in the form that is stored with a run and scored when its bars arrive."""

from collections.abc import Iterable, Sequence

import numpy as np

from openbell.forecasting.arrays import Floats
from openbell.forecasting.batch import ForecastResult
from openbell.forecasts import Forecast

SCALE_BARS = 252  # whose mean absolute change is the unit of the forecast's errors
_PLACES = 6  # of a USD: far below any price increment, far above what differs between two kinds of CPU


def to_forecast(symbol: str, result: ForecastResult, closes: Floats) -> Forecast:
    """`result` for the record; `closes` `(n,)` in USD are those that it was made from, NaN where missing.

    If they did not move there is no naive scale.
    """
    recent = closes[np.isfinite(closes)][-SCALE_BARS:]
    return Forecast(
        symbol=symbol,
        last_close=result.last_close,
        sessions=tuple(result.sessions),
        yhat=_floats(result.yhat),
        yhat_lower=_floats(result.yhat_lower),
        yhat_upper=_floats(result.yhat_upper),
        interval_width=result.interval_width,
        engine=result.engine,
        skill=None if result.skill is None else round(result.skill, _PLACES),
        naive_scale=round(naive_scale(recent.tolist()), _PLACES) if np.ptp(recent) > 0 else None,
    )


def naive_scale(closes: Sequence[float]) -> float:
    """Mean absolute change from bar to bar (USD); 10, 11, 9: (1 + 2) / 2 = 1.5. ValueError if there is none."""
    if len(closes) < 2:  # noqa: PLR2004
        raise ValueError(f"a naive scale needs at least 2 closes, got {len(closes)}")
    scale = float(np.abs(np.diff(np.asarray(closes, dtype=np.float64))).mean())
    if not scale > 0:
        raise ValueError(f"a naive scale needs closes that move; all {len(closes)} are {closes[0]}")
    return scale


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), _PLACES) for value in values)
