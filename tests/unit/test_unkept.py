"""Orders that are made once more from what the broker has of them."""

import pytest

from openbell.config import ExecutionConfig
from openbell.model import BrokerOrder, OrderStatus, Side
from openbell.unkept import as_sent, repriced
from openbell.workflow.settle_orders import revision
from tests.builders import D, order


def at_the_broker(name: str, qty: str) -> BrokerOrder:
    return BrokerOrder("1", name, "AAPL", Side.BUY, OrderStatus.WORKING, D(qty), D(0), D(0))


def test_an_order_that_was_cut_before_it_was_sent_has_the_brokers_quantity() -> None:
    planned = order(shares={"a": "6", "b": "2"}, status=OrderStatus.PLANNED)
    sent = as_sent(planned, at_the_broker(planned.client_order_id, "4"))
    assert [(share.strategy, share.qty) for share in sent.shares] == [("a", D(3)), ("b", D(1))]
    assert (sent.qty, sent.note) == (D(4), "cut from 8: as the broker has it")
    assert as_sent(planned, at_the_broker(planned.client_order_id, "8")) is planned


@pytest.mark.parametrize(
    ("name", "status", "qty", "known"),
    [
        ("run-AAPL-buy-x-2", OrderStatus.CANCELED, "10", True),
        ("run-AAPL-buy-x-2", OrderStatus.CANCELED, "9", False),  # not what was left
        ("run-AAPL-buy-x-2", OrderStatus.WORKING, "10", False),  # the order before it has not ended
        ("run-AAPL-buy-x-3", OrderStatus.CANCELED, "10", False),
        ("run-AAPL-buy-x-y", OrderStatus.CANCELED, "10", False),
    ],
)
def test_a_revision_is_made_from_the_order_before_it(name: str, status: OrderStatus, qty: str, known: bool) -> None:
    before, rules = order(status=status), ExecutionConfig()
    again = repriced(at_the_broker(name, qty), {before.client_order_id: before}, rules)
    assert again == (revision(before, rules) if known else None)
