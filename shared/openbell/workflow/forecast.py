"""Forecast: Prophet on one batch's columns of the snapshot."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from openbell.codec import from_json
from openbell.config import ForecastConfig
from openbell.forecasting.batch import ForecastResult, forecast_many
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.scoring import naive_scale
from openbell.model import Forecast
from openbell.ports import Archive, Ledger
from openbell.runs import WorkList, snapshot_keys, work_list_key
from openbell.snapshot import read_closes

SCALE_BARS = 252  # whose mean absolute change is the unit of the forecast's errors
_PLACES = 6  # of a USD: far below any price increment, far above what differs between two kinds of CPU


@dataclass(frozen=True)
class BatchOutcome:
    """How many tickers of a batch have a forecast now, and how many have none."""

    made: int
    failed: int


def forecast(run_id: str, batch_index: int, *, ledger: Ledger, archive: Archive) -> BatchOutcome:
    """Forecast the tickers of one batch of the run's work list and store forecasts and failures."""
    work = from_json(WorkList, archive.get(work_list_key(run_id)))
    batch = work.batches[batch_index]
    closes = read_closes(archive.get(snapshot_keys(run_id)[0]), batch.tickers)
    made, failures = forecast_tickers(closes, work.specs[batch.spec])
    ledger.save_forecasts(run_id, batch.spec, made, failures)
    return BatchOutcome(len(made), len(failures))


def forecast_tickers(closes: pd.DataFrame, spec: ForecastConfig) -> tuple[list[Forecast], dict[str, str]]:
    """Forecasts of the columns of `closes` (`(n_sessions, n_tickers)`, USD), and why others could not be made."""
    prior = {} if spec.changepoint_prior_scale is None else {"changepoint_prior_scale": spec.changepoint_prior_scale}
    options = ForecastOptions.preset(
        spec.preset,
        horizon=spec.horizon,
        interval_width=spec.interval_width,
        history=spec.history,
        engine=spec.engine,
        **prior,
    )
    batch = forecast_many(closes.iloc[-spec.bars :], options)
    made = [
        _forecast(symbol, result, closes[symbol].dropna().iloc[-SCALE_BARS:])
        for symbol, result in sorted(batch.made.items())
    ]
    return made, dict(batch.failed)


def _forecast(symbol: str, result: ForecastResult, recent: "pd.Series[float]") -> Forecast:
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
        naive_scale=round(naive_scale(recent.tolist()), _PLACES) if recent.nunique() > 1 else None,
    )


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), _PLACES) for value in values)
