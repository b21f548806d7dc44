"""Ledger and broker side by side: every difference, and what the next run does about it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.markup import escape
from rich.table import Table

from cli.books import owned_shares
from cli.exits import Exit
from cli.formats import money, shares
from cli.grid import grid
from cli.rehearsed_books import Rehearsal, rehearse_reconciliation
from cli.views.positions import drift_table
from cli.views.status import halt_line
from openbell.execution.reconciliation import Drift, Reconciliation
from openbell.model import NEW_YORK, ZERO, BrokerOrder, BrokerPosition, Halt, Order, OrderStatus, Quarantine, Sleeve
from openbell.ports import Broker, Ledger


@dataclass(frozen=True)
class OrderDifference:
    """An order that stands differently in the ledger and at the broker; filled: shares, protective legs included."""

    client_order_id: str
    symbol: str
    ledger: str
    broker: str


@dataclass(frozen=True)
class PositionDifference:
    """Shares of one symbol as the sleeves sum up to now, at the broker, and in the sleeves once the next run opened."""

    symbol: str
    ledger: Decimal
    broker: Decimal
    after: Decimal


@dataclass(frozen=True)
class Books:
    """What differs now, and what the next run would do. Cash in USD; nobody's is the account's less the sleeves'."""

    orders: tuple[OrderDifference, ...]
    positions: tuple[PositionDifference, ...]
    foreign_orders: tuple[str, ...]  # open at the broker, and none of the ledger's open ones
    sleeve_cash: Decimal
    account_cash: Decimal
    next_run: tuple[str, ...]
    drift: tuple[Drift, ...]
    quarantines: tuple[Quarantine, ...]  # once the next run has opened
    failure: str
    halt: Halt | None
    run_under_way: str  # the holder of the lease

    @property
    def exit(self) -> Exit:
        """BOOKS_DISAGREE when there is something that only a person can repair."""
        return Exit.BOOKS_DISAGREE if self.drift or self.quarantines or self.failure else Exit.OK


def read_books(ledger: Ledger, broker: Broker) -> Books:
    """Compare now; nothing is written. Raises what the broker raises when it does not answer: unknown is not empty."""
    sleeves, lease, quarantines = ledger.sleeves(), ledger.lease(), tuple(ledger.quarantines())
    rehearsal = rehearse_reconciliation(broker, ledger, broker.clock())
    return Books(
        orders=tuple(_order_differences(rehearsal)),
        positions=tuple(_position_differences(sleeves, broker.positions(), rehearsal.sleeves)),
        foreign_orders=tuple(_foreign(broker.open_orders(), [before for before, _ in rehearsal.orders.values()])),
        sleeve_cash=sum((sleeve.cash for sleeve in sleeves.values()), ZERO),
        account_cash=broker.account().cash,
        next_run=tuple(_next_run(rehearsal, quarantines)),
        drift=rehearsal.found.drift,
        quarantines=rehearsal.quarantines,
        failure=rehearsal.failure,
        halt=ledger.halt(),
        run_under_way=lease.holder if lease else "",
    )


def _order_differences(rehearsal: Rehearsal) -> Iterator[OrderDifference]:
    for client_order_id, (before, after) in rehearsal.orders.items():
        if _standing(before) != _standing(after):
            there = "never booked it" if after.status is OrderStatus.DROPPED else _standing(after)
            yield OrderDifference(client_order_id, before.symbol, _standing(before), there)


def _standing(order: Order) -> str:
    parts = [
        (order.status, order.filled_qty, ""),
        *((leg.status, leg.filled_qty, leg.kind.value) for leg in order.legs),
    ]
    return ", ".join(
        f"{kind} {status.lower()} {shares(filled)}".strip().replace("_", " ") for status, filled, kind in parts
    )


def _position_differences(
    sleeves: Mapping[str, Sleeve], held: Mapping[str, BrokerPosition], after: Mapping[str, Sleeve]
) -> Iterator[PositionDifference]:
    ours, then = owned_shares(sleeves), owned_shares(after)
    for symbol in sorted(ours.keys() | held.keys() | then.keys()):
        theirs = held[symbol].qty if symbol in held else ZERO
        if ours.get(symbol, ZERO) != theirs or then.get(symbol, ZERO) != theirs:
            yield PositionDifference(symbol, ours.get(symbol, ZERO), theirs, then.get(symbol, ZERO))


