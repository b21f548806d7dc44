"""Forecast: Prophet on one batch of tickers."""

import openbell.cold_start  # noqa: F401 before all other imports

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from openbell import bootstrap
from openbell.lambdas import Event, entry_point, metrics
from openbell.workflow.forecast import forecast


class BatchRef(Event):
    """One entry of the work list."""

    index: int
    label: str


class ForecastEvent(Event):
    """What the state machine passes."""

    run_id: str
    snapshot_key: str
    batch: BatchRef


@entry_point(ForecastEvent)
def handler(event: ForecastEvent) -> dict[str, Any]:
    """How many forecasts were made, and how many could not be."""
    outcome = forecast(event.run_id, event.batch.index, forecasts=bootstrap.forecasts(), archive=bootstrap.archive())
    metrics.add_metric("ForecastsMade", MetricUnit.Count, outcome.made)
    metrics.add_metric("ForecastsFailed", MetricUnit.Count, outcome.failed)
    return {"made": outcome.made, "failed": outcome.failed}
