"""Hundreds of resting orders are reconciled by lists, within Alpaca's 200 requests a minute."""

from collections import Counter
from dataclasses import replace

import pytest
from werkzeug.wrappers import Request, Response

from lab.exchange import ExchangeBroker
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.errors import RateLimited
from openbell.execution.protection import protect
from openbell.execution.reconciliation import reconcile
from openbell.execution.sending import send
from openbell.model import Bracket, Lease, OrderStatus, Position, Side, Sleeve
from paper import PaperExchange
from paper.server import Proceed
from tests.builders import AS_OF, D, order
from tests.integration.paper.conftest import Serve, broker_of
from tests.unit.paper.market_days import at, closes, exchange

MANY = 500
WISH = Bracket(D(49), D(40), D(90))


def resting(count: int) -> tuple[PaperExchange, MemoryLedger, Lease]:
    """So many shares of KO, each in a protective order of its own; KO closes at 48 tomorrow, below their stop."""
    paper, ledger = exchange(closes(KO=[50, 51, 48, 48]), cash="50000"), MemoryLedger()
    lease = ledger.acquire_lease("run", AS_OF, 3600)
    assert lease
    paper.by_hand.trade("KO", D(count))
    ledger.open_sleeve(Sleeve("x", D(0), {"KO": Position(D(count), D(50 * count), WISH)}), lease)
    orders = [order(Side.SELL, {"x": "1"}, "KO", f"o-{n:03}", bracket=WISH) for n in range(count)]
    ledger.save_plan("run", orders, [], [], lease)
    for each in orders:
        sending = replace(each, status=OrderStatus.SUBMITTING, sending_since=paper.now)
        send(sending, ExchangeBroker(paper), ledger, lease)
    assert len(ledger.open_orders()) == count
    return paper, ledger, lease


class Counted:
    """Requests by path, and what of a list is answered."""

    def __init__(self, *, lists_are_empty: bool = False) -> None:
        self.paths: Counter[str] = Counter()
        self._empty = lists_are_empty

    def __call__(self, request: Request, proceed: Proceed) -> Response:
        self.paths[request.path] += 1
        if self._empty and request.path == "/v2/orders":
            return Response("[]", content_type="application/json")
        return proceed()


def test_500_resting_orders_take_a_handful_of_requests(url_of: Serve) -> None:
    paper, ledger, lease = resting(MANY)
    counted = Counted()
    broker = broker_of(url_of(paper, counted, requests_per_minute=200))
    found = reconcile(broker, ledger, lease, dead_before=None)
    assert (found.booked, found.drift) == ((), ())
    assert protect("run", broker, ledger, lease) == ()
    # one full page of open orders and the empty one after it, the positions, and the clock for the orders' age
    assert counted.paths == {"/v2/orders": 2, "/v2/positions": 1, "/v2/clock": 1}


def test_500_orders_that_have_ended_are_booked_by_lists_too(url_of: Serve) -> None:
    paper, ledger, lease = resting(MANY)
    paper.advance(at(15, "16:30"))
    counted = Counted()
    found = reconcile(broker_of(url_of(paper, counted, requests_per_minute=200)), ledger, lease, dead_before=None)
    assert (len(found.booked), ledger.open_orders(), ledger.sleeves()["x"].positions) == (MANY, [], {})
    assert ledger.sleeves()["x"].cash == MANY * 48
    assert counted.paths == {"/v2/orders": 3, "/v2/positions": 1}


def test_an_order_that_no_list_has_is_looked_up_before_anything_is_concluded(url_of: Serve) -> None:
    paper, ledger, lease = resting(5)
    counted = Counted(lists_are_empty=True)
    reconcile(broker_of(url_of(paper, counted)), ledger, lease, dead_before=None)
    assert len(ledger.open_orders()) == 5
    assert counted.paths["/v2/orders:by_client_order_id"] == 5


def test_where_look_ups_meet_the_limit_the_next_attempt_goes_on(url_of: Serve) -> None:
    paper, ledger, lease = resting(12)
    paper.advance(at(15, "16:30"))
    counted = Counted(lists_are_empty=True)
    open_orders = []
    for _ in range(4):
        broker = broker_of(url_of(paper, counted, requests_per_minute=10))  # each attempt in a minute of its own
        try:
            reconcile(broker, ledger, lease, dead_before=None)
        except RateLimited:
            open_orders.append(len(ledger.open_orders()))
    assert open_orders
    assert open_orders == sorted(open_orders, reverse=True)
    assert ledger.open_orders() == []
    assert ledger.sleeves()["x"].positions == {}


@pytest.mark.parametrize("count", [1, 3])
def test_a_few_orders_are_looked_up_one_by_one(url_of: Serve, count: int) -> None:
    paper, ledger, lease = resting(count)
    counted = Counted()
    reconcile(broker_of(url_of(paper, counted)), ledger, lease, dead_before=None)
    assert counted.paths["/v2/orders"] == 0
