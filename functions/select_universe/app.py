"""SelectUniverse: rank the candidates, fetch prices once, cut the forecast work list."""

import openbell.cold_start  # noqa: F401 before all other imports

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from openbell import bootstrap
from openbell.lambdas import Event, entry_point, metrics
from openbell.membership import sp500
from openbell.runs import snapshot_keys
from openbell.workflow.select_universe import select_universe


class SelectUniverseEvent(Event):
    """What the state machine passes."""

    run_id: str
    fence: int


@entry_point(SelectUniverseEvent)
def handler(event: SelectUniverseEvent) -> dict[str, Any]:
    """The snapshot's key and the batches to forecast."""
    selected = select_universe(
        event.run_id,
        broker=bootstrap.broker(),
        data=bootstrap.market_data(),
        archive=bootstrap.archive(),
        members=sp500(),
        lambdas=bootstrap.settings().forecast_lambdas,
    )
    metrics.add_metric("TickersSelected", MetricUnit.Count, selected.tickers)
    return {
        "snapshot_key": snapshot_keys(event.run_id)[0],
        "tickers": selected.tickers,
        "batches": [{"index": i, "label": batch.label} for i, batch in enumerate(selected.work.batches)],
    }
