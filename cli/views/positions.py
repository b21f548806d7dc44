"""Positions by strategy, and what the broker holds beyond."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from rich.markup import escape
from rich.table import Table

from cli.exits import Exit
from cli.formats import money, shares, signed_money
from cli.grid import grid
from cli.views.broker_side import BrokerSide
from openbell.execution.reconciliation import Drift, compare
from openbell.model import Sleeve
from openbell.money import to_cents
from openbell.ports import Ledger

_PRICE = Decimal("0.0001")  # USD a share


@dataclass(frozen=True)
class Holding:
    """Shares of one symbol that a strategy owns, or nobody; USD. Without a price there is no value."""

    strategy: str  # empty: unmanaged
    symbol: str
    qty: Decimal
    average_cost: Decimal
    price: Decimal | None
    value: Decimal | None
    unrealised_pnl: Decimal | None


@dataclass(frozen=True)
class Positions:
    """What the strategies own. `unmanaged` and `drift` are None when the broker does not answer: then nobody knows."""

    holdings: tuple[Holding, ...]
    unmanaged: tuple[Holding, ...] | None
    drift: tuple[Drift, ...] | None
    broker_error: str = ""

    @property
    def exit(self) -> Exit:
        """What it means for the exit code."""
        if self.drift is None:
            return Exit.FAILED
        return Exit.BOOKS_DISAGREE if self.drift else Exit.OK


def read_positions(ledger: Ledger, side: BrokerSide) -> Positions:
    """The sleeves' positions beside the broker's."""
    sleeves = ledger.sleeves()
    holdings = tuple(holding for _, sleeve in sorted(sleeves.items()) for holding in _holdings(sleeve, side))
    if side.positions is None:
        return Positions(holdings, None, None, side.error)
    drift, beyond = compare(sleeves, side.positions)
    held = side.positions
    unmanaged = (
        _holding("", symbol, qty, qty * held[symbol].average_price, held[symbol].price) for symbol, qty in beyond
    )
    return Positions(holdings, tuple(unmanaged), drift)


def _holdings(sleeve: Sleeve, side: BrokerSide) -> Iterator[Holding]:
    for symbol, position in sorted(sleeve.positions.items()):
        yield _holding(sleeve.strategy, symbol, position.qty, position.cost, side.prices.get(symbol))


def _holding(strategy: str, symbol: str, qty: Decimal, cost: Decimal, price: Decimal | None) -> Holding:
    average = (cost / qty).quantize(_PRICE)
    if price is None:
        return Holding(strategy, symbol, qty, average, None, None, None)
    value = to_cents(qty * price)
    return Holding(strategy, symbol, qty, average, price, value, value - to_cents(cost))


def positions_tables(found: Positions) -> Iterator[Table | str]:
    """The view for people."""
    yield _table("Positions by strategy", found.holdings) if found.holdings else "No strategy holds anything."
    if found.unmanaged:
        yield _table("Unmanaged: of no strategy, never traded", found.unmanaged)
    if found.drift:
        yield drift_table(found.drift)
    if found.broker_error:
        yield f"[red]What the broker holds is not known.[/] {escape(found.broker_error)}"


def _table(title: str, holdings: tuple[Holding, ...]) -> Table:
    table = grid(title, "Strategy", "Symbol", ">Shares", ">Cost, USD", ">Price, USD", ">Value, USD", ">P&L, USD")
    for holding in holdings:
        table.add_row(
            escape(holding.strategy) or "nobody",
            escape(holding.symbol),
            shares(holding.qty),
            money(holding.average_cost),
            money(holding.price),
            money(holding.value),
            signed_money(holding.unrealised_pnl),
        )
    return table


def drift_table(drift: tuple[Drift, ...]) -> Table:
    """Symbols of which the strategies own more than the broker holds."""
    table = grid("[red]Drift[/]", "Symbol", ">The strategies own", ">The broker holds")
    for found in drift:
        table.add_row(escape(found.symbol), shares(found.ledger), shares(found.broker))
    return table
