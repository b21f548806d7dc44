"""AggregateSignals: the signals of all strategies become one sealed plan."""

import openbell.cold_start  # noqa: F401 before all other imports

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from pydantic import Field

from openbell import bootstrap
from openbell.lambdas import Event, entry_point, metrics
from openbell.runs import fenced
from openbell.workflow.aggregate_signals import LostBatch, aggregate_signals


class BatchRef(Event):
    """One entry of the work list."""

    index: int
    label: str


class Lost(Event):
    """A batch whose Lambda failed, as the state ForecastFailed reports it."""

    batch: BatchRef
    error: str
    cause: str


class ForecastResult(Event):
    """What one iteration of ForecastTickers gave."""

    made: int
    failed: int
    lost: Lost | None = None


class AggregateSignalsEvent(Event):
    """What the state machine passes."""

    run_id: str
    fence: int
    snapshot_key: str
    forecasts: list[ForecastResult] = Field(default_factory=list)


@entry_point(AggregateSignalsEvent)
def handler(event: AggregateSignalsEvent) -> dict[str, Any]:
    """The client_order_ids to send: the sells, and then the buys."""
    lost = [
        LostBatch(result.lost.batch.index, f"{result.lost.error}: {result.lost.cause}")
        for result in event.forecasts
        if result.lost
    ]
    planned = aggregate_signals(
        event.run_id,
        lost,
        ledger=bootstrap.ledger(),
        archive=bootstrap.archive(),
        lease=fenced(event.run_id, event.fence),
    )
    metrics.add_metric("OrdersPlanned", MetricUnit.Count, len(planned.sells) + len(planned.buys))
    return {"sells": list(planned.sells), "buys": list(planned.buys)}
