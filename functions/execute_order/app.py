"""ExecuteOrder: send one planned order, once."""

import openbell.cold_start  # noqa: F401 before all other imports

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from openbell import bootstrap
from openbell.lambdas import Event, entry_point, metrics
from openbell.model import OrderStatus
from openbell.runs import fenced
from openbell.workflow.execute_order import execute_order


class ExecuteOrderEvent(Event):
    """What the state machine passes."""

    run_id: str
    fence: int
    client_order_id: str


@entry_point(ExecuteOrderEvent)
def handler(event: ExecuteOrderEvent) -> dict[str, Any]:
    """How the order stands after it was sent."""
    order = execute_order(
        event.run_id,
        event.client_order_id,
        broker=bootstrap.broker(),
        ledger=bootstrap.ledger(),
        lease=fenced(event.run_id, event.fence),
    )
    metrics.add_metric("OrdersRejected", MetricUnit.Count, int(order.status is OrderStatus.REJECTED))
    return {"client_order_id": order.client_order_id, "status": order.status.value}
