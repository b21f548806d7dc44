"""Orders as the ledger has them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from cli.formats import count, money, shares
from cli.grid import grid, order_status
from cli.views.runs import known_run
from openbell.model import Order
from openbell.ports import Ledger

LOOKED_THROUGH = 20  # runs, where none is named


@dataclass(frozen=True)
class Orders:
    """By run, newest run first; `of` says which orders these are."""

    of: str
    orders: tuple[Order, ...]


def read_orders(ledger: Ledger, run_id: str, *, only_open: bool) -> Orders:
    """The orders of one run, those of any run to which something can still happen, or those of the newest runs.

    InvalidInput if there is no such run.
    """
    word = "open orders" if only_open else "orders"
    if run_id:
        found, of = ledger.orders(known_run(ledger, run_id).run_id), f"{word} of run {run_id}"
    elif only_open:
        found, of = ledger.open_orders(), word
    else:
        runs = ledger.runs(LOOKED_THROUGH)
        found = [order for run in runs for order in ledger.orders(run.run_id)]
        of = f"{word} of the newest {count(len(runs), 'run')}"
    return Orders(of, tuple(order for order in found if order.open or not only_open))


def orders_table(orders: Sequence[Order], title: str, *, why: bool) -> Table:
    """A line for each order; protective legs stand under its outcome, and `why` tells its reason."""
    columns = ("Order", "Side", "Symbol", "For", ">Shares", ">Filled", ">Fill, USD", "Outcome")
    table = grid(title, *columns, *(("Why",) if why else ()))
    table.columns[0].no_wrap = True  # what a person looks for at the broker
    for order in orders:
        table.add_row(
            escape(order.client_order_id),
            order.side.value,
            escape(order.symbol),
            escape("\n".join(order.strategies)),
            shares(order.qty),
            shares(order.filled_qty),
            money(order.filled_avg_price),
            _outcome(order),
            *((_why(order),) if why else ()),
        )
    return table


def _outcome(order: Order) -> str:
    legs = (f"{leg.kind.value.replace('_', ' ')} {order_status(leg.status.value)}" for leg in order.legs)
    itself = f"take profit {order_status(order.status.value)}" if order.protective else order_status(order.status.value)
    return "\n".join((itself, *legs))


def _why(order: Order) -> str:
    return escape(order.reason) + (f"\n[red]{escape(order.note)}[/]" if order.note else "")


def orders_tables(found: Orders) -> Iterator[Table | str]:
    """The view for people."""
    yield orders_table(found.orders, found.of.capitalize(), why=True) if found.orders else f"No {escape(found.of)}."
