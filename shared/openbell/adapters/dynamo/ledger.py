"""The ledger in one DynamoDB table: strongly consistent reads, conditional transactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import batched, islice
from uuid import uuid4

from openbell.accuracy import Tally
from openbell.adapters.dynamo import items, writes
from openbell.adapters.dynamo.forecasts import ForecastTable
from openbell.adapters.dynamo.table import ACTIONS, NEW, READS, ConditionFailed
from openbell.adapters.dynamo.writes import Action
from openbell.codec import to_plain
from openbell.errors import InvalidInput, LeaseLost, StoreUnavailable
from openbell.events import DomainEvent, halted, order_events, resumed, tells
from openbell.model import (
    AccountLine,
    Cross,
    Halt,
    Lease,
    Order,
    Quarantine,
    Repair,
    Run,
    RunStatus,
    Sleeve,
    UnsentAlert,
)

_LONG_PAGE = 300  # runs, of which most were skipped: a dozen sessions


@dataclass(frozen=True)
class _Record:
    by_horizon: dict[int, Tally]


class DynamoLedger(ForecastTable):
    """`openbell.ports.Ledger` over a boto3 DynamoDB client. Errors as Table tells them, besides those of the port.

    Runs with their ended orders and forecasts, and accuracy, are forgotten after `keep_days`; never what still counts:
    sleeves, open orders, lease, halt.
    """

    # Who may trade.

    def claim_tick(self, tick: str, execution: str) -> bool:
        """See Ledger."""
        item = items.item_with(items.tick_key(tick), execution=execution) | items.forgotten()
        try:
            self._put(item, "attribute_not_exists(pk) OR execution = :execution", {":execution": execution})
        except ConditionFailed:
            return False
        return True

    def acquire_lease(self, holder: str, now: datetime, seconds: int, above: int = 0) -> Lease | None:
        """See Ledger."""
        item = self._get(items.LEASE)
        held = writes.lease_in(item) if item else None
        if held and held.holder == holder:
            return held
        if held and held.holder and held.expires_at > now:
            return None
        lease = Lease(holder, max(held.fence if held else 0, above) + 1, now + timedelta(seconds=seconds))
        condition, values = ("fence = :fence", {":fence": held.fence}) if held else ("attribute_not_exists(pk)", {})
        try:
            self._put(writes.lease_item(lease), condition, values)
        except ConditionFailed:  # somebody was faster: another execution, or another attempt of this one
            found = self.lease()
            return found if found and found.holder == holder else None
        return lease

    def check_lease(self, lease: Lease) -> None:
        """See Ledger."""
        found = self.lease()
        if found is None or found.fence != lease.fence:
            raise _lost(lease)

    def lease(self) -> Lease | None:
        """See Ledger."""
        item = self._get(items.LEASE)
        lease = writes.lease_in(item) if item else None
        return lease if lease and lease.holder else None

    def fence(self) -> int:
        """See Ledger."""
        item = self._get(items.LEASE)
        return int(item["fence"]["N"]) if item else 0

    def release_lease(self, lease: Lease) -> None:
        """See Ledger. The fencing number stays: it only ever grows."""
        try:
            self._put(writes.lease_item(replace(lease, holder="")), "fence = :fence", {":fence": lease.fence})
        except ConditionFailed:
            return

    def halt(self) -> Halt | None:
        """See Ledger."""
        item = self._get(items.HALT)
        return items.value_of(Halt, item) if item else None

    def set_halt(self, halt: Halt) -> None:
        """See Ledger."""
        earlier = self.halt()
        if earlier and (earlier.flatten or not halt.flatten):
            return
        # Nothing is asked of an earlier halt: if somebody resumes in between, the one that is asked for here wins.
        wanted, asked = (replace(earlier, flatten=True), {}) if earlier else (halt, NEW)
        put = {"Put": {"Item": items.item_of(items.HALT, wanted)} | asked}
        try:
            self._transact([put, *writes.event_puts([halted(wanted)])], None)
        except StoreUnavailable:
            if self.halt() is None:
                raise
            self.set_halt(halt)  # another one was faster

    def clear_halt(self) -> None:
        """See Ledger."""
        halt = self.halt()
        if halt is None:
            return
        delete = {"Delete": {"Key": items.key_of(items.HALT), "ConditionExpression": "attribute_exists(pk)"}}
        try:
            self._transact([delete, *writes.event_puts([resumed(halt)])], None)
        except StoreUnavailable:
            if self.halt():
                raise

    # What is broken, and who has to hear of it.

    def quarantines(self) -> list[Quarantine]:
        """See Ledger."""
        found = [items.value_of(Quarantine, item) for item in self._query(*items.QUARANTINES)]
        return sorted(found, key=lambda each: (each.since, each.kind, each.name))

    def quarantine(self, found: Quarantine, alert: UnsentAlert, lease: Lease) -> None:
        """See Ledger."""
        key = items.quarantine_key(found)
        put = {"Put": {"Item": items.item_of(key, found)} | NEW}
        try:
            self._transact([put, {"Put": {"Item": items.item_of(items.alert_key(alert), alert)}}], lease)
        except StoreUnavailable:
            if self._get(key) is None:
                raise

    def lift_quarantine(self, done: Repair, lease: Lease) -> None:
        """See Ledger."""
        record = {"Put": {"Item": items.item_of(items.repair_key(done), done)}}
        self._transact([{"Delete": {"Key": items.key_of(items.quarantine_key(done.quarantine))}}, record], lease)

    def repairs(self) -> list[Repair]:
        """See Ledger."""
        return [items.value_of(Repair, item) for item in self._query(items.REPAIRS)]

    def unsent_alerts(self) -> list[UnsentAlert]:
        """See Ledger."""
        return [items.value_of(UnsentAlert, item) for item in self._query(items.ALERTS)]

    def keep_alert(self, alert: UnsentAlert) -> None:
        """See Ledger."""
        self._put(items.item_of(items.alert_key(alert), alert))

    def forget_alert(self, alert: UnsentAlert) -> None:
        """See Ledger."""
        self._transact([{"Delete": {"Key": items.key_of(items.alert_key(alert))}}], None)

    # Runs.

    def start_run(self, run: Run, lease: Lease | None) -> None:
        """See Ledger."""
        put, *others = writes.run_puts(run, self._keep_days)
        try:
            self._transact([writes.unless_started(put), *others, writes.execution_put(run)], lease)
        except StoreUnavailable:
            if self.run(run.run_id) != run:
                raise

    def finish_run(self, run: Run, found: Sequence[DomainEvent] = ()) -> None:
        """See Ledger."""
        self._transact([*writes.run_puts(run, self._keep_days), *writes.event_puts(found)], None)

    def run(self, run_id: str) -> Run | None:
        """See Ledger."""
        item = self._get(items.run_key(run_id))
        return items.value_of(Run, item) if item else None

    def run_of(self, execution: str) -> Run | None:
        """See Ledger."""
        item = self._get(items.execution_key(execution))
        return self.run(item["run_id"]["S"]) if item else None

    def runs(self, limit: int = 50, *, skipped: bool = True) -> list[Run]:
        """See Ledger."""
        page = limit if skipped else max(limit, _LONG_PAGE)
        listed = (items.value_of(Run, item) for item in self._query("RUNS", ScanIndexForward=False, Limit=page))
        found = (run for run in listed if skipped or run.status is not RunStatus.SKIPPED)
        return list(islice(found, limit))

    # Sleeves.

    def sleeves(self) -> dict[str, Sleeve]:
        """See Ledger."""
        found = (items.value_of(Sleeve, item) for item in self._query("SLEEVE"))
        return {sleeve.strategy: sleeve for sleeve in found}

    def open_sleeve(self, sleeve: Sleeve, lease: Lease) -> None:
        """See Ledger."""
        key = items.sleeve_key(sleeve.strategy)
        line = self.account_line()
        taken = [writes.account_put(replace(line, cash=line.cash - sleeve.cash))] if line else []
        try:
            self._transact([{"Put": {"Item": items.item_of(key, sleeve)} | NEW}, *taken], lease)
        except StoreUnavailable:
            if self._get(key) is None:
                raise

    def account_line(self) -> AccountLine | None:
        """See Ledger."""
        item = self._get(items.ACCOUNT)
        return items.value_of(AccountLine, item) if item else None

    def save_account(
        self, line: AccountLine, lease: Lease, sleeves: Sequence[Sleeve] = (), orders: Sequence[Order] = ()
    ) -> None:
        """See Ledger."""
        actions = [writes.account_put(line), *(writes.sleeve_put(sleeve) for sleeve in sleeves)]
        actions += [writes.order_put(order, self._keep_days) for order in orders]
        self._transact(actions, lease)

    def save_sleeves(self, sleeves: Sequence[Sleeve], lease: Lease) -> None:
        """See Ledger."""
        self._transact([writes.sleeve_put(sleeve) for sleeve in sleeves], lease)

    def rearrange_sleeves(
        self,
        changed: Sequence[Sleeve],
        opened: Sequence[Sleeve],
        removed: Sequence[Sleeve],
        orders: Sequence[Order],
        lease: Lease,
    ) -> None:
        """See Ledger."""
        actions = [
            *(writes.sleeve_put(sleeve) for sleeve in changed),
            *({"Put": {"Item": items.item_of(items.sleeve_key(s.strategy), s)} | NEW} for s in opened),
            *(writes.sleeve_delete(sleeve) for sleeve in removed),
            *(writes.order_put(order, self._keep_days) for order in orders),
            *self._account_after(changed, opened, removed),
        ]
        if len(actions) >= ACTIONS:
            raise InvalidInput(
                f"{len(orders)} open orders would have to be written in one step; at most {ACTIONS - 4} can be: "
                "let some end first"
            )
        self._transact(actions, lease)

    def _account_after(
        self, changed: Sequence[Sleeve], opened: Sequence[Sleeve], removed: Sequence[Sleeve]
    ) -> list[Action]:
        """The account line with the cash that the sleeves give up; their versions are conditions of the same write."""
        line, sleeves = self.account_line(), self.sleeves()
        before = sum((sleeves[s.strategy].cash for s in (*changed, *removed) if s.strategy in sleeves), Decimal(0))
        freed = before - sum((sleeve.cash for sleeve in (*changed, *opened)), Decimal(0))
        return [writes.account_put(replace(line, cash=line.cash + freed))] if line and freed else []

    # The plan and its orders.

    def save_plan(
        self, run_id: str, orders: Sequence[Order], sleeves: Sequence[Sleeve], crosses: Sequence[Cross], lease: Lease
    ) -> None:
        """See Ledger. One transaction where it fits, else in chunks, of which the last one writes the seal.

        Chunks belong to a draft: whoever plans last takes it over, and each chunk is conditional on it. So no chunk of
        a slower attempt lands in the plan of another one, and none after the seal.
        """
        if self.plan_sealed(run_id):
            return
        attempt = uuid4().hex
        actions = [action for order in orders for action in writes.order_puts(order, self._keep_days)]
        room = writes.room_beside(sleeves, run_id)
        drafted = len(actions) > room or self._get(items.seal_key(run_id)) is not None
        seal = [
            *(writes.sleeve_put(sleeve) for sleeve in sleeves),
            writes.seal_put(run_id, orders, crosses, self._keep_days),
        ]
        seal[-1]["Put"] |= writes.draft_is(attempt) if drafted else NEW
        try:
            if drafted:
                actions += self._take_over(run_id, {order.client_order_id for order in orders}, attempt, lease)
                actions = self._write_chunks(run_id, actions, room, attempt, lease)
            self._transact([*actions, *seal], lease)
        except StoreUnavailable:
            if not self.plan_sealed(run_id):
                raise

    def _take_over(self, run_id: str, planned: set[str], attempt: str, lease: Lease) -> list[Action]:
        """Make the run's draft ours; gives what has to be removed of an earlier one."""
        draft = items.item_with(items.seal_key(run_id), draft=attempt)
        self._transact([{"Put": {"Item": draft, "ConditionExpression": "attribute_not_exists(orders)"}}], lease)
        return self._leftovers(run_id, planned)

    def _write_chunks(self, run_id: str, actions: list[Action], room: int, attempt: str, lease: Lease) -> list[Action]:
        """Write as much as does not fit beside the seal; gives the rest."""
        chunk = ACTIONS - 2  # one action checks the lease, one the draft; even: an order stays with its pointer
        check = {"ConditionCheck": {"Key": items.key_of(items.seal_key(run_id))} | writes.draft_is(attempt)}
        while len(actions) > room:
            self._transact([*actions[:chunk], check], lease)
            actions = actions[chunk:]
        return actions

    def _leftovers(self, run_id: str, planned: set[str]) -> list[Action]:
        """Removal of orders that an earlier attempt wrote without sealing them, and that are planned no more."""
        return [
            {"Delete": {"Key": items.key_of(key)}}
            for order in self.orders(run_id)
            if order.client_order_id not in planned and not order.protective
            for key in (items.order_key(run_id, order.client_order_id), items.open_key(order.client_order_id))
        ]

    def plan_sealed(self, run_id: str) -> bool:
        """See Ledger."""
        found = self._get(items.seal_key(run_id))
        return found is not None and writes.is_seal(found)

    def order(self, run_id: str, client_order_id: str) -> Order | None:
        """See Ledger."""
        item = self._get(items.order_key(run_id, client_order_id))
        return items.value_of(Order, item) if item else None

    def orders(self, run_id: str) -> list[Order]:
        """See Ledger."""
        pk, prefix = items.order_key(run_id, "")
        return [items.value_of(Order, item) for item in self._query(pk, prefix)]

    def open_orders(self) -> list[Order]:
        """See Ledger."""
        pointers = list(self._query("OPEN"))
        keys = [items.order_key(pointer["run_id"]["S"], pointer["sk"]["S"]) for pointer in pointers]
        groups = batched(keys, READS, strict=False)
        return [items.value_of(Order, item) for group in groups for item in self._get_all(group)]

    def add_order(self, order: Order, lease: Lease) -> None:
        """See Ledger."""
        put, pointer = writes.order_puts(order, self._keep_days)
        put["Put"] |= NEW
        try:
            self._transact([put, pointer], lease)
        except StoreUnavailable:
            if self.order(order.run_id, order.client_order_id) is None:
                raise

    def save_order(self, order: Order, lease: Lease, sleeves: Sequence[Sleeve] = ()) -> Order:
        """See Ledger."""
        saved = replace(order, version=order.version + 1)
        put, pointer = writes.order_puts(saved, self._keep_days)
        put["Put"] |= writes.version_is(order.version)
        if not saved.open:
            pointer = writes.not_open(saved)
        before = self.order(order.run_id, order.client_order_id) if tells(saved) else None
        events = writes.event_puts(order_events(before, saved))
        self._transact([put, pointer, *(writes.sleeve_put(sleeve) for sleeve in sleeves), *events], lease)
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
        actions = writes.restoring(runs, plans, orders, sleeves, self._keep_days)
        for group in batched(actions, ACTIONS - 1, strict=False):  # one action checks the lease
            self._transact(group, lease)

    # How forecasts did.

    def save_accuracy(self, strategy: str, session: date, tallies: Mapping[int, Tally]) -> None:
        """See Ledger."""
        by_horizon = {str(horizon): to_plain(tally) for horizon, tally in tallies.items()}
        item = items.item_with(items.accuracy_key(strategy, session), by_horizon=by_horizon)
        self._put(item | items.forgotten(self._keep_days))

    def accuracy(self, strategy: str, since: date) -> dict[date, dict[int, Tally]]:
        """See Ledger."""
        pk, sk = items.accuracy_key(strategy, since)
        found = self._query(pk, since=sk)
        return {date.fromisoformat(item["sk"]["S"]): items.value_of(_Record, item).by_horizon for item in found}

    # Events.

    def outbox(self) -> list[DomainEvent]:
        """See Ledger."""
        return [items.value_of(DomainEvent, item) for item in self._query(items.OUTBOX)]

    def forget_events(self, events: Sequence[DomainEvent]) -> None:
        """See Ledger."""
        for group in batched(events, ACTIONS, strict=False):
            keys = [items.key_of(items.event_key(event.id)) for event in group]
            self._transact([{"Delete": {"Key": key}} for key in keys], None)

    def _transact(self, actions: Sequence[Action], lease: Lease | None) -> None:
        """All of the actions or none; LeaseLost or StoreUnavailable say why none."""
        check = [{"ConditionCheck": writes.still_ours(lease)}] if lease else []
        try:
            self._write([*actions, *check])
        except ConditionFailed as failure:
            if lease and len(actions) in failure.failed:
                raise _lost(lease) from failure
            raise StoreUnavailable("the ledger was changed by another writer in between: read again") from failure


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"lease {lease.fence} of {lease.holder} is no longer the newest, or was given back")
