"""The platform at a glance: may it trade, does it, and what came of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rich.markup import escape
from rich.table import Table

from cli.exits import Exit, worst
from cli.formats import count, money, signed_money, signed_percent
from cli.grid import grid, moment
from cli.views.broker_side import BrokerSide
from cli.views.orders import orders_table
from cli.views.runs import runs_table
from openbell.decision import unrealised_pnl
from openbell.model import Account, Halt, Lease, MarketClock, Order, Run, RunStatus, Sleeve
from openbell.ports import Ledger

_RUNS, _LOOKED_THROUGH = 5, 50  # newest runs: shown, and searched for the last one that was not skipped


@dataclass(frozen=True)
class LeaseLine:
    """Who may trade, and how the execution of that name stands (empty: not known to Step Functions)."""

    lease: Lease
    execution_status: str


@dataclass(frozen=True)
class SleeveLine:
    """One strategy's sub-account in USD, at the broker's prices; at cost while the broker does not answer."""

    strategy: str
    cash: Decimal
    equity: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    positions: int
    version: int  # of the sleeve in the ledger: a correction by hand is conditional on it


@dataclass(frozen=True)
class Status:
    """Everything that a person asks first."""

    halt: Halt | None
    lease: LeaseLine | None
    account: Account | None
    clock: MarketClock | None
    broker_error: str
    runs: tuple[Run, ...]
    open_orders: tuple[Order, ...]
    sleeves: tuple[SleeveLine, ...]

    @property
    def exit(self) -> Exit:
        """FAILED if the last run failed or the broker does not answer, else SKIPPED while trading is halted."""
        last = next((run for run in self.runs if run.status is not RunStatus.SKIPPED), None)
        failed = self.broker_error or (last and last.status is RunStatus.FAILED)
        return worst({Exit.FAILED if failed else Exit.OK, Exit.SKIPPED if self.halt else Exit.OK})


def read_status(ledger: Ledger, side: BrokerSide, execution_status: Callable[[str], str]) -> Status:
    """The status now; `execution_status` knows how an execution of the workflow stands."""
    lease = ledger.lease()
    return Status(
        halt=ledger.halt(),
        lease=LeaseLine(lease, execution_status(lease.holder)) if lease else None,
        account=side.account,
        clock=side.clock,
        broker_error=side.error,
        runs=_last_runs(ledger.runs(_LOOKED_THROUGH)),
        open_orders=tuple(ledger.open_orders()),
        sleeves=tuple(_line(sleeve, side.prices) for _, sleeve in sorted(ledger.sleeves().items())),
    )


def _last_runs(newest: list[Run]) -> tuple[Run, ...]:
    """The newest runs, and the last one that was not skipped, although many may have been skipped since."""
    done = [run for run in newest[_RUNS:] if run.status is not RunStatus.SKIPPED]
    seen = any(run.status is not RunStatus.SKIPPED for run in newest[:_RUNS])
    return tuple(newest[:_RUNS] if seen else newest[:_RUNS] + done[:1])


def _line(sleeve: Sleeve, prices: dict[str, Decimal]) -> SleeveLine:
    equity, gain = sleeve.equity(prices), unrealised_pnl(sleeve, prices)
    held = len(sleeve.positions)
    return SleeveLine(sleeve.strategy, sleeve.cash, equity, sleeve.realised_pnl, gain, held, sleeve.version)


def status_tables(found: Status) -> Iterator[Table | str]:
    """The view for people."""
    yield "\n".join((halt_line(found.halt), _lease_line(found), _market_line(found), _account_line(found)))
    yield runs_table(found.runs, "Last runs") if found.runs else "No run yet."
    if found.open_orders:
        yield orders_table(found.open_orders, "Open orders", why=False)
    if found.sleeves:
        yield _sleeves(found)


def halt_line(halt: Halt | None) -> str:
    """Whether trading is halted, why, and what to do about it."""
    if halt is None:
        return "Trading   [green]on[/]"
    wish = "; the next run sells what the strategies hold" if halt.flatten else ""
    since = f"since {_exactly(halt.at)} by {halt.by}: {halt.reason}"
    return f"Trading   [bold red]halted[/] {escape(since)}{wish}. `openbell resume` ends it."


def _exactly(at: datetime) -> str:
    return f"{moment(at)} New York"


def _lease_line(found: Status) -> str:
    if found.lease is None:
        return "Lease     free: no run is under way"
    lease, status = found.lease.lease, found.lease.execution_status
    expired = found.clock is not None and lease.expires_at <= found.clock.now
    until = f"{'expired' if expired else 'until'} {_exactly(lease.expires_at)}"
    state = f"its execution is {status}" if status else "Step Functions knows no such execution"
    return f"Lease     held by {escape(lease.holder)}, {until}, fencing number {lease.fence}; {state}"


def _market_line(found: Status) -> str:
    if found.clock is None:
        return f"Broker    [red]no answer:[/] {escape(found.broker_error)}"
    clock = found.clock
    hours = f"open until {_exactly(clock.next_close)}" if clock.is_open else f"closed until {_exactly(clock.next_open)}"
    return f"Market    {_exactly(clock.now)}, {hours}"


def _account_line(found: Status) -> str:
    if found.account is None:
        return "Account   not known"
    account = found.account
    gain = account.equity - account.last_equity
    change = signed_percent(gain / account.last_equity, 2) if account.last_equity else ""
    blocked = f" [red]may not trade: {escape(account.blocked)}[/]" if account.blocked else ""
    return (
        f"Account   equity {money(account.equity)} USD ({signed_money(gain)}, {change} since yesterday), "
        f"cash {money(account.cash)}, buying power {money(account.buying_power)}{blocked}"
    )


def _sleeves(found: Status) -> Table:
    at_cost = " at cost, because the broker does not answer" if found.account is None else ""
    table = grid(f"Sleeves, USD{at_cost}", "Strategy", ">Equity", ">Cash", ">Unrealised", ">Realised", "Holds")
    for line in found.sleeves:
        gains = signed_money(line.unrealised_pnl), signed_money(line.realised_pnl)
        table.add_row(
            escape(line.strategy), money(line.equity), money(line.cash), *gains, count(line.positions, "symbol")
        )
    return table
