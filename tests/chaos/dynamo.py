"""A DynamoDB table in this process, as fast as a dictionary and as treacherous as the real one.

It speaks the five operations of a boto3 client that the ledger uses, with conditions, transactions, pages and the
errors that botocore raises. What the SDK does by itself is done here too: a request whose answer was
lost is sent again.
`tests/integration/ledger/test_contract.py` holds it against the same suite as moto's table.
"""

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

type Item = dict[str, Any]
type _Test = Callable[[Item], bool]

_PAGE = 40  # items a query gives at once: few, so that every longer list comes in pages
_MOST_ACTIONS = 100
_EXISTS = re.compile(r"attribute_(not_)?exists\((\S+)\)")
_COMPARED = re.compile(r"(\S+) (=|<>|>=|<=|<|>) (\S+)")
_BEGINS = re.compile(r"begins_with\((\S+), (\S+)\)")


class FakeTable:
    """One table with the key pk, sk."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], Item] = {}
        self.first: dict[tuple[str, str], Item] = {}  # every item as it was first written
        self.every: dict[tuple[str, str], list[Item]] = {}  # all versions of items under the watched keys
        self.watched = ""  # the pk of those
        self._before: dict[tuple[str, str], Item | None] = {}  # what the newest writes replaced: for stale reads

    def get(self, key: tuple[str, str]) -> Item | None:
        """The item as it stands."""
        return self._items.get(key)

    # The operations, with the arguments of boto3's client.

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool = False) -> dict[str, Any]:  # noqa: N803
        """One item; without ConsistentRead as it was before the newest write."""
        key = _key(Key)
        item = self._items.get(key) if ConsistentRead or key not in self._before else self._before[key]
        return {"Item": copy.deepcopy(item)} if item else {}

    def query(
        self,
        *,
        TableName: str,  # noqa: N803
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: Mapping[str, Any],  # noqa: N803
        ConsistentRead: bool = False,  # noqa: N803
        ScanIndexForward: bool = True,  # noqa: N803
        Limit: int = _PAGE,  # noqa: N803
        ExclusiveStartKey: Item | None = None,  # noqa: N803
        ExpressionAttributeNames: Mapping[str, str] | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        """A page of the items of a partition, by their sort keys."""
        test = _parse(KeyConditionExpression, ExpressionAttributeNames or {}, ExpressionAttributeValues)
        known = self._items if ConsistentRead else {**self._items, **{k: v for k, v in self._before.items() if v}}
        keys = sorted((key for key, item in known.items() if test(item)), reverse=not ScanIndexForward)
        if ExclusiveStartKey:
            after = _key(ExclusiveStartKey)
            keys = [key for key in keys if (key > after) == ScanIndexForward and key != after]
        page = keys[: min(Limit, _PAGE)]
        answer: dict[str, Any] = {"Items": [copy.deepcopy(known[key]) for key in page]}
        if len(keys) > len(page):
            answer["LastEvaluatedKey"] = {"pk": {"S": page[-1][0]}, "sk": {"S": page[-1][1]}}
        return answer

    def put_item(self, *, TableName: str, Item: Item, **condition: Any) -> dict[str, Any]:  # noqa: N803
        """Write one item if its condition holds."""
        if not self._holds(_key(Item), condition):
            raise error_of("ConditionalCheckFailedException", "PutItem")
        self._before.clear()
        self._write(_key(Item), Item)
        return {}

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """All or nothing."""
        actions = [(verb, action, _key_of(action)) for each in TransactItems for verb, action in each.items()]
        keys = [key for _, _, key in actions]
        if len(actions) > _MOST_ACTIONS or len(set(keys)) < len(keys):
            words = f"{len(actions)} actions on {len(set(keys))} items"
            raise ClientError({"Error": {"Code": "ValidationException", "Message": words}}, "TransactWriteItems")
        held = [self._holds(key, action) for _, action, key in actions]
        if not all(held):
            raise cancelled(["None" if good else "ConditionalCheckFailed" for good in held])
        self._before.clear()
        for verb, action, key in actions:
            if verb == "Put":
                self._write(key, action["Item"])
            elif verb == "Delete":
                self._write(key, None)
            elif verb != "ConditionCheck":
                raise NotImplementedError(f"the fake table does not know {verb} in a transaction")
        return {}

    def transact_get_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Several items as of one moment."""
        found = (self._items.get(_key(each["Get"]["Key"])) for each in TransactItems)
        return {"Responses": [{"Item": copy.deepcopy(item)} if item else {} for item in found]}

    def _write(self, key: tuple[str, str], item: Item | None) -> None:
        self._before[key] = self._items.get(key)
        if item is None:
            self._items.pop(key, None)
        else:
            self._items[key] = copy.deepcopy(item)
            self.first.setdefault(key, self._items[key])
            if key[0] == self.watched:
                self.every.setdefault(key, []).append(self._items[key])

    def _holds(self, key: tuple[str, str], action: Mapping[str, Any]) -> bool:
        text = action.get("ConditionExpression")
        if not text:
            return True
        names, values = action.get("ExpressionAttributeNames", {}), action.get("ExpressionAttributeValues", {})
        return _parse(text, names, values)(self._items.get(key, {}))


