"""What only the real store can do wrong: silence, throttling, half a plan."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.errors import InvalidInput, StoreRefused, StoreUnavailable
from openbell.model import Lease, OrderStatus, Run, RunStatus
from tests.builders import AS_OF, order, sleeve

_KEYS = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", config=Config(retries={"max_attempts": 0}), **_KEYS)
        client.create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        yield client


def lease_of(ledger: DynamoLedger) -> Lease:
    lease = ledger.acquire_lease("execution", AS_OF, 3600)
    assert lease
    return lease


class _FailsAfter:
    """A client whose transactions fail from the `calls`-th on, as when a Lambda is killed between two of them."""

    def __init__(self, client: Any, calls: int) -> None:
        self._client = client
        self._left = calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **arguments: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "TransactWriteItems")
        return self._client.transact_write_items(**arguments)


def test_half_a_plan_is_no_plan_and_the_next_attempt_replaces_it(client: Any) -> None:
    lease = lease_of(DynamoLedger(client, "ledger"))
    first = [order(client_order_id=f"first-{number:03}") for number in range(130)]
    with pytest.raises(StoreUnavailable, match="ThrottlingException"):
        DynamoLedger(_FailsAfter(client, 3), "ledger").save_plan("run", first, [], [], lease)
    ledger = DynamoLedger(client, "ledger")
    assert not ledger.plan_sealed("run")
    assert len(ledger.orders("run")) == 98  # after the draft, two transactions of 49 orders with their pointers
    second = [order(client_order_id="second")]
    ledger.save_plan("run", second, [], [], lease)
    assert ledger.plan_sealed("run")
    assert ledger.orders("run") == second
    assert ledger.open_orders() == second


def test_silence_may_be_tried_again(client: Any) -> None:
    dead = boto3.client(
        "dynamodb", endpoint_url="http://127.0.0.1:9", config=Config(retries={"max_attempts": 0}), **_KEYS
    )
    with pytest.raises(StoreUnavailable, match="did not answer get_item"):
        DynamoLedger(dead, "ledger").halt()


def test_a_missing_table_is_no_passing_trouble(client: Any) -> None:
    with pytest.raises(StoreRefused, match="ResourceNotFound"):
        DynamoLedger(client, "no-such-table").halt()


class _Repeats:
    """A client whose every write takes effect, loses its answer, and is sent again, as botocore does by itself."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name not in {"put_item", "transact_write_items"}:
            return call

        def twice(**arguments: Any) -> Any:
            call(**arguments)
            return call(**arguments)

        return twice


def test_writes_whose_answer_was_lost_recognise_themselves(client: Any) -> None:
    ledger = DynamoLedger(_Repeats(client), "ledger")
    assert ledger.claim_tick("daily/15:00", "execution")
    lease = ledger.acquire_lease("execution", AS_OF, 3600)
    assert lease
    assert lease.fence == 1
    run = Run("run", "execution", AS_OF, RunStatus.RUNNING, "daily", ("momentum",), fence=1)
    ledger.start_run(run, lease)
    ledger.open_sleeve(sleeve(), lease)
    orders = [order(client_order_id=f"o-{number:03}") for number in range(60)]
    ledger.save_plan("run", orders, list(ledger.sleeves().values()), [], lease)
    assert ledger.orders("run") == orders
    saved = ledger.save_order(replace(orders[0], status=OrderStatus.SUBMITTING), lease, [ledger.sleeves()["momentum"]])
    assert ledger.order("run", "o-000") == saved
    assert ledger.sleeves()["momentum"].version == 2  # written by the plan and by the order, each once
    ledger.release_lease(lease)
    taken = ledger.acquire_lease("next", AS_OF, 3600)
    assert taken
    assert taken.fence == 2


def test_another_writer_of_the_same_is_not_taken_for_ourselves(client: Any) -> None:
    ledger = DynamoLedger(client, "ledger")
    lease = lease_of(ledger)
    ledger.save_plan("run", [order()], [], [], lease)
    ledger.save_order(order(), lease)
    with pytest.raises(StoreUnavailable):
        ledger.save_order(order(), lease)


