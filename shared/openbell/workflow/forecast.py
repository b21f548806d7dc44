"""Forecast: Prophet on one batch's columns of the snapshot."""

from dataclasses import dataclass

import pandas as pd

from openbell.codec import from_json
from openbell.config import ForecastConfig
from openbell.forecasting.batch import forecast_many
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.record import to_forecast
from openbell.model import Forecast
from openbell.ports import Archive, Ledger
from openbell.runs import WorkList, snapshot_keys, work_list_key
from openbell.snapshot import read_closes


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
    made = [to_forecast(symbol, result, closes[symbol]) for symbol, result in sorted(batch.made.items())]
    return made, dict(batch.failed)