def cancelled(codes: list[str]) -> Exception:
    """What botocore raises for a transaction that was cancelled, with a reason for each of its actions."""
    reasons = [{"Code": code} for code in codes]
    error = {"Code": "TransactionCanceledException", "Message": f"cancelled: {codes}"}
    raised: Exception = ClientError({"Error": error, "CancellationReasons": reasons}, "TransactWriteItems")
    return raised


def error_of(code: str, operation: str) -> Exception:
    """What botocore raises for any other error."""
    raised: Exception = ClientError({"Error": {"Code": code, "Message": ""}}, operation)
    return raised


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _key_of(action: dict[str, Any]) -> tuple[str, str]:
    return _key(action["Key"] if "Key" in action else action["Item"])


def _parse(text: str, names: Mapping[str, str], values: Mapping[str, Any]) -> _Test:
    """The condition as a function of an item; OR binds weaker than AND, and nothing is nested."""
    ways = [[_term(term.strip(), names, values) for term in way.split(" AND ")] for way in text.split(" OR ")]
    return lambda item: any(all(term(item) for term in way) for way in ways)


def _term(text: str, names: Mapping[str, str], values: Mapping[str, Any]) -> _Test:
    if found := _EXISTS.fullmatch(text):
        name, wanted = names.get(found[2], found[2]), not found[1]
        return lambda item: (name in item) == wanted
    if found := _BEGINS.fullmatch(text):
        name, prefix = names.get(found[1], found[1]), values[found[2]]["S"]
        return lambda item: name in item and str(item[name]["S"]).startswith(prefix)
    if found := _COMPARED.fullmatch(text):
        name, value = names.get(found[1], found[1]), values[found[3]]
        return _comparison(name, found[2], value)
    raise NotImplementedError(f"the fake table does not know the condition {text!r}")


def _comparison(name: str, sign: str, value: Mapping[str, Any]) -> _Test:
    wanted = _plain(value)
    compare: dict[str, Callable[[Any], bool]] = {
        "=": lambda found: bool(found == wanted),
        "<>": lambda found: bool(found != wanted),
        ">=": lambda found: bool(found >= wanted),
        "<=": lambda found: bool(found <= wanted),
        "<": lambda found: bool(found < wanted),
        ">": lambda found: bool(found > wanted),
    }
    test = compare[sign]
    if sign == "<>":  # true of an attribute that is not there, as DynamoDB has it
        return lambda item: name not in item or test(_plain(item[name]))
    return lambda item: name in item and test(_plain(item[name]))


def _plain(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    return float(value) if kind == "N" else value
