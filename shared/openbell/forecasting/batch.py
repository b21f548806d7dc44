"""Forecasts of many tickers at once: the way from closes to prices ahead.

Tickers with the same bars share design, factors and solver. The order of the tickers has no effect; how they are
batched moves results by rounding only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from openbell.forecasting.arrays import Days, Floats
from openbell.forecasting.calibration import Past, conformal_half_widths, look_back, refits
from openbell.forecasting.checks import fault_of_prices
from openbell.forecasting.closes import Closes, date_of, day_of, fault_of_dates
from openbell.forecasting.fitting import Fit, fit_windows, open_window
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.predict import model_half_widths, trend_at
from openbell.forecasting.skill import skill_against_naive

if TYPE_CHECKING:
    import pandas as pd

_SATURDAY = 5
_NO_INTERVAL = "the price moved on too few of the scored bars: an interval calibrated on them would have no width"


@dataclass(frozen=True)
class ForecastResult:
    """The bars ahead of one ticker: arrays of length `horizon`, in USD.

    `last_trend` is the trend at the last bar. `skill` is that of its past forecasts against the last close (above 0:
    better), None if none were scored; `trend_weight` the share of the expected change that went into yhat.
    """

    last_close: float
    sessions: tuple[date, ...]
    yhat: Floats
    yhat_lower: Floats
    yhat_upper: Floats
    last_trend: float
    trend: Floats
    interval_width: float
    engine: str
    skill: float | None
    trend_weight: float


@dataclass(frozen=True)
class ForecastBatch:
    """Forecasts by ticker, and by ticker the reason why there is none."""

    made: Mapping[str, ForecastResult]
    failed: Mapping[str, str]


def forecast_many(
    closes: "pd.DataFrame", options: ForecastOptions, *, sessions: Sequence[date] | None = None
) -> ForecastBatch:
    """Forecast every column of `closes`: `(n_sessions, n_tickers)` USD, tz-naive session dates ascending.

    `sessions` are the dates of the bars ahead, at least `horizon` of them; without it the next weekdays. A ticker that
    cannot be forecast fails alone, with its reason. A missing price is a missing bar: it is left out of the fit, as
    Prophet does. The calibrated preset uses `history + calibration` bars, and fits shorter windows if there are fewer.
    Raises ValueError if `sessions` does not fit the closes.
    """
    if shared := fault_of_dates(closes.index):
        return ForecastBatch({}, {str(ticker): f"{ticker}: {shared}" for ticker in closes.columns})
    return forecast_closes(Closes.from_frame(closes), options, sessions=sessions)


def forecast_closes(
    closes: Closes, options: ForecastOptions, *, sessions: Sequence[date] | None = None
) -> ForecastBatch:
    """`forecast_many` of plain arrays."""
    tickers, days, prices = closes.tickers, closes.days, closes.prices
    failed = {ticker: reason for ticker, reason in _faults(closes, options).items() if reason}
    made: dict[str, ForecastResult] = {}
    columns = sorted((column for column, ticker in enumerate(tickers) if ticker not in failed), key=tickers.__getitem__)
    if columns:
        ahead = _ahead(int(days[-1]), options.horizon, sessions)
        for group in _same_bars(prices, columns):
            rows = np.isfinite(prices[:, group[0]])
            results, faults = _forecast_group(days[rows], prices[rows][:, group], ahead, options)
            made |= {tickers[group[b]]: result for b, result in results.items()}
            failed |= {tickers[group[b]]: reason for b, reason in faults.items()}
    return ForecastBatch(made, {ticker: f"{ticker}: {reason}" for ticker, reason in failed.items()})


def _faults(closes: Closes, options: ForecastOptions) -> dict[str, str]:
    tickers, prices = closes.tickers, closes.prices
    reasons = {ticker: fault_of_prices(prices[:, i], closes.days, options) for i, ticker in enumerate(tickers)}
    twice = {ticker for ticker in reasons if tickers.count(ticker) > 1} if len(reasons) < len(tickers) else set()
    return {**reasons, **dict.fromkeys(twice, "the ticker names more than one column")}


def _same_bars(prices: Floats, columns: Sequence[int]) -> list[list[int]]:
    """The columns in groups that have prices on the same sessions."""
    groups: dict[bytes, list[int]] = {}
    for column in columns:
        groups.setdefault(np.isfinite(prices[:, column]).tobytes(), []).append(column)
    return list(groups.values())


def _forecast_group(
    days: Days, prices: Floats, ahead: Days, options: ForecastOptions
) -> tuple[dict[int, ForecastResult], dict[int, str]]:
    """Results and reasons by position among the columns of `prices` `(n, B)`."""
    series = np.log(prices) if options.log_prices else prices
    windows = refits(len(days), options)
    fits = fit_windows([open_window(days[start : end + 1], series[start : end + 1], options) for start, end in windows])
    past = look_back(fits, [end for _, end in windows], np.concatenate([days, ahead]), series)
    faults = {b: reason for fit in fits for b, reason in fit.faults.items()}
    conformal = options.intervals == "conformal"
    half = conformal_half_widths(past, options.interval_width) if conformal else model_half_widths(fits[-1], ahead)
    faults |= dict.fromkeys(np.flatnonzero(~(half > 0).all(axis=1)).tolist(), _NO_INTERVAL)
    results = _results(fits[-1], past, half, prices[-1], ahead)
    return {b: result for b, result in enumerate(results) if b not in faults}, faults


def _results(fit: Fit, past: Past, half: Floats, last: Floats, ahead: Days) -> list[ForecastResult]:
    options = fit.window.design.options
    days = fit.window.design.days
    unscale = np.exp if options.log_prices else np.asarray
    level = np.log(last) if options.log_prices else last
    centre = level[:, None] + past.forecasts[-1]
    trend = unscale(trend_at(fit, np.concatenate([days[-1:], ahead])))
    yhat, lower, upper = unscale(centre), unscale(centre - half), unscale(centre + half)
    skill = skill_against_naive(past) if options.calibration else np.full(len(last), np.nan)
    sessions = tuple(date_of(int(day)) for day in ahead)
    return [
        ForecastResult(
            last_close=float(last[b]),
            sessions=sessions,
            yhat=yhat[b],
            yhat_lower=lower[b],
            yhat_upper=upper[b],
            last_trend=float(trend[b, 0]),
            trend=trend[b, 1:],
            interval_width=options.interval_width,
            engine=fit.engines[b],
            skill=float(skill[b]) if np.isfinite(skill[b]) else None,
            trend_weight=float(past.weights[-1, b]),
        )
        for b in range(len(last))
    ]


def _ahead(last: int, horizon: int, sessions: Sequence[date] | None) -> Days:
    """The days of the bars after the day `last`."""
    if sessions is None:
        later = np.arange(last + 1, last + 1 + 2 * horizon + 2)
        return later[(later + 3) % 7 < _SATURDAY][:horizon]  # day 0 was a Thursday
    ahead = np.array([day_of(session) for session in sessions[:horizon]], dtype=np.int64)
    if len(ahead) < horizon or ahead[0] <= last or np.any(np.diff(ahead) <= 0):
        raise ValueError(
            f"sessions: expected {horizon} ascending dates after {date_of(last)}, "
            f"got {', '.join(str(session) for session in sessions[:horizon]) or 'none'}"
        )
    return ahead
