"""The ledger in memory: the same promises within one process, for backtests and tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from openbell.accuracy import Tally
from openbell.errors import LeaseLost, StoreUnavailable
from openbell.events import DomainEvent, halted, order_events, resumed, run_events
from openbell.forecasts import Forecast
from openbell.model import (
    AccountLine,
    Cross,
    Halt,
    Lease,
    Order,
    Quarantine,
    QuarantineKind,
    Repair,
    Run,
    RunStatus,
    Sleeve,
    UnsentAlert,
)


@dataclass
class MemoryLedger:
    """`openbell.ports.Ledger` in dictionaries."""

    _ticks: dict[str, str] = field(default_factory=dict)
    _lease: Lease | None = None
    _halt: Halt | None = None
    _quarantines: dict[tuple[QuarantineKind, str], Quarantine] = field(default_factory=dict)
    _repairs: dict[tuple[datetime, QuarantineKind, str], Repair] = field(default_factory=dict)
    _alerts: dict[str, UnsentAlert] = field(default_factory=dict)  # by id
    _runs: dict[str, Run] = field(default_factory=dict)
    _executions: dict[str, str] = field(default_factory=dict)
    _sleeves: dict[str, Sleeve] = field(default_factory=dict)
    _line: AccountLine | None = None
    _orders: dict[str, dict[str, Order]] = field(default_factory=dict)  # by run
    crosses: dict[str, tuple[Cross, ...]] = field(default_factory=dict)  # by run
    _open: dict[str, str] = field(default_factory=dict)  # run by client_order_id
    _outbox: dict[str, DomainEvent] = field(default_factory=dict)  # by id
    _accuracy: dict[str, dict[date, dict[int, Tally]]] = field(default_factory=dict)
    _forecasts: dict[tuple[str, str], dict[str, Forecast | str]] = field(default_factory=dict)

    def claim_tick(self, tick: str, execution: str) -> bool:
        """See Ledger."""
        return self._ticks.setdefault(tick, execution) == execution

    def acquire_lease(self, holder: str, now: datetime, seconds: int, above: int = 0) -> Lease | None:
        """See Ledger."""
        held = self._lease
        if held and held.holder == holder:
            return held
        if held and held.holder and held.expires_at > now:
            return None
        self._lease = Lease(holder, max(self.fence(), above) + 1, now + timedelta(seconds=seconds))
        return self._lease

    def lease(self) -> Lease | None:
        """See Ledger."""
        return self._lease if self._lease and self._lease.holder else None

    def check_lease(self, lease: Lease) -> None:
        """See Ledger."""
        found = self.lease()
        if found is None or found.fence != lease.fence:
            raise LeaseLost(f"lease {lease.fence} of {lease.holder} is no longer the newest, or was given back")

    def fence(self) -> int:
        """See Ledger."""
        return self._lease.fence if self._lease else 0

    def release_lease(self, lease: Lease) -> None:
        """See Ledger."""
        if self._lease and self._lease.fence == lease.fence:
            self._lease = replace(self._lease, holder="")

    def halt(self) -> Halt | None:
        """See Ledger."""
        return self._halt

    def set_halt(self, halt: Halt) -> None:
        """See Ledger."""
        earlier = self._halt
        if earlier and (earlier.flatten or not halt.flatten):
            return
        self._halt = replace(earlier, flatten=True) if earlier else halt
        self._announce([halted(self._halt)])

    def clear_halt(self) -> None:
        """See Ledger."""
        if self._halt:
            self._announce([resumed(self._halt)])
        self._halt = None

    def quarantines(self) -> list[Quarantine]:
        """See Ledger."""
        return sorted(self._quarantines.values(), key=lambda found: (found.since, found.kind, found.name))

    def quarantine(self, found: Quarantine, alert: UnsentAlert, lease: Lease) -> None:
        """See Ledger."""
        self.check_lease(lease)
        if (found.kind, found.name) not in self._quarantines:
            self._quarantines[found.kind, found.name] = found
            self.keep_alert(alert)

    def lift_quarantine(self, done: Repair, lease: Lease) -> None:
        """See Ledger."""
        self.check_lease(lease)
        self._quarantines.pop((done.quarantine.kind, done.quarantine.name), None)
        self._repairs[done.at, done.quarantine.kind, done.quarantine.name] = done

    def repairs(self) -> list[Repair]:
        """See Ledger."""
        return [done for _, done in sorted(self._repairs.items())]

    def unsent_alerts(self) -> list[UnsentAlert]:
        """See Ledger."""
        return [alert for _, alert in sorted(self._alerts.items())]

    def keep_alert(self, alert: UnsentAlert) -> None:
        """See Ledger."""
        self._alerts[alert.id] = alert

    def forget_alert(self, alert: UnsentAlert) -> None:
        """See Ledger."""
        self._alerts.pop(alert.id, None)

    def start_run(self, run: Run, lease: Lease | None) -> None:
        """See Ledger."""
        if lease:
            self.check_lease(lease)
        known = self.run_of(run.execution)
        same = known and (known.run_id, known.as_of) == (run.run_id, run.as_of)
        if known and known != run and not (same and known.status is RunStatus.RUNNING):
            raise StoreUnavailable("the ledger was changed by another writer in between: read again")
        self._runs[run.run_id] = run
        self._executions[run.execution] = run.run_id
        self._announce(run_events(run))

    def finish_run(self, run: Run, found: Sequence[DomainEvent] = ()) -> None:
        """See Ledger."""
        self._runs[run.run_id] = run
        self._announce([*run_events(run), *found])

    def run(self, run_id: str) -> Run | None:
        """See Ledger."""
        return self._runs.get(run_id)

    def run_of(self, execution: str) -> Run | None:
        """See Ledger."""
        return self._runs.get(self._executions.get(execution, ""))

    def runs(self, limit: int = 50, *, skipped: bool = True) -> list[Run]:
        """See Ledger."""
        found = [run for run in self._runs.values() if skipped or run.status is not RunStatus.SKIPPED]
        return sorted(found, key=lambda run: (run.as_of, run.run_id), reverse=True)[:limit]

    def sleeves(self) -> dict[str, Sleeve]:
        """See Ledger."""
        return dict(self._sleeves)

    def open_sleeve(self, sleeve: Sleeve, lease: Lease) -> None:
        """See Ledger."""
        self.check_lease(lease)
        if sleeve.strategy not in self._sleeves:
            self._sleeves[sleeve.strategy] = sleeve
            if self._line:
                self._line = replace(self._line, cash=self._line.cash - sleeve.cash, version=self._line.version + 1)

    def account_line(self) -> AccountLine | None:
        """See Ledger."""
        return self._line

    def save_account(
        self, line: AccountLine, lease: Lease, sleeves: Sequence[Sleeve] = (), orders: Sequence[Order] = ()
    ) -> None:
        """See Ledger."""
        self.check_lease(lease)
        known = [self.order(order.run_id, order.client_order_id) for order in orders]
        changed = [order for order, before in zip(orders, known, strict=True) if not _same_version(order, before)]
        if line.version != (self._line.version if self._line else 0) or changed:
            raise StoreUnavailable("the ledger was changed by another writer in between: read again")
        self._check_sleeves(sleeves)
        self._line = replace(line, version=line.version + 1)
        self._write_sleeves(sleeves)
        for order in orders:
            self._orders[order.run_id][order.client_order_id] = replace(order, version=order.version + 1)

    def save_sleeves(self, sleeves: Sequence[Sleeve], lease: Lease) -> None:
        """See Ledger."""
        self.check_lease(lease)
        self._check_sleeves(sleeves)
        self._write_sleeves(sleeves)

    def rearrange_sleeves(
        self,
        changed: Sequence[Sleeve],
        opened: Sequence[Sleeve],
        removed: Sequence[Sleeve],
        orders: Sequence[Order],
        lease: Lease,
    ) -> None:
        """See Ledger."""
        self.check_lease(lease)
        self._check_sleeves([*changed, *removed])
        known = [self.order(order.run_id, order.client_order_id) for order in orders]
        same = all(now and now.version == order.version for now, order in zip(known, orders, strict=True))
        if not same or any(sleeve.strategy in self._sleeves for sleeve in opened):
            raise StoreUnavailable("the ledger was changed by another writer in between: read again")
        before = sum((sleeve.cash for sleeve in self._sleeves.values()), Decimal(0))
        for sleeve in removed:
            del self._sleeves[sleeve.strategy]
        self._write_sleeves(changed)
        self._sleeves |= {sleeve.strategy: sleeve for sleeve in opened}
        freed = before - sum((sleeve.cash for sleeve in self._sleeves.values()), Decimal(0))
        if self._line and freed:
            self._line = replace(self._line, cash=self._line.cash + freed, version=self._line.version + 1)
        for order in orders:
            self._orders[order.run_id][order.client_order_id] = replace(order, version=order.version + 1)

    def save_plan(
        self, run_id: str, orders: Sequence[Order], sleeves: Sequence[Sleeve], crosses: Sequence[Cross], lease: Lease
    ) -> None:
        """See Ledger."""
        if self.plan_sealed(run_id):
            return
        self.check_lease(lease)
        self._check_sleeves(sleeves)
        self._orders.setdefault(run_id, {}).update({order.client_order_id: order for order in orders})
        self.crosses[run_id] = tuple(crosses)
        self._open |= {order.client_order_id: run_id for order in orders}
        self._write_sleeves(sleeves)

    def plan_sealed(self, run_id: str) -> bool:
        """See Ledger."""
        return run_id in self.crosses

    def order(self, run_id: str, client_order_id: str) -> Order | None:
        """See Ledger."""
        return self._orders.get(run_id, {}).get(client_order_id)

    def orders(self, run_id: str) -> list[Order]:
        """See Ledger."""
        return [order for _, order in sorted(self._orders.get(run_id, {}).items())]

    def open_orders(self) -> list[Order]:
        """See Ledger."""
        return [self._orders[run_id][client_order_id] for client_order_id, run_id in sorted(self._open.items())]

    def add_order(self, order: Order, lease: Lease) -> None:
        """See Ledger."""
        self.check_lease(lease)
        if self.order(order.run_id, order.client_order_id) is None:
            self._orders.setdefault(order.run_id, {})[order.client_order_id] = order
            self._open[order.client_order_id] = order.run_id

    def save_order(self, order: Order, lease: Lease, sleeves: Sequence[Sleeve] = ()) -> Order:
        """See Ledger."""
        self.check_lease(lease)
        known = self.order(order.run_id, order.client_order_id)
        if known is None or known.version != order.version:
            raise StoreUnavailable("the ledger was changed by another writer in between: read again")
        self._check_sleeves(sleeves)
        saved = replace(order, version=order.version + 1)
        self._orders[order.run_id][order.client_order_id] = saved
        if saved.open:
            self._open[saved.client_order_id] = saved.run_id
        else:
            self._open.pop(saved.client_order_id, None)
        self._write_sleeves(sleeves)
        self._announce(order_events(known, saved))
        return saved

    def restore(
        self,
        runs: Sequence[Run],
        plans: Mapping[str, Sequence[Cross]],
        orders: Sequence[Order],
        sleeves: Sequence[Sleeve],
        lease: Lease,
    ) -> None:
        """See Ledger."""
        self.check_lease(lease)
        for run in runs:
            self._runs[run.run_id] = run
            self._executions[run.execution] = run.run_id
        for run_id, crosses in plans.items():
            self._orders.setdefault(run_id, {})
            self.crosses[run_id] = tuple(crosses)
        for order in orders:
            self._orders.setdefault(order.run_id, {})[order.client_order_id] = order
            self._open.pop(order.client_order_id, None)
            if order.open:
                self._open[order.client_order_id] = order.run_id
        self._sleeves |= {sleeve.strategy: sleeve for sleeve in sleeves}

    def save_forecasts(
        self, run_id: str, spec: str, forecasts: Sequence[Forecast], failures: Mapping[str, str]
    ) -> None:
        """See Ledger."""
        kept = self._forecasts.setdefault((run_id, spec), {})
        kept.update({forecast.symbol: forecast for forecast in forecasts})
        kept.update(failures)

    def forecasts(self, run_id: str, spec: str) -> dict[str, Forecast]:
        """See Ledger."""
        kept = self._forecasts.get((run_id, spec), {})
        return {symbol: found for symbol, found in kept.items() if isinstance(found, Forecast)}

    def forecast_failures(self, run_id: str, spec: str) -> dict[str, str]:
        """See Ledger."""
        kept = self._forecasts.get((run_id, spec), {})
        return {symbol: found for symbol, found in kept.items() if isinstance(found, str)}

    def save_accuracy(self, strategy: str, session: date, tallies: Mapping[int, Tally]) -> None:
        """See Ledger."""
        self._accuracy.setdefault(strategy, {})[session] = dict(tallies)

    def accuracy(self, strategy: str, since: date) -> dict[date, dict[int, Tally]]:
        """See Ledger."""
        record = sorted(self._accuracy.get(strategy, {}).items())
        return {session: dict(tallies) for session, tallies in record if session >= since}

    def outbox(self) -> list[DomainEvent]:
        """See Ledger."""
        return [event for _, event in sorted(self._outbox.items())]

    def forget_events(self, events: Sequence[DomainEvent]) -> None:
        """See Ledger."""
        for event in events:
            self._outbox.pop(event.id, None)

    def _announce(self, events: Sequence[DomainEvent]) -> None:
        self._outbox |= {event.id: event for event in events}

    def _check_sleeves(self, sleeves: Sequence[Sleeve]) -> None:
        for sleeve in sleeves:
            known = self._sleeves.get(sleeve.strategy)
            if known is None or known.version != sleeve.version:
                raise StoreUnavailable("the ledger was changed by another writer in between: read again")

    def _write_sleeves(self, sleeves: Sequence[Sleeve]) -> None:
        self._sleeves |= {sleeve.strategy: replace(sleeve, version=sleeve.version + 1) for sleeve in sleeves}


def _same_version(order: Order, known: Order | None) -> bool:
    return known is not None and known.version == order.version
