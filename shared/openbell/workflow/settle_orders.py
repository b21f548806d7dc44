"""SettleOrders: how do the run's orders stand? Book what is filled, and say whether to look again."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from openbell.codec import from_json
from openbell.errors import OrderNotCancelable
from openbell.execution.settling import settle
from openbell.model import Lease, Order, OrderStatus
from openbell.ports import Archive, Broker, Ledger
from openbell.runs import RunInputs, inputs_key


@dataclass(frozen=True)
class Settlement:
    """`settled`: nothing more to wait for, because all orders have ended or the rounds are used up."""

    round: int
    settled: bool
    working: tuple[str, ...]  # client_order_ids that have not ended


def settle_orders(
    run_id: str,
    client_order_ids: Sequence[str],
    last_round: int,
    *,
    broker: Broker,
    ledger: Ledger,
    archive: Archive,
    lease: Lease,
) -> Settlement:
    """One more look at the orders; in the last round the unfilled ones are cancelled, if so configured."""
    this_round = last_round + 1
    working = _look(run_id, client_order_ids, broker, ledger, lease)
    if not working:
        return Settlement(this_round, settled=True, working=())
    rules = from_json(RunInputs, archive.get(inputs_key(run_id))).config.execution
    if this_round < rules.max_rounds:
        return Settlement(this_round, settled=False, working=tuple(order.client_order_id for order in working))
    if rules.unfilled == "cancel":
        for order in working:
            _cancel(order, broker)
        working = _look(run_id, client_order_ids, broker, ledger, lease)
    return Settlement(this_round, settled=True, working=tuple(order.client_order_id for order in working))


def _look(run_id: str, client_order_ids: Sequence[str], broker: Broker, ledger: Ledger, lease: Lease) -> list[Order]:
    """Settle each order; gives those that were sent, or perhaps sent, and have not ended."""
    wanted = set(client_order_ids)
    orders = [order for order in ledger.orders(run_id) if order.client_order_id in wanted]
    settled = [settle(order, broker, ledger, lease)[0] for order in orders]
    return [order for order in settled if not order.status.ended and order.status is not OrderStatus.PLANNED]


def _cancel(order: Order, broker: Broker) -> None:
    if order.status is OrderStatus.WORKING:
        with suppress(OrderNotCancelable):  # it ended by itself: the next look books what it did
            broker.cancel(order.broker_order_id)
