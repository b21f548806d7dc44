"""The platform with one of its precautions in sending orders taken out: what the explorer must find.

Those in the books are in `tests.chaos.mutants_of_books`; the list of all is in `tests.chaos.hunt`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from unittest.mock import patch

from openbell.adapters.memory.ledger import MemoryLedger
from openbell.errors import OrderRejected, OutcomeUnknown
from openbell.execution import booking, settling
from openbell.model import ZERO, BrokerOrder, Fill, Lease, MarketClock, Order, OrderStatus, Sleeve
from openbell.ports import Broker, Ledger
from openbell.workflow import execute_order, guarding, open_run, settle_orders

type Mutant = Callable[[], AbstractContextManager[object]]


@contextmanager
def sends_again_without_looking() -> Iterator[None]:
    """In doubt, the order is sent anew under the next id."""

    def send(order: Order, broker: Broker, ledger: Ledger, lease: Lease) -> Order:
        try:
            broker.submit(order.request())
        except OrderRejected as rejection:
            return ledger.save_order(replace(order, status=OrderStatus.REJECTED, note=str(rejection)), lease)
        except OutcomeUnknown:
            broker.submit(replace(order.request(), client_order_id=f"{order.client_order_id[:-1]}9"))
        return settling.settle(order, broker, ledger, lease)[0]

    with patch.object(execute_order, "send", send):
        yield


@contextmanager
def takes_doubt_for_a_rejection() -> Iterator[None]:
    """An order that was not confirmed is given up."""

    def send(order: Order, broker: Broker, ledger: Ledger, lease: Lease) -> Order:
        try:
            broker.submit(order.request())
        except (OrderRejected, OutcomeUnknown) as rejection:
            return ledger.save_order(replace(order, status=OrderStatus.REJECTED, note=str(rejection)), lease)
        return settling.settle(order, broker, ledger, lease)[0]

    with patch.object(execute_order, "send", send):
        yield


@contextmanager
def writes_unconditionally() -> Iterator[None]:
    """save_order overwrites whatever is there."""
    save_order = MemoryLedger.save_order

    def save(self: MemoryLedger, order: Order, lease: Lease, sleeves: Sequence[Sleeve] = ()) -> Order:
        known = self.order(order.run_id, order.client_order_id)
        return save_order(self, replace(order, version=known.version) if known else order, lease, sleeves)

    with (
        patch.object(MemoryLedger, "save_order", save),
        patch.object(MemoryLedger, "_check_sleeves", lambda *_: None),
    ):
        yield


@contextmanager
def books_twice() -> Iterator[None]:
    """Every look books all that is filled, not only what is new."""

    def observe(order: Order, found: BrokerOrder) -> tuple[Order, tuple[Fill, ...]]:
        seen, _ = booking.observe(order, found)
        shares = tuple(replace(share, filled_qty=ZERO) for share in order.shares)
        blank = replace(order, filled_qty=ZERO, filled_value=ZERO, shares=shares, legs=())
        return seen, booking.observe(blank, found)[1]

    with patch.object(settling, "observe", observe):
        yield


@contextmanager
def knows_no_fence() -> Iterator[None]:
    """Whoever once had the lease may write for ever."""
    with patch.object(MemoryLedger, "check_lease", lambda *_: None):
        yield


@contextmanager
def gives_up_what_is_on_its_way() -> Iterator[None]:
    """An order that the broker does not show at once is dropped by the next run."""
    with patch.object(open_run, "IN_FLIGHT", -open_run.IN_FLIGHT):
        yield


@contextmanager
def sells_what_is_gone() -> Iterator[None]:
    """A sell is sent in full although a protective leg has filled meanwhile."""
    with patch.object(execute_order, "_shares_left", lambda order, _: order.shares):
        yield


@contextmanager
def protects_nothing() -> Iterator[None]:
    """What was bought rests in no protective order, and nobody looks whether it should."""
    with (
        patch.object(settle_orders, "protect", lambda *_: ()),
        patch.object(guarding, "protect", lambda *_: ()),
    ):
        yield


@contextmanager
def forgets_protection_after_a_refused_sale() -> Iterator[None]:
    """Protection is placed after a purchase only: what was withdrawn for a sale that fails does not come back."""
    with patch.object(guarding, "protect", lambda *_: ()):
        yield


@contextmanager
def ignores_the_halt() -> Iterator[None]:
    """Orders are sent whether trading is halted or not."""
    with patch.object(execute_order, "_overtaken", lambda *_: ""):
        yield


@contextmanager
def resends_in_spite_of_a_halt() -> Iterator[None]:
    """An order in doubt is sent once more, whatever has overtaken it."""
    overtaken = execute_order._overtaken

    def only_planned(order: Order, clock: MarketClock, ledger: Ledger) -> str:
        return "" if order.status is OrderStatus.SUBMITTING else overtaken(order, clock, ledger)

    with patch.object(execute_order, "_overtaken", only_planned):
        yield


@contextmanager
def does_not_wait_for_legs_to_end() -> Iterator[None]:
    """A sale is sent as soon as the end of its protective orders was asked for."""

    def free(order: Order, broker: Broker, ledger: Ledger, lease: Lease) -> None:
        for rest in ledger.open_orders():
            if rest.symbol == order.symbol and rest.protecting and set(order.strategies) & set(rest.strategies):
                settling.end(rest, broker, ledger, lease)

    with patch.object(execute_order, "_free_the_shares", free):
        yield


def spends_what_is_set_aside() -> AbstractContextManager[object]:
    """A buy is sent in full, whatever cash its sleeve has left."""
    return patch.object(execute_order, "affordable", lambda order, *_: order.shares)


@contextmanager
def reprices_what_is_filled() -> Iterator[None]:
    """A repriced order is for all of the first one's shares."""
    revision = settle_orders.revision

    def whole(order: Order, rules: object) -> Order:
        shares = tuple(replace(share, filled_qty=ZERO) for share in order.shares)
        return revision(replace(order, shares=shares, filled_qty=ZERO), rules)  # type: ignore[arg-type]

    with patch.object(settle_orders, "revision", whole):
        yield
