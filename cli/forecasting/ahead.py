"""What is expected of tickers in the coming sessions, and what came if the data knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from cli.forecasting.prices import Prices
from openbell.forecasting.batch import ForecastBatch, ForecastResult, forecast_many
from openbell.forecasting.calibration import FEWEST_FITTED
from openbell.forecasting.options import ForecastOptions

# Prophet as it is keeps no record of itself: here it is made to, so that its skill can be told.
_SCORED_BARS = 252
_REFIT_EVERY = 5


@dataclass(frozen=True)
class Outlook:
    """The forecast of one ticker as of a session. `came`: the closes of the coming sessions, NaN where not known.

    `past`: the closes before (USD), by session. `scored`: earlier sessions from which its skill is known.
    """

    ticker: str
    as_of: date
    result: ForecastResult
    past: "pd.Series[float]"
    came: tuple[float, ...]
    scored: int

    @property
    def change(self) -> float:
        """The last expected close against the last close, as a fraction."""
        return float(self.result.yhat[-1]) / self.result.last_close - 1


@dataclass(frozen=True)
class Outlooks:
    """Outlooks in the order of the tickers, and by ticker why there is none."""

    as_of: date
    source: str
    made: tuple[Outlook, ...]
    failed: Mapping[str, str]


def bars_needed(options: ForecastOptions) -> int:
    """Bars that a forecast and the score of its past are made from."""
    return (options.history or 0) + max(options.calibration, _SCORED_BARS)


def look_ahead(prices: Prices, tickers: Sequence[str], as_of: date | None, options: ForecastOptions) -> Outlooks:
    """Forecasts of `tickers` from the closes up to `as_of`; InvalidInput for a ticker or a date that there is not."""
    closes = prices.of(tickers)
    row = prices.row_of(as_of)
    known = closes.iloc[max(0, row + 1 - bars_needed(options)) : row + 1]
    day = pd.DatetimeIndex(known.index)[-1].date()
    ahead = prices.sessions_after(day, options.horizon)
    batch = _forecast(known, options, ahead)
    came = closes.reindex(pd.DatetimeIndex(ahead))
    made = tuple(
        Outlook(
            ticker,
            day,
            batch.made[ticker],
            known[ticker].dropna(),
            tuple(came[ticker].tolist()),
            _scored(known[ticker]),
        )
        for ticker in known.columns
        if ticker in batch.made
    )
    return Outlooks(day, prices.source, made, batch.failed)


def _scored(known: "pd.Series[float]") -> int:
    return int(np.clip(known.notna().sum() - FEWEST_FITTED, 0, _SCORED_BARS))


def _forecast(known: pd.DataFrame, options: ForecastOptions, ahead: Sequence[date]) -> ForecastBatch:
    """Forecasts with their skill; without it where too few bars are known and none is needed."""
    scored = options if options.calibration else replace(options, calibration=_SCORED_BARS, refit_every=_REFIT_EVERY)
    batch = forecast_many(known, scored, sessions=ahead)
    if options.calibration or not batch.failed:
        return batch
    rest = forecast_many(known[list(batch.failed)], options, sessions=ahead)
    return ForecastBatch({**batch.made, **rest.made}, rest.failed)
