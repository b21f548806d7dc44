"""Forecasts of many tickers at once: the way from closes to prices ahead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from openbell.forecasting.design import Days, build_design
from openbell.forecasting.map_problem import Floats, factorise
from openbell.forecasting.map_solver import solve
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.predict import model_half_widths, predict

_EPOCH = date(1970, 1, 1)
_SATURDAY = 5
_FEWEST_BARS = 25
_LONGEST_GAP = 5  # missing bars in a row
_MOST_GAPS = 0.05  # of the bars since the first


@dataclass(frozen=True)
class ForecastResult:
    """The bars ahead of one ticker; arrays of length `horizon`, USD."""

    last_close: float
    sessions: tuple[date, ...]
    yhat: Floats
    yhat_lower: Floats
    yhat_upper: Floats
    last_trend: float
    trend: Floats
    interval_width: float
    engine: str


@dataclass(frozen=True)
class ForecastBatch:
    """Forecasts by ticker, and by ticker the reason why there is none."""

    made: Mapping[str, ForecastResult]
    failed: Mapping[str, str]


def forecast_many(
    closes: pd.DataFrame, options: ForecastOptions, *, sessions: Sequence[date] | None = None
) -> ForecastBatch:
    """Forecast every column of `closes`: `(n_sessions, n_tickers)` USD, tz-naive session dates ascending.

    `sessions` are the dates of the bars ahead, at least `horizon` of them; without it the next weekdays. The order of
    the columns has no effect, and a ticker that cannot be forecast fails alone, with its reason. A missing price is a
    missing bar: it is left out of the fit, as Prophet does. Raises ValueError if `sessions` does not fit.
    """
    tickers = [str(ticker) for ticker in closes.columns]
    fault = _fault_of_dates(closes.index)
    if fault:
        return ForecastBatch({}, {ticker: f"{ticker}: {fault}" for ticker in tickers})
    days = closes.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    prices = closes.to_numpy(dtype=np.float64)
    ahead = _ahead(days, options.horizon, sessions)
    failed: dict[str, str] = {}
    groups: dict[bytes, list[int]] = {}
    for column in sorted(range(len(tickers)), key=lambda column: tickers[column]):
        reason = _fault(prices[:, column], closes.index, options)
        if tickers.count(tickers[column]) > 1:
            reason = "the ticker names more than one column"
        if reason:
            failed[tickers[column]] = f"{tickers[column]}: {reason}"
        else:
            groups.setdefault(np.isfinite(prices[:, column]).tobytes(), []).append(column)
    made: dict[str, ForecastResult] = {}
    for columns in groups.values():
        rows = np.isfinite(prices[:, columns[0]])
        results = _forecast_group(days[rows], prices[rows][:, columns], ahead, options)
        for column, result in zip(columns, results, strict=True):
            if result is None:
                failed[tickers[column]] = f"{tickers[column]}: the fit could not be verified as the optimum"
            else:
                made[tickers[column]] = result
    return ForecastBatch(made, failed)


def _forecast_group(days: Days, prices: Floats, ahead: Days, options: ForecastOptions) -> list[ForecastResult | None]:
    design = build_design(days, options)
    factors = factorise(design.t, design.ramps, design.features, design.scales, flat=design.flat)
    scale = np.abs(prices).max(axis=0)
    parameters = solve(factors, prices / scale, options.changepoint_prior_scale)
    outlook = predict(design, parameters, ahead)
    half = model_half_widths(design, parameters, ahead, options.interval_width)
    dates = tuple(_EPOCH + timedelta(days=int(day)) for day in ahead)
    return [
        ForecastResult(
            last_close=float(prices[-1, b]),
            sessions=dates,
            yhat=outlook.yhat[b] * scale[b],
            yhat_lower=(outlook.yhat[b] - half[b]) * scale[b],
            yhat_upper=(outlook.yhat[b] + half[b]) * scale[b],
            last_trend=float(outlook.last_trend[b] * scale[b]),
            trend=outlook.trend[b] * scale[b],
            interval_width=options.interval_width,
            engine="exact",
        )
        if parameters.converged[b]
        else None
        for b in range(prices.shape[1])
    ]


def _ahead(days: Days, horizon: int, sessions: Sequence[date] | None) -> Days:
    """The days of the bars ahead."""
    if sessions is None:
        return _next_weekdays(int(days[-1]), horizon)
    ahead = np.array([(session - _EPOCH).days for session in sessions[:horizon]], dtype=np.int64)
    if len(ahead) < horizon or ahead[0] <= days[-1] or np.any(np.diff(ahead) <= 0):
        raise ValueError(f"sessions: expected {horizon} ascending dates after the last bar, got {list(sessions)}")
    return ahead


def _next_weekdays(last: int, horizon: int) -> Days:
    later = np.arange(last + 1, last + 1 + 2 * horizon + 2)
    return later[(later + 3) % 7 < _SATURDAY][:horizon]  # day 0 was a Thursday


def _fault_of_dates(index: pd.Index) -> str:
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        return "the index must hold tz-naive session dates"
    if index.has_duplicates:
        return f"session {index[index.duplicated()][0]:%Y-%m-%d} occurs more than once"
    if not index.is_monotonic_increasing:
        return "sessions are not in ascending order"
    return "" if len(index) else "no bars"


def _fault(series: Floats, index: pd.Index, options: ForecastOptions) -> str:
    present = np.flatnonzero(~np.isnan(series))
    if len(present) < _FEWEST_BARS:
        return f"only {len(present)} bars; at least {_FEWEST_BARS} are needed"
    values = series[present]
    if not np.isfinite(values).all():
        return "an infinite price"
    if (values <= 0).any():
        return f"price {values[values <= 0][-1]:g}; prices must be above 0"
    if values.min() == values.max():
        return f"the price is {values[0]:g} on every bar; a constant cannot be forecast"
    if present[-1] != len(series) - 1:
        return f"no bar for the last session {index[-1]:%Y-%m-%d}"
    return _fault_of_gaps(series[present[0] :], options, len(present))


def _fault_of_gaps(series: Floats, options: ForecastOptions, bars: int) -> str:
    missing = np.isnan(series)
    ends = np.flatnonzero(np.diff(np.concatenate([[0], missing.astype(int), [0]])))
    longest = int((ends[1::2] - ends[::2]).max(initial=0))
    if longest > _LONGEST_GAP:
        return f"{longest} bars in a row are missing; at most {_LONGEST_GAP} may be"
    if missing.sum() > _MOST_GAPS * len(series):
        return f"{int(missing.sum())} of {len(series)} bars are missing; at most {_MOST_GAPS:.0%} may be"
    if options.horizon > bars:
        return f"option horizon: {options.horizon} is not allowed; expected at most the {bars} bars of the history"
    return ""
