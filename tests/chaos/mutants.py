"""The platform with one of its precautions in sending orders taken out: what the explorer must find.

Those in the books are in `tests.chaos.mutants_of_books`; the list of all is in `tests.chaos.hunt`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from unittest.mock import patch

from openbell.adapters.memory.ledger import MemoryLedger
from openbell.errors import OrderNotCancelable, OrderRejected, OutcomeUnknown
from openbell.execution import booking, record, settling
from openbell.execution.protection import _Desk as Protection
from openbell.model import ZERO, BrokerOrder, Fill, Lease, MarketClock, Order, OrderStatus, Share, Sleeve
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
def sends_after_the_bell() -> Iterator[None]:
    """An order that is late is sent for the next session."""
    overtaken = execute_order._overtaken

    def at_any_time(order: Order, clock: MarketClock, ledger: Ledger) -> str:
        return overtaken(order, replace(clock, is_open=True), ledger)

    with patch.object(execute_order, "_overtaken", at_any_time):
        yield


@contextmanager
def ignores_quarantine() -> Iterator[None]:
    """What is set apart after its plan is traded all the same."""
    overtaken = execute_order._overtaken

    class Blind:
        def __init__(self, ledger: Ledger) -> None:
            self._ledger = ledger

        def __getattr__(self, name: str) -> object:
            return (list) if name == "quarantines" else getattr(self._ledger, name)

    def unaware(order: Order, clock: MarketClock, ledger: Ledger) -> str:
        return overtaken(order, clock, Blind(ledger))  # type: ignore[arg-type]

    with patch.object(execute_order, "_overtaken", unaware):
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


@contextmanager
def withdraws_the_protection_of_others() -> Iterator[None]:
    """A sale ends every protective order of its symbol."""
    free = execute_order._free_the_shares

    def free_all(order: Order, broker: Broker, ledger: Ledger, lease: Lease) -> None:
        shares = tuple(Share(name, ZERO) for name in ledger.sleeves())
        free(replace(order, shares=shares), broker, ledger, lease)

    with patch.object(execute_order, "_free_the_shares", free_all):
        yield


def ignores_an_opposite_order_in_doubt() -> AbstractContextManager[object]:
    """Only what is known to work at the broker stands in the way of an order."""
    return patch.object(execute_order, "_AT_THE_BROKER", frozenset({OrderStatus.WORKING}))


@contextmanager
def buys_into_protective_orders() -> Iterator[None]:
    """Protective orders stand in no buy's way."""
    opposed = execute_order._opposed

    with patch.object(execute_order, "_opposed", lambda a, b: not b.protecting and opposed(a, b)):
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


@contextmanager
def cancels_without_the_lease() -> Iterator[None]:
    """The fence is not checked before an order is cancelled."""

    def cancel(broker_order_id: str, broker: Broker, *_: object) -> None:
        with suppress(OrderNotCancelable):
            broker.cancel(broker_order_id)

    with (
        patch.object(settling, "cancel", cancel),
        patch.object(settle_orders, "cancel", cancel),
        patch.object(record, "cancel", cancel),
    ):
        yield


@contextmanager
def halts_without_withdrawing() -> Iterator[None]:
    """Where all is to be sold, buys that work go on."""
    with (
        patch.object(open_run, "_end_what_should_not_fill", lambda *_: None),
        patch.object(execute_order, "_end_buys_of_what_is_flattened", lambda *_: None),
    ):
        yield


def compares_no_protection() -> AbstractContextManager[object]:
    """What rests stays, at whatever prices and for however many shares."""
    return patch.object(Protection, "_is_wrong", lambda *_: False)


def leaves_protection_in_doubt() -> AbstractContextManager[object]:
    """A protective order that an earlier attempt wrote down counts as sent."""
    return patch.object(Protection, "_without_doubt", lambda _, order: order)
