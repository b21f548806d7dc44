"""Forecast: Prophet on one batch's columns of the snapshot."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.codec import from_json
from openbell.exchange_calendar import sessions_after
from openbell.forecasting.batch import forecast_closes
from openbell.forecasting.closes import Closes, date_of, read_columns
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.record import to_forecast
from openbell.forecasts import Forecast, ForecastConfig, WorkList, closes_key, work_list_key

if TYPE_CHECKING:  # the Forecast function does without
    import pandas as pd

    from openbell.ports import Archive, ForecastStore


@dataclass(frozen=True)
class BatchOutcome:
    """How many tickers of a batch have a forecast now, and how many have none."""

    made: int
    failed: int


def forecast(run_id: str, batch_index: int, *, forecasts: "ForecastStore", archive: "Archive") -> BatchOutcome:
    """Forecast the tickers of one batch of the run's work list and store forecasts and failures."""
    work = from_json(WorkList, archive.get(work_list_key(run_id)))
    batch = work.batches[batch_index]
    closes = read_columns(archive.get(closes_key(run_id)), batch.tickers)
    made, failures = _forecast(closes, work.specs[batch.spec])
    forecasts.save_forecasts(run_id, batch.spec, made, failures)
    return BatchOutcome(len(made), len(failures))


def forecast_tickers(closes: "pd.DataFrame", spec: ForecastConfig) -> tuple[list[Forecast], dict[str, str]]:
    """Forecasts of the columns of `closes` (`(n_sessions, n_tickers)`, USD), and why others could not be made.

    ValueError if the index does not hold sessions.
    """
    return _forecast(Closes.from_frame(closes), spec)


def _forecast(closes: Closes, spec: ForecastConfig) -> tuple[list[Forecast], dict[str, str]]:
    prior = {} if spec.changepoint_prior_scale is None else {"changepoint_prior_scale": spec.changepoint_prior_scale}
    options = ForecastOptions.preset(
        spec.preset,
        horizon=spec.horizon,
        interval_width=spec.interval_width,
        history=spec.history,
        engine=spec.engine,
        **prior,
    )
    ahead = sessions_after(date_of(int(closes.days[-1])), spec.horizon) if len(closes.days) else None
    batch = forecast_closes(closes.last(spec.bars), options, sessions=ahead)
    made = [to_forecast(symbol, result, closes.of(symbol)) for symbol, result in sorted(batch.made.items())]
    return made, dict(batch.failed)
