"""Forecasts as of many sessions of the past, each made from what was known then and scored by what came."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from openbell.forecasting.batch import forecast_many
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.record import to_forecast
from openbell.forecasting.scoring import BarScore, score


@dataclass(frozen=True)
class Step:
    """The forecasts as of one session: scores of their bars, the skill shown with each, and why others were not made.

    `row`: of that session among the closes.
    """

    row: int
    scores: tuple[BarScore, ...]
    skills: Mapping[str, float | None]
    failed: Mapping[str, str]


def walk_forward(closes: pd.DataFrame, rows: Sequence[int], options: ForecastOptions, bars: int) -> Iterator[Step]:
    """A step for each of `rows`, which have at least a horizon of rows after them.

    `closes` `(n_sessions, n_tickers)` in USD, tz-naive session dates ascending; of those up to the row the last `bars`
    are handed over. A price that never moved cannot be scored: its forecasts are left out.
    """
    for row in rows:
        known = closes.iloc[max(0, row + 1 - bars) : row + 1]
        yield _step(row, known, closes.iloc[row + 1 : row + 1 + options.horizon], options)


def _step(row: int, known: pd.DataFrame, coming: pd.DataFrame, options: ForecastOptions) -> Step:
    sessions = [stamp.date() for stamp in pd.DatetimeIndex(coming.index)]
    batch = forecast_many(known, options, sessions=sessions)
    made = [to_forecast(ticker, result, known[ticker].to_numpy()) for ticker, result in batch.made.items()]
    scores: list[BarScore] = []
    for forecast in made:
        came = coming[forecast.symbol].to_numpy()
        truth = {session: float(close) for session, close in zip(sessions, came, strict=True) if np.isfinite(close)}
        scores += score(forecast, truth) if forecast.naive_scale else []
    return Step(row, tuple(scores), {forecast.symbol: forecast.skill for forecast in made}, batch.failed)
