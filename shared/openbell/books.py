"""The books of a run, kept in the archive, so that a lost or stale ledger can be rebuilt to the cent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openbell.codec import from_json, to_json
from openbell.errors import InvalidInput, StoreUnavailable
from openbell.model import AccountLine, Halt, Order, Run, Sleeve
from openbell.ports import Archive, Ledger
from openbell.runs import books_key

_LOOKS = 3  # of which two must agree: a Lambda that was thought dead may book a fill between them


@dataclass(frozen=True)
class Books:
    """What the ledger held at one moment of a run: when it began, had opened, was planned, or ended."""

    run: Run
    sealed: bool  # whether its plan is complete
    sleeves: Mapping[str, Sleeve]
    orders: tuple[Order, ...]  # the run's own, and those of earlier runs to which something could happen when it began
    halt: Halt | None = None
    line: AccountLine | None = None


def keep_books(run_id: str, ledger: Ledger, archive: Archive, ended: Run | None = None) -> None:
    """Put the books as they are now into the run's folder; `ended` is the run as it is about to be recorded.

    Raises StoreUnavailable if they change under the look, InvalidInput if the ledger has no such run.
    """
    run = ended or ledger.run(run_id)
    if run is None:
        raise InvalidInput(f"the ledger has no run {run_id}, whose books were to be kept")
    archive.put(books_key(run_id), to_json(_look(run, _kept_before(run_id, archive), ledger)))


def _kept_before(run_id: str, archive: Archive) -> tuple[Order, ...]:
    """The orders in the books that the run has kept earlier."""
    try:
        return from_json(Books, archive.get(books_key(run_id))).orders
    except KeyError:
        return ()


def _look(run: Run, followed: Sequence[Order], ledger: Ledger) -> Books:
    """Sleeves and orders that belong together: every fill changes a sleeve, so equal sleeves frame equal fills."""
    before = ledger.sleeves()
    for _ in range(_LOOKS):
        orders = _orders(run, followed, ledger)
        sleeves = ledger.sleeves()
        if sleeves == before:
            return Books(run, ledger.plan_sealed(run.run_id), sleeves, orders, ledger.halt(), ledger.account_line())
        before = sleeves
    raise StoreUnavailable(f"the books of run {run.run_id} changed while they were read: try again")


def _orders(run: Run, followed: Sequence[Order], ledger: Ledger) -> tuple[Order, ...]:
    found = {order.client_order_id: order for order in (*ledger.open_orders(), *ledger.orders(run.run_id))}
    for order in followed:
        if order.client_order_id not in found and (now := ledger.order(order.run_id, order.client_order_id)):
            found[order.client_order_id] = now  # it has ended since the run began
    return tuple(order for _, order in sorted(found.items()))