class _Meanwhile:
    """A client that lets something happen just before the `calls`-th transaction."""

    def __init__(self, client: Any, calls: int, happens: Callable[[], object]) -> None:
        self._client = client
        self._left = calls
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **arguments: Any) -> Any:
        self._left -= 1
        if not self._left:
            self._happens()
        return self._client.transact_write_items(**arguments)


@pytest.mark.parametrize("calls", [1, 2, 3])  # the draft, the first chunk, the seal
def test_a_slower_attempt_changes_nothing_of_a_sealed_plan(client: Any, calls: int) -> None:
    ledger = DynamoLedger(client, "ledger")
    lease = lease_of(ledger)
    orders = [order(client_order_id=f"o-{number:03}") for number in range(60)]

    def the_retry_seals_and_sends() -> None:
        ledger.save_plan("run", orders, [], [], lease)
        ledger.save_order(replace(orders[0], status=OrderStatus.WORKING), lease)

    slow = DynamoLedger(_Meanwhile(client, calls, the_retry_seals_and_sends), "ledger")
    slow.save_plan("run", [*orders, order(client_order_id="o-other")], [], [], lease)
    sent, *others = ledger.orders("run")
    assert sent.status is OrderStatus.WORKING
    assert others == orders[1:]


def test_two_attempts_never_make_one_plan_together(client: Any) -> None:
    ledger = DynamoLedger(client, "ledger")
    lease = lease_of(ledger)
    first, second = ([order(client_order_id=f"{name}-{n:03}") for n in range(60)] for name in ("first", "second"))

    def another_begins() -> None:
        with pytest.raises(StoreUnavailable):  # and is killed after its first chunk
            DynamoLedger(_FailsAfter(client, 2), "ledger").save_plan("run", second, [], [], lease)

    with pytest.raises(StoreUnavailable):  # the draft is no longer ours
        DynamoLedger(_Meanwhile(client, 3, another_begins), "ledger").save_plan("run", first, [], [], lease)
    assert not ledger.plan_sealed("run")
    ledger.save_plan("run", first, [], [], lease)
    assert ledger.orders("run") == first
    assert len(ledger.open_orders()) == 60


def test_a_plan_that_changes_more_sleeves_than_a_transaction_takes_is_refused(client: Any) -> None:
    ledger = DynamoLedger(client, "ledger")
    lease = lease_of(ledger)
    with pytest.raises(InvalidInput, match="changes 99 sleeves; at most 98"):
        ledger.save_plan("run", [], [sleeve(f"s{number}") for number in range(99)], [], lease)
    assert not ledger.plan_sealed("run")


class _Cancels:
    """A client whose transactions are cancelled for these reasons."""

    def __init__(self, *codes: str) -> None:
        self._error = ClientError(
            {
                "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
                "CancellationReasons": [{"Code": code} for code in codes],
            },
            "TransactWriteItems",
        )

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {}

    def query(self, **_: Any) -> dict[str, Any]:
        return {"Items": [{"pk": {"S": "OPEN"}, "sk": {"S": "o-1"}, "run_id": {"S": "run"}}]}

    def transact_get_items(self, **_: Any) -> Any:
        raise self._error

    transact_write_items = transact_get_items


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_is_cancelled_for_a_moment_may_be_tried_again(code: str) -> None:
    ledger = DynamoLedger(_Cancels("None", code), "ledger")
    with pytest.raises(StoreUnavailable, match=code):
        ledger.open_orders()
    with pytest.raises(StoreUnavailable, match=code):
        ledger.save_sleeves([sleeve()], Lease("execution", 1, AS_OF + timedelta(hours=1)))


def test_a_transaction_that_is_wrong_is_not_tried_again() -> None:
    with pytest.raises(StoreRefused, match="ValidationError"):
        DynamoLedger(_Cancels("ValidationError"), "ledger").open_orders()
