"""What a lost or stale ledger lacks, beside what archive and broker make of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from cli.formats import count, money, shares
from cli.grid import grid
from openbell.model import Sleeve
from openbell.recovery import Recovery

_NOT_RECOVERED = (
    "Not in the archive, and not recovered: skipped runs, forecasts and their record, quarantines (the next run finds "
    "them again), and a halt or a repair later than the newest books."
)


@dataclass(frozen=True)
class SleeveDifference:
    """One figure of a sleeve, in the ledger and recovered; empty where there is none. USD, or shares and their cost."""

    strategy: str
    what: str
    ledger: str
    recovered: str


@dataclass(frozen=True)
class Recovered:
    """The view. Orders and runs are counted: those that the ledger lacks, or has otherwise."""

    behind: bool  # the ledger has forgotten runs: OpenRun trades nothing
    sleeves: tuple[SleeveDifference, ...]
    orders: tuple[str, ...]  # client_order_ids
    open_orders: int  # that can still change, of all that were recovered
    runs: tuple[str, ...]
    booked: tuple[str, ...]  # fills since the newest books
    unsure: tuple[str, ...]
    not_recovered: str = _NOT_RECOVERED
    written: bool = False

    @property
    def needed(self) -> bool:
        """Whether there is anything to write."""
        return self.behind or bool(self.sleeves or self.orders or self.runs)


def read_recovered(found: Recovery) -> Recovered:
    """The view of a look."""
    recovered, changes = found.recovered, found.changes
    return Recovered(
        behind=found.behind,
        sleeves=tuple(_differences(found.before, changes.sleeves)),
        orders=tuple(order.client_order_id for order in changes.orders),
        open_orders=sum(order.open for order in recovered.orders.values()),
        runs=tuple(run.run_id for run in changes.runs),
        booked=tuple(
            f"{fill.side.value} {shares(fill.qty)} {fill.symbol} for {money(fill.value)} USD, {fill.strategy}"
            for fill in recovered.booked
        ),
        unsure=recovered.unsure,
    )


def _differences(before: Mapping[str, Sleeve], after: tuple[Sleeve, ...]) -> Iterator[SleeveDifference]:
    for sleeve in after:
        ours, theirs = _figures(before.get(sleeve.strategy)), _figures(sleeve)
        for what in dict.fromkeys((*theirs, *ours)):
            if ours.get(what) != theirs.get(what):
                yield SleeveDifference(sleeve.strategy, what, ours.get(what, ""), theirs.get(what, ""))


def _figures(sleeve: Sleeve | None) -> dict[str, str]:
    if sleeve is None:
        return {}
    held = {
        symbol: f"{shares(position.qty)} for {money(position.cost)}"
        for symbol, position in sorted(sleeve.positions.items())
    }
    day = {"last rebalance": f"{sleeve.last_rebalance}"} if sleeve.last_rebalance else {}
    return {"cash": money(sleeve.cash), "realised P&L": money(sleeve.realised_pnl)} | day | held


def recovered_tables(found: Recovered) -> Iterator[Table | str]:
    """The view for people."""
    if found.behind:
        yield "[bold red]The ledger was lost, or restored as it was earlier: it has forgotten runs.[/]"
    if found.sleeves:
        table = grid("Sleeves, USD", "Strategy", "What", ">Ledger", ">Recovered")
        for line in found.sleeves:
            table.add_row(escape(line.strategy), escape(line.what), line.ledger, line.recovered)
        yield table
    if found.booked:
        yield "[bold]Filled since the newest books, and booked[/]\n" + _lines(found.booked)
    if found.unsure:
        yield "[bold yellow]Unsure: look at these before you resume[/]\n" + _lines(found.unsure)
    if not found.needed:
        yield "[green]The ledger lacks nothing that the archive and the broker know.[/]"
        return
    yield (
        f"To be written: {count(len(found.runs), 'run')}, {count(len(found.orders), 'order')}; of all orders "
        f"{found.open_orders} can still change."
    )
    yield f"[dim]{found.not_recovered}[/]"


def _lines(told: tuple[str, ...]) -> str:
    return "\n".join(f"  {escape(line)}" for line in told)