def _foreign(at_broker: Sequence[BrokerOrder], ours: Sequence[Order]) -> Iterator[str]:
    """Open orders at the broker of which the ledger follows neither the order nor a leg."""
    known = {order.client_order_id for order in ours}
    known |= {broker_id for order in ours for broker_id in _broker_ids(order)}
    for order in at_broker:
        parts = (order, *order.legs)
        if not known & {name for part in parts for name in (part.id, part.client_order_id)}:
            yield f"{order.side.value} {shares(order.qty)} {order.symbol} ({order.client_order_id or order.id})"


def _broker_ids(order: Order) -> set[str]:
    return {order.broker_order_id, *(leg.broker_order_id for leg in order.legs)} - {""}


def _next_run(rehearsal: Rehearsal, quarantines: Sequence[Quarantine]) -> Iterator[str]:
    """What the next run does about the differences, in the order in which it does it."""
    found = rehearsal.found
    yield from _bookings(found)
    for client_order_id in found.adopted:
        yield f"gives up {client_order_id}, which was planned and never sent"
    for broker_id in rehearsal.cancelled:
        yield f"cancels the broker's order {broker_id}"
    for symbol, qty in found.unmanaged:
        yield f"leaves {shares(qty)} {symbol} alone: they belong to no strategy"
    if rehearsal.failure:
        yield f"fails with {rehearsal.failure}"
    for broken in rehearsal.quarantines:
        if broken not in quarantines:
            yield f"quarantines {broken.name}, because {broken.reason} ({broken.evidence})"


def _bookings(found: Reconciliation) -> Iterator[str]:
    for fill in found.booked:
        what = f"{fill.side.value} {shares(fill.qty)} {fill.symbol} for {money(fill.value)} USD"
        yield f"books {what} to {fill.strategy} ({fill.leg.value.replace('_', ' ')} of {fill.client_order_id})"
    for booked in found.record.exchanges:
        came = [f"{shares(qty)} {symbol}" for symbol, qty in booked.after] + (
            [f"{money(booked.cash)} USD"] if booked.cash else []
        )
        what = booked.kind.replace("_", " ")
        yield f"books a {what} of {shares(booked.before)} {booked.symbol}: {' and '.join(came)}"
    for paid in found.record.cash:
        yield f"books {money(paid.amount)} USD: {paid.kind} {paid.symbol}"


def books_tables(found: Books) -> Iterator[Table | str]:
    """The view for people."""
    if found.run_under_way:
        yield f"[yellow]{escape(found.run_under_way)} is trading now: what differs may be on its way into the books.[/]"
    if found.halt:
        yield halt_line(found.halt)
    yield from _differences(found)
    nobodys = found.account_cash - found.sleeve_cash
    yield (
        f"Cash of the strategies {money(found.sleeve_cash)} USD, of the account {money(found.account_cash)}; "
        f"{money(nobodys)} belong to no strategy."
    )
    yield from _broken(found)
    if found.next_run:
        yield "[bold]The next run[/]\n" + "\n".join(f"  {escape(line)}" for line in found.next_run)
    if found.exit is Exit.OK:
        yield "[green]The books agree.[/]" if not found.next_run else "[green]Then the books agree.[/]"


def _broken(found: Books) -> Iterator[Table | str]:
    if found.quarantines:
        table = grid("[red]Not traded until a person has repaired it[/]", "Symbol or sleeve", "Since", "Why", "Figures")
        for broken in found.quarantines:
            since = f"{broken.since.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"
            table.add_row(escape(broken.name), since, escape(broken.reason), escape(broken.evidence))
        yield table
    if found.exit is Exit.BOOKS_DISAGREE:
        yield "To repair: openbell reconcile --repair --reason '...'; see docs/runbook.md, 'Quarantine'"


def _differences(found: Books) -> Iterator[Table]:
    if found.orders:
        table = grid("Orders that differ: status and shares filled", "Order", "Symbol", "Ledger", "Broker")
        for order in found.orders:
            table.add_row(escape(order.client_order_id), escape(order.symbol), escape(order.ledger), order.broker)
        yield table
    if found.foreign_orders:
        table = grid("Open at the broker, and not the ledger's", "Order")
        for told in found.foreign_orders:
            table.add_row(escape(told))
        yield table
    if found.positions:
        table = grid("Shares that differ", "Symbol", ">Ledger", ">Broker", ">Ledger after the next run")
        for line in found.positions:
            table.add_row(escape(line.symbol), *(shares(qty) for qty in (line.ledger, line.broker, line.after)))
        yield table
    if found.drift:
        yield drift_table(found.drift)
