"""What only the real store can do wrong: silence, throttling, half a plan."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.errors import StoreUnavailable
from openbell.model import Lease
from tests.builders import AS_OF, order

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
        DynamoLedger(_FailsAfter(client, 2), "ledger").save_plan("run", first, [], [], lease)
    ledger = DynamoLedger(client, "ledger")
    assert not ledger.plan_sealed("run")
    assert len(ledger.orders("run")) == 98  # two transactions of 49 orders with their pointers
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
    with pytest.raises(ClientError, match="ResourceNotFound"):
        DynamoLedger(client, "no-such-table").halt()
