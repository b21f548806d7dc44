"""One DynamoDB table: consistent reads, and writes that recognise themselves when their answer was lost.

botocore repeats a request by itself. A conditional write that took effect, and whose answer was lost, then fails its
own condition. Each conditional item therefore carries the id of the attempt that wrote it: when a condition fails and
the item has our id, it was us.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from openbell.adapters.dynamo import items
from openbell.adapters.dynamo.items import ATTEMPT, Item, Key
from openbell.errors import StoreRefused, StoreUnavailable

ACTIONS = 100  # the most that one transaction takes
READS = 25  # in one transaction: AWS takes 100, moto 25
NEW = {"ConditionExpression": "attribute_not_exists(pk)"}
_CONDITION = "ConditionExpression"
_TRY_AGAIN = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class ConditionFailed(Exception):
    """A write's condition did not hold; `failed` has the positions of the actions concerned."""

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"conditions failed at {list(failed)}")
        self.failed = failed


class Table:
    """A table over a boto3 DynamoDB client.

    Throttling, silence and conflicts raise StoreUnavailable; what no repetition heals (permissions, a missing table)
    raises StoreRefused.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def _get(self, key: Key) -> Item | None:
        item: Item | None = self._call("get_item", Key=items.key_of(key), ConsistentRead=True).get("Item")
        return item

    def _get_all(self, keys: Sequence[Key]) -> list[Item]:
        """Those of `keys` (at most READS) that exist, as of one moment."""
        gets = [{"Get": {"TableName": self._table, "Key": items.key_of(key)}} for key in keys]
        try:
            answer = self._send("transact_get_items", TransactItems=gets)
        except ConditionFailed as failure:  # reads have no conditions: cancelled without a reason that is known
            raise StoreUnavailable("DynamoDB cancelled a read of several items: read again") from failure
        return [response["Item"] for response in answer["Responses"] if response.get("Item")]

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
        """Write one item; ConditionFailed if its condition does not hold."""
        wanted: dict[str, Any] = {"Item": item}
        if condition:
            wanted = {"Item": _attempted(item), _CONDITION: condition}
        if values:
            wanted["ExpressionAttributeValues"] = {name: items.attribute_of(value) for name, value in values.items()}
        try:
            self._call("put_item", **wanted)
        except ConditionFailed:
            if not self._is_ours(wanted["Item"]):
                raise

    def _write(self, actions: Sequence[dict[str, Any]]) -> None:
        """All of the actions or none; ConditionFailed says whose condition did not hold."""
        named = [self._named(verb, action) for each in actions for verb, action in each.items()]
        try:
            self._send("transact_write_items", TransactItems=named)
        except ConditionFailed:
            puts = (each["Put"]["Item"] for each in named if _CONDITION in each.get("Put", {}))
            ours = next(puts, None)
            if ours is None or not self._is_ours(ours):
                raise

    def _named(self, verb: str, action: dict[str, Any]) -> dict[str, Any]:
        if verb == "Put" and _CONDITION in action:
            action = action | {"Item": _attempted(action["Item"])}
        return {verb: {"TableName": self._table} | action}

    def _is_ours(self, written: Item) -> bool:
        """Whether the item as it stands was written by this very attempt, whose answer was lost."""
        found = self._get((written["pk"]["S"], written["sk"]["S"]))
        return found is not None and found.get(ATTEMPT) == written[ATTEMPT]

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


def _attempted(item: Item) -> Item:
    return {ATTEMPT: {"S": uuid4().hex}} | item


def _translated(error: ClientError, operation: str) -> Exception:
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return ConditionFailed([0])
    if code == "TransactionCanceledException":
        return _cancelled(error, operation)
    if code in _TRY_AGAIN or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:  # noqa: PLR2004
        return StoreUnavailable(f"DynamoDB refused {operation} for now: {code}")
    return StoreRefused(f"DynamoDB refuses {operation}: {error}")


def _cancelled(error: ClientError, operation: str) -> Exception:
    """A transaction is cancelled as a whole; a condition that failed counts before trouble that passes."""
    codes = [reason.get("Code") or "None" for reason in error.response.get("CancellationReasons", [])]
    failed = [at for at, code in enumerate(codes) if code == "ConditionalCheckFailed"]
    if failed or not codes:
        return ConditionFailed(failed)
    reasons = ", ".join(sorted(set(codes) - {"None"}))
    if set(codes) - {"None"} <= _TRY_AGAIN:
        return StoreUnavailable(f"DynamoDB cancelled {operation}: {reasons}")
    return StoreRefused(f"DynamoDB cancels {operation}: {reasons}: {error}")
