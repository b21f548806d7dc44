"""Transactions of moto's DynamoDB: what they touch is put back when they fail, and nothing else is."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

from local.patching import replaced

type _Key = tuple[Table, Any, Any]  # table, hash key, range key


@contextmanager
def transactions_are_local() -> Iterator[None]:
    """Inside the block a transaction costs what it touches.

    Stock copies the whole table once for each action, and a failed transaction puts that copy in the table's place.
    """
    transact = DynamoDBBackend.transact_write_items

    def transact_write_items(self: DynamoDBBackend, transact_items: Sequence[Mapping[str, Any]]) -> None:
        before = {key: copy.deepcopy(_item(key)) for each in transact_items if (key := _key(self, each))}
        try:
            transact(self, transact_items)
        except Exception:
            for key, item in before.items():
                _put_back(key, item)
            raise

    def deepcopy(value: Any) -> Any:
        return value if isinstance(value, Table) else copy.deepcopy(value)

    with (
        replaced(DynamoDBBackend, "transact_write_items", transact_write_items),
        replaced(models, "copy", SimpleNamespace(deepcopy=deepcopy)),
    ):
        yield


def _key(backend: DynamoDBBackend, each: Mapping[str, Any]) -> _Key | None:
    """What an action may change; None for a check, and for what stock will refuse."""
    ((verb, action),) = each.items()
    table = backend.tables.get(action.get("TableName"))
    values = action.get("Item" if verb == "Put" else "Key") or {}
    if verb == "ConditionCheck" or table is None or not set(table.attribute_keys) <= set(values):
        return None
    return (table, *backend.get_keys_value(table, values))


def _item(key: _Key) -> Any:
    table, hash_key, range_key = key
    return table.get_item(hash_key, range_key)


def _put_back(key: _Key, item: Any) -> None:
    table, hash_key, range_key = key
    items, own_key = (table.items, hash_key) if range_key is None else (table.items[hash_key], range_key)
    if item is None:
        items.pop(own_key, None)
    else:
        items[own_key] = item
