"""The actions of which the ledger's transactions are made, with their conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from openbell.adapters.dynamo import items
from openbell.adapters.dynamo.items import Item
from openbell.adapters.dynamo.table import ACTIONS, NEW
from openbell.errors import InvalidInput
from openbell.events import DomainEvent, run_events
from openbell.model import AccountLine, Cross, Lease, Order, Run, RunStatus, Sleeve

type Action = dict[str, Any]  # as TransactWriteItems takes it, without the table's name


def run_puts(run: Run, keep_days: int) -> list[Action]:
    """The run, the run in the list of all, and what the world hears of it."""
    return [*_silent_run_puts(run, keep_days), *event_puts(run_events(run))]


def _silent_run_puts(run: Run, keep_days: int) -> list[Action]:
    keys = (items.run_key(run.run_id), items.listed_run_key(run))
    return [{"Put": {"Item": items.item_of(key, run) | items.forgotten(keep_days)}} for key in keys]


def restoring(
    runs: Sequence[Run],
    plans: Mapping[str, Sequence[Cross]],
    orders: Sequence[Order],
    sleeves: Sequence[Sleeve],
    keep_days: int,
) -> list[Action]:
    """All of these as they are, unconditionally and without events; `plans` has the crosses by run."""
    actions = [action for run in runs for action in (*_silent_run_puts(run, keep_days), execution_put(run))]
    for order in orders:
        put, pointer = order_puts(order, keep_days)
        actions += [put, pointer if order.open else not_open(order)]
    for run_id, crosses in plans.items():
        actions.append(seal_put(run_id, [order for order in orders if order.run_id == run_id], crosses, keep_days))
    return actions + [{"Put": {"Item": items.item_of(items.sleeve_key(s.strategy), s)}} for s in sleeves]


def not_open(order: Order) -> Action:
    """Removal of the pointer to an order that has ended."""
    return {"Delete": {"Key": items.key_of(items.open_key(order.client_order_id))}}


def order_puts(order: Order, keep_days: int) -> list[Action]:
    """The order, and the pointer to it while it is open. An order that is open is never forgotten."""
    pointer = items.item_with(items.open_key(order.client_order_id), run_id=order.run_id)
    item = items.item_of(items.order_key(order.run_id, order.client_order_id), order)
    item |= {} if order.open else items.forgotten(keep_days)
    return [{"Put": {"Item": item}}, {"Put": {"Item": pointer}}]


def sleeve_put(sleeve: Sleeve) -> Action:
    """The sleeve's next version, if nobody has written it since."""
    item = items.item_of(items.sleeve_key(sleeve.strategy), replace(sleeve, version=sleeve.version + 1))
    return {"Put": {"Item": item} | version_is(sleeve.version)}


def sleeve_delete(sleeve: Sleeve) -> Action:
    """Removal of the sleeve, if nobody has written it since."""
    return {"Delete": {"Key": items.key_of(items.sleeve_key(sleeve.strategy))} | version_is(sleeve.version)}


def order_put(order: Order, keep_days: int) -> Action:
    """The order's next version, if nobody has written it since; the pointer to it stays as it is."""
    put, _ = order_puts(replace(order, version=order.version + 1), keep_days)
    return {"Put": put["Put"] | version_is(order.version)}


def account_put(line: AccountLine) -> Action:
    """The account line's next version, if nobody has written it since."""
    item = items.item_of(items.ACCOUNT, replace(line, version=line.version + 1))
    return {"Put": {"Item": item} | (version_is(line.version) if line.version else NEW)}


def version_is(version: int) -> Action:
    """The condition that an item still has the version that was read."""
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": items.attribute_of(version)},
    }


def event_puts(events: Sequence[DomainEvent]) -> list[Action]:
    """Events, into the outbox."""
    return [{"Put": {"Item": items.item_of(items.event_key(event.id), event)}} for event in events]


def lease_item(lease: Lease) -> Item:
    """The lease as it is kept."""
    # Not `expires_at`: DynamoDB deletes an item by itself when the attribute of that name has passed.
    return items.item_with(items.LEASE, holder=lease.holder, fence=lease.fence, until=lease.expires_at.isoformat())


def lease_in(item: Item) -> Lease:
    """The lease that `lease_item` made the item of."""
    return Lease(item["holder"]["S"], int(item["fence"]["N"]), datetime.fromisoformat(item["until"]["S"]))


def still_ours(lease: Lease) -> Action:
    """The check that the lease is the newest and was not given back."""
    return {
        "Key": items.key_of(items.LEASE),
        "ConditionExpression": "fence = :fence AND holder <> :nobody",
        "ExpressionAttributeValues": {":fence": items.attribute_of(lease.fence), ":nobody": items.attribute_of("")},
    }


def unless_started(put: dict[str, Any]) -> Action:
    """A run that has ended, or that another attempt has started at another moment, is not started again."""
    condition = {
        "ConditionExpression": "attribute_not_exists(pk) OR #status = :running AND as_of = :as_of",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {
            ":running": items.attribute_of(RunStatus.RUNNING.value),
            ":as_of": put["Put"]["Item"]["as_of"],
        },
    }
    return {"Put": put["Put"] | condition}


def execution_put(run: Run) -> Action:
    """Which run an execution started: the first one that was written."""
    started = items.item_with(items.execution_key(run.execution), execution=run.execution, run_id=run.run_id)
    started |= items.forgotten()
    condition = {
        "ConditionExpression": "attribute_not_exists(pk) OR run_id = :run_id",
        "ExpressionAttributeValues": {":run_id": items.attribute_of(run.run_id)},
    }
    return {"Put": {"Item": started} | condition}


def is_seal(item: Item) -> bool:
    """A draft of a plan is kept in the same place, and has no number of orders yet."""
    return "orders" in item


def draft_is(attempt: str) -> Action:
    """The condition that a plan is not sealed, and that nobody has taken its draft over from `attempt`."""
    return {
        "ConditionExpression": "draft = :draft AND attribute_not_exists(orders)",
        "ExpressionAttributeValues": {":draft": items.attribute_of(attempt)},
    }


def seal_put(run_id: str, orders: Sequence[Order], crosses: Sequence[Cross], keep_days: int) -> Action:
    """The seal of a plan, without its condition."""
    plain = [
        {"symbol": c.symbol, "seller": c.seller, "buyer": c.buyer, "qty": str(c.qty), "price": str(c.price)}
        for c in crosses
    ]
    seal = items.item_with(items.seal_key(run_id), orders=len(orders), crosses=plain)
    return {"Put": {"Item": seal | items.forgotten(keep_days)}}


def room_beside(sleeves: Sequence[Sleeve], run_id: str) -> int:
    """How many actions fit beside the sleeves, the seal and the check of the lease into the transaction that seals."""
    room = ACTIONS - 2 - len(sleeves)
    if room >= 0:
        return room
    raise InvalidInput(
        f"the plan of run {run_id} changes {len(sleeves)} sleeves; at most {ACTIONS - 2} fit into the one transaction "
        "that seals it: run the strategies on different schedules, or on two platforms"
    )
