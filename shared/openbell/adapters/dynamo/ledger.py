"""The ledger in one DynamoDB table: strongly consistent reads, conditional transactions."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from openbell.accuracy import Tally
from openbell.adapters.dynamo import items
from openbell.adapters.dynamo.items import Item, Key
from openbell.codec import from_json, to_json, to_plain
from openbell.errors import LeaseLost, StoreUnavailable
from openbell.events import DomainEvent, halted, order_events, resumed, run_events, tells
from openbell.model import Cross, Forecast, Halt, Lease, Order, Run, Sleeve

_ACTIONS = 100  # the most that one transaction takes
_READS = 25  # in one transaction: AWS takes 100, moto 25
_NEW = {"ConditionExpression": "attribute_not_exists(pk)"}
_CHUNK = _ACTIONS - 2  # one action checks the lease; even, so that an order and the pointer to it stay together
_MEMORY_DAYS = 100  # an execution's name may be used again after 90
_TRY_AGAIN = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class _ConditionFailed(Exception):
    """A write's condition did not hold; `failed` has the positions of the actions concerned."""

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"conditions failed at {list(failed)}")
        self.failed = failed


@dataclass(frozen=True)
class _Record:
    by_horizon: dict[int, Tally]


class DynamoLedger:
    """`openbell.ports.Ledger` over a boto3 DynamoDB client.

    botocore repeats a transaction under one client request token, so that a repetition takes effect once. Throttling
    and silence raise StoreUnavailable; errors that no repetition heals (permissions, a missing table) pass through.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    # Who may trade.

    def claim_tick(self, tick: str, execution: str) -> bool:
        """See Ledger."""
        item = items.item_with(items.tick_key(tick), execution=execution, expires_at=_forgotten())
        try:
            self._put(item, "attribute_not_exists(pk) OR execution = :execution", {":execution": execution})
        except _ConditionFailed:
            return False
        return True

    def acquire_lease(self, holder: str, now: datetime, seconds: int) -> Lease | None:
        """See Ledger."""
        item = self._get(items.LEASE)
        held = _lease(item) if item else None
        if held and held.holder == holder:
            return held
        if held and held.holder and held.expires_at > now:
            return None
        lease = Lease(holder, held.fence + 1 if held else 1, now + timedelta(seconds=seconds))
        condition, values = ("fence = :fence", {":fence": held.fence}) if held else ("attribute_not_exists(pk)", {})
        try:
            self._put(_lease_item(lease), condition, values)
        except _ConditionFailed:
            return None  # another execution was faster
        return lease

    def lease(self) -> Lease | None:
        """See Ledger."""
        item = self._get(items.LEASE)
        lease = _lease(item) if item else None
        return lease if lease and lease.holder else None

    def release_lease(self, lease: Lease) -> None:
        """See Ledger. The fencing number stays: it only ever grows."""
        try:
            self._put(_lease_item(replace(lease, holder="")), "fence = :fence", {":fence": lease.fence})
        except _ConditionFailed:
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
        wanted, asked = (replace(earlier, flatten=True), {}) if earlier else (halt, _NEW)
        put = {"Put": {"Item": items.item_of(items.HALT, wanted)} | asked}
        try:
            self._transact([put, *_event_puts([halted(wanted)])], None)
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
            self._transact([delete, *_event_puts([resumed(halt)])], None)
        except StoreUnavailable:
            if self.halt():
                raise

    # Runs.

    def start_run(self, run: Run, lease: Lease | None) -> None:
        """See Ledger."""
        started = items.item_with(
            items.execution_key(run.execution), execution=run.execution, run_id=run.run_id, expires_at=_forgotten()
        )
        self._transact([*self._run_puts(run), {"Put": {"Item": started}}], lease)

    def finish_run(self, run: Run, found: Sequence[DomainEvent] = ()) -> None:
        """See Ledger."""
        self._transact([*self._run_puts(run), *_event_puts(found)], None)

    def _run_puts(self, run: Run) -> list[dict[str, Any]]:
        keys = (items.run_key(run.run_id), items.listed_run_key(run))
        return [*({"Put": {"Item": items.item_of(key, run)}} for key in keys), *_event_puts(run_events(run))]

    def run(self, run_id: str) -> Run | None:
        """See Ledger."""
        item = self._get(items.run_key(run_id))
        return items.value_of(Run, item) if item else None

    def run_of(self, execution: str) -> Run | None:
        """See Ledger."""
        item = self._get(items.execution_key(execution))
        return self.run(item["run_id"]["S"]) if item else None

    def runs(self, limit: int = 50) -> list[Run]:
        """See Ledger."""
        found = self._query("RUNS", ScanIndexForward=False, Limit=limit)
        return [items.value_of(Run, item) for _, item in zip(range(limit), found, strict=False)]

    # Sleeves.

    def sleeves(self) -> dict[str, Sleeve]:
        """See Ledger."""
        found = (items.value_of(Sleeve, item) for item in self._query("SLEEVE"))
        return {sleeve.strategy: sleeve for sleeve in found}

    def open_sleeve(self, sleeve: Sleeve, lease: Lease) -> None:
        """See Ledger."""
        key = items.sleeve_key(sleeve.strategy)
        action = {"Item": items.item_of(key, sleeve), "ConditionExpression": "attribute_not_exists(pk)"}
        try:
            self._transact([{"Put": action}], lease)
        except StoreUnavailable:
            if self._get(key) is None:
                raise

    def save_sleeves(self, sleeves: Sequence[Sleeve], lease: Lease) -> None:
        """See Ledger."""
        self._transact([self._sleeve_put(sleeve) for sleeve in sleeves], lease)

    # The plan and its orders.

    def save_plan(
        self, run_id: str, orders: Sequence[Order], sleeves: Sequence[Sleeve], crosses: Sequence[Cross], lease: Lease
    ) -> None:
        """See Ledger. One transaction where it fits, else in chunks, of which the last one writes the seal."""
        if self.plan_sealed(run_id):
            return
        writes = [action for order in orders for action in self._order_puts(order)]
        writes += self._leftovers(run_id, {order.client_order_id for order in orders})
        seal = self._seal(run_id, orders, sleeves, crosses)
        room = _ACTIONS - 1 - len(seal)  # every transaction checks the lease too
        while len(writes) > room:
            self._transact(writes[:_CHUNK], lease)
            writes = writes[_CHUNK:]
        self._transact(writes + seal, lease)

    def _seal(
        self, run_id: str, orders: Sequence[Order], sleeves: Sequence[Sleeve], crosses: Sequence[Cross]
    ) -> list[dict[str, Any]]:
        seal = items.item_with(
            items.seal_key(run_id),
            orders=len(orders),
            crosses=[
                {"symbol": c.symbol, "seller": c.seller, "buyer": c.buyer, "qty": str(c.qty), "price": str(c.price)}
                for c in crosses
            ],
        )
        put = {"Put": {"Item": seal, "ConditionExpression": "attribute_not_exists(pk)"}}
        return [*(self._sleeve_put(sleeve) for sleeve in sleeves), put]

    def _leftovers(self, run_id: str, planned: set[str]) -> list[dict[str, Any]]:
        """Removal of orders that an earlier attempt wrote without sealing them, and that are planned no more."""
        return [
            {"Delete": {"Key": items.key_of(key)}}
            for order in self.orders(run_id)
            if order.client_order_id not in planned
            for key in (items.order_key(run_id, order.client_order_id), items.open_key(order.client_order_id))
        ]

    def plan_sealed(self, run_id: str) -> bool:
        """See Ledger."""
        return self._get(items.seal_key(run_id)) is not None

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
        found = []
        for group in batched(keys, _READS, strict=False):
            gets = [{"Get": {"TableName": self._table, "Key": items.key_of(key)}} for key in group]
            answer = self._send("transact_get_items", TransactItems=gets)
            found += [items.value_of(Order, response["Item"]) for response in answer["Responses"]]
        return found

    def add_order(self, order: Order, lease: Lease) -> None:
        """See Ledger."""
        put, pointer = self._order_puts(order)
        put["Put"]["ConditionExpression"] = "attribute_not_exists(pk)"
        try:
            self._transact([put, pointer], lease)
        except StoreUnavailable:
            if self.order(order.run_id, order.client_order_id) is None:
                raise

    def save_order(self, order: Order, lease: Lease, sleeves: Sequence[Sleeve] = ()) -> Order:
        """See Ledger."""
        saved = replace(order, version=order.version + 1)
        put, pointer = self._order_puts(saved)
        put["Put"] |= {
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": items.attribute_of(order.version)},
        }
        if not saved.open:
            pointer = {"Delete": {"Key": items.key_of(items.open_key(saved.client_order_id))}}
        before = self.order(order.run_id, order.client_order_id) if tells(saved) else None
        events = _event_puts(order_events(before, saved))
        self._transact([put, pointer, *(self._sleeve_put(sleeve) for sleeve in sleeves), *events], lease)
        return saved

    def _order_puts(self, order: Order) -> list[dict[str, Any]]:
        pointer = items.item_with(items.open_key(order.client_order_id), run_id=order.run_id)
        item = items.item_of(items.order_key(order.run_id, order.client_order_id), order)
        return [{"Put": {"Item": item}}, {"Put": {"Item": pointer}}]

    def _sleeve_put(self, sleeve: Sleeve) -> dict[str, Any]:
        saved = replace(sleeve, version=sleeve.version + 1)
        return {
            "Put": {
                "Item": items.item_of(items.sleeve_key(sleeve.strategy), saved),
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": items.attribute_of(sleeve.version)},
            }
        }

    # Forecasts.

    def save_forecasts(
        self, run_id: str, spec: str, forecasts: Sequence[Forecast], failures: Mapping[str, str]
    ) -> None:
        """See Ledger."""
        for forecast in forecasts:
            # As one text: dozens of numbers as attributes of their own take several times the room and the time.
            key = items.forecast_key(run_id, spec, forecast.symbol)
            self._put(items.item_with(key, symbol=forecast.symbol, forecast=to_json(forecast).decode()))
        for symbol, failure in failures.items():
            self._put(items.item_with(items.forecast_key(run_id, spec, symbol), symbol=symbol, failure=failure))

    def forecasts(self, run_id: str, spec: str) -> dict[str, Forecast]:
        """See Ledger."""
        found = [item for item in self._query(*items.forecast_key(run_id, spec, "")) if "failure" not in item]
        return {item["symbol"]["S"]: from_json(Forecast, item["forecast"]["S"].encode()) for item in found}

    def forecast_failures(self, run_id: str, spec: str) -> dict[str, str]:
        """See Ledger."""
        found = self._query(*items.forecast_key(run_id, spec, ""))
        return {item["symbol"]["S"]: item["failure"]["S"] for item in found if "failure" in item}

    def save_accuracy(self, strategy: str, session: date, tallies: Mapping[int, Tally]) -> None:
        """See Ledger."""
        by_horizon = {str(horizon): to_plain(tally) for horizon, tally in tallies.items()}
        self._put(items.item_with(items.accuracy_key(strategy, session), by_horizon=by_horizon))

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
        for group in batched(events, _ACTIONS, strict=False):
            keys = [items.key_of(items.event_key(event.id)) for event in group]
            self._transact([{"Delete": {"Key": key}} for key in keys], None)

    # The table.

    def _get(self, key: Key) -> Item | None:
        item: Item | None = self._call("get_item", Key=items.key_of(key), ConsistentRead=True).get("Item")
        return item

    def _query(self, pk: str, prefix: str = "", since: str = "", **more: Any) -> Iterator[Item]:
        """All items of a partition whose sort key starts with `prefix`, or is `since` or later, page by page."""
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :sk)", values | {":sk": {"S": prefix}}
        if since:
            condition, values = f"{condition} AND sk >= :since", values | {":since": {"S": since}}
        asked = {"KeyConditionExpression": condition, "ExpressionAttributeValues": values, "ConsistentRead": True}
        start: dict[str, Any] = {}
        while True:
            page = self._call("query", **asked, **more, **start)
            yield from page["Items"]
            if not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _put(self, item: Item, condition: str = "", values: Mapping[str, Any] | None = None) -> None:
        wanted: dict[str, Any] = {"Item": item}
        if condition:
            wanted["ConditionExpression"] = condition
        if values:
            wanted["ExpressionAttributeValues"] = {name: items.attribute_of(value) for name, value in values.items()}
        self._call("put_item", **wanted)

    def _transact(self, actions: Sequence[dict[str, Any]], lease: Lease | None) -> None:
        """All of the actions or none; LeaseLost or StoreUnavailable say why none."""
        named = [{verb: {"TableName": self._table} | action} for each in actions for verb, action in each.items()]
        if lease:
            named.append({"ConditionCheck": {"TableName": self._table} | _still_ours(lease)})
        try:
            self._send("transact_write_items", TransactItems=named)
        except _ConditionFailed as failure:
            if lease and len(named) - 1 in failure.failed:
                raise LeaseLost(f"lease {lease.fence} of {lease.holder} is no longer the newest") from failure
            raise StoreUnavailable("the ledger was changed by another writer in between: read again") from failure

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return self._send(operation, TableName=self._table, **arguments)

    def _send(self, operation: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        except ClientError as error:
            raise _translated(error, operation) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"DynamoDB did not answer {operation}: {error}") from error
        return answer


def _translated(error: ClientError, operation: str) -> Exception:
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return _ConditionFailed([0])
    if code == "TransactionCanceledException":
        reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        failed = [at for at, reason in enumerate(reasons) if reason == "ConditionalCheckFailed"]
        return _ConditionFailed(failed)
    if code in _TRY_AGAIN:
        return StoreUnavailable(f"DynamoDB refused {operation} for now: {code}")
    permanent: Exception = error
    return permanent


def _event_puts(events: Sequence[DomainEvent]) -> list[dict[str, Any]]:
    return [{"Put": {"Item": items.item_of(items.event_key(event.id), event)}} for event in events]


def _lease_item(lease: Lease) -> Item:
    # Not `expires_at`: DynamoDB deletes an item by itself when the attribute of that name has passed.
    return items.item_with(items.LEASE, holder=lease.holder, fence=lease.fence, until=lease.expires_at.isoformat())


def _lease(item: Item) -> Lease:
    return Lease(item["holder"]["S"], int(item["fence"]["N"]), datetime.fromisoformat(item["until"]["S"]))


def _still_ours(lease: Lease) -> dict[str, Any]:
    return {
        "Key": items.key_of(items.LEASE),
        "ConditionExpression": "fence = :fence",
        "ExpressionAttributeValues": {":fence": items.attribute_of(lease.fence)},
    }


def _forgotten() -> int:
    """When DynamoDB may delete what is of no use by then, in epoch seconds."""
    return int(time.time()) + _MEMORY_DAYS * 24 * 3600
