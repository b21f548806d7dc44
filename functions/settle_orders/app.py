"""SettleOrders: book what is filled, and say whether to look again."""

import openbell.cold_start  # noqa: F401 before all other imports

from typing import Any, Literal

from openbell import bootstrap
from openbell.lambdas import Event, entry_point, logger
from openbell.runs import fenced
from openbell.workflow.settle_orders import settle_orders


class SettleOrdersEvent(Event):
    """What the state machine passes; `round` counts the looks so far."""

    run_id: str
    fence: int
    side: Literal["sell", "buy"]
    client_order_ids: list[str]
    round: int


@entry_point(SettleOrdersEvent)
def handler(event: SettleOrdersEvent) -> dict[str, Any]:
    """Whether there is nothing more to wait for."""
    settlement = settle_orders(
        event.run_id,
        event.client_order_ids,
        event.round,
        broker=bootstrap.broker(),
        ledger=bootstrap.ledger(),
        archive=bootstrap.archive(),
        lease=fenced(event.run_id, event.fence),
    )
    if settlement.working:
        logger.info("orders still working", extra={"side": event.side, "orders": settlement.working})
    return {"round": settlement.round, "settled": settlement.settled}
