"""Everything that the promises are judged by, read once when the dust has settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from openbell.events import DomainEvent
from openbell.model import AccountLine, Cross, Lease, Order, Quarantine, Run, Sleeve
from openbell.ports import Ledger
from openbell.recovery import Recovered
from paper import PaperExchange
from tests.chaos.outside import Record


@dataclass(frozen=True)
class Evidence:
    """The ledger's side, the exchange's, and what a person was told."""

    exchange: PaperExchange
    unmanaged: Mapping[str, Decimal]  # shares by symbol that were bought by hand
    quarantines: Sequence[Quarantine]
    runs: Sequence[Run]
    orders: Mapping[str, Order]  # by client_order_id
    open_orders: Sequence[Order]
    sleeves: Mapping[str, Sleeve]
    granted: Mapping[str, Decimal]  # USD that each sleeve was opened with
    lowest: Mapping[str, Decimal]  # USD of cash that each sleeve had at its poorest
    crosses: Sequence[Cross]
    line: AccountLine | None
    lease: Lease | None
    outbox: Sequence[DomainEvent]
    alerts: Sequence[tuple[str, str]]
    executions: Mapping[str, str]  # status by name
    reports: frozenset[str]  # keys in the archive
    recovered: Recovered | None = None  # what archive and broker make of a ledger that is lost now; None: nobody tried
    published: frozenset[str] | None = None  # ids of events; None where nobody counts them
    record: Record = field(default_factory=Record)


@dataclass(frozen=True)
class Told:
    """What the ledger says, whichever it is."""

    runs: Sequence[Run]
    orders: Mapping[str, Order]
    open_orders: Sequence[Order]
    sleeves: Mapping[str, Sleeve]
    line: AccountLine | None
    lease: Lease | None
    outbox: Sequence[DomainEvent]
    quarantines: Sequence[Quarantine]


def ask(ledger: Ledger) -> Told:
    """All of it."""
    runs = ledger.runs(1000)
    orders = {order.client_order_id: order for run in runs for order in ledger.orders(run.run_id)}
    return Told(
        runs,
        orders,
        ledger.open_orders(),
        ledger.sleeves(),
        ledger.account_line(),
        ledger.lease(),
        ledger.outbox(),
        ledger.quarantines(),
    )
