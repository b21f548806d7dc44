"""Send one order, so that whoever comes later knows to look it up before doing anything else."""

from dataclasses import replace

from openbell.errors import BrokerUnavailable, OrderRejected, OutcomeUnknown
from openbell.execution.settling import settle
from openbell.model import Lease, Order, OrderStatus
from openbell.ports import Broker, Ledger


def send(sending: Order, broker: Broker, ledger: Ledger, lease: Lease) -> Order:
    """Write down that this attempt begins now, which checks the lease too, and send the order.

    `sending` is SUBMITTING. Raises BrokerUnavailable when the outcome is in doubt and the look-up finds nothing: trying
    again is safe.
    """
    order = ledger.save_order(sending, lease)
    try:
        broker.submit(order.request())
    except OrderRejected as rejection:
        return ledger.save_order(replace(order, status=OrderStatus.REJECTED, note=str(rejection)), lease)
    except OutcomeUnknown as doubt:
        found, _ = settle(order, broker, ledger, lease)
        if found.status is OrderStatus.SUBMITTING:
            raise BrokerUnavailable(f"order {order.client_order_id} is in doubt, not to be found: {doubt}") from doubt
        return found
    sent, _ = settle(order, broker, ledger, lease)
    return sent
