"""What DynamoDB deletes by itself when its days are over, and what it must never delete."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from openbell.accuracy import Tally
from openbell.adapters.dynamo.items import FORGET
from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.model import Halt, Lease, OrderStatus, Run, RunStatus, Sleeve
from tests.builders import AS_OF, D, order

KEEP_DAYS = 400
RUN = Run("run-1", "first", AS_OF, RunStatus.RUNNING, "daily", ("momentum",))


@pytest.fixture
def client() -> Iterator[Any]:
    keys = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    with mock_aws():
        client = boto3.client("dynamodb", **keys)
        client.create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        yield client


def played(client: Any) -> tuple[DynamoLedger, Lease]:
    """A run with two orders, of which one has ended."""
    ledger = DynamoLedger(client, "ledger", KEEP_DAYS)
    lease = ledger.acquire_lease("first", AS_OF, 3600)
    assert lease
    ledger.claim_tick("2022-06-15T19:00:00Z", "first")
    ledger.start_run(replace(RUN, fence=lease.fence), lease)
    ledger.open_sleeve(Sleeve("momentum", D(1000)), lease)
    orders = [replace(order(client_order_id=name), run_id="run-1") for name in ("ended", "open")]
    ledger.save_plan("run-1", orders, [], [], lease)
    ended = ledger.order("run-1", "ended")
    assert ended
    ledger.save_order(replace(ended, status=OrderStatus.CANCELED), lease)
    ledger.save_forecasts("run-1", "spec", [], {"KO": "too short"})
    ledger.save_accuracy("momentum", date(2022, 6, 15), {1: Tally()})
    ledger.set_halt(Halt("enough", "alice", AS_OF))
    return ledger, lease


def days_kept(client: Any) -> dict[str, int | None]:
    """Days until each item is deleted, by its key; None for what stays."""
    found = client.scan(TableName="ledger")["Items"]
    left = {f"{i['pk']['S']} {i['sk']['S']}": i.get(FORGET) for i in found}
    now = time.time()
    return {key: round((float(value["N"]) - now) / 86400) if value else None for key, value in left.items()}


def test_a_run_with_what_belongs_to_it_goes_and_what_still_counts_stays(client: Any) -> None:
    played(client)
    assert days_kept(client) == {
        "RUN#run-1 RUN": KEEP_DAYS,
        "RUN#run-1 PLAN": KEEP_DAYS,
        "RUN#run-1 ORDER#ended": KEEP_DAYS,
        "RUN#run-1 FORECAST#spec#KO": KEEP_DAYS,
        f"RUNS {AS_OF.astimezone(UTC):%Y-%m-%dT%H:%M:%S}#run-1": KEEP_DAYS,
        "ACCURACY#momentum 2022-06-15": KEEP_DAYS,
        "TICK#2022-06-15T19:00:00Z TICK": 100,
        "EXECUTION#first EXECUTION": 100,
        "RUN#run-1 ORDER#open": None,
        "OPEN open": None,
        "SLEEVE momentum": None,
        "CONTROL LEASE": None,
        "CONTROL HALT": None,
        "OUTBOX Halted/2022-06-15T15:00:00-04:00": None,
    }


def test_an_order_is_forgotten_from_the_day_on_which_it_ended_and_never_before(client: Any) -> None:
    ledger, lease = played(client)
    found = ledger.order("run-1", "open")
    assert found
    working = ledger.save_order(replace(found, status=OrderStatus.WORKING), lease)
    assert days_kept(client)["RUN#run-1 ORDER#open"] is None
    ledger.save_order(replace(working, status=OrderStatus.CANCELED), lease)
    assert days_kept(client)["RUN#run-1 ORDER#open"] == KEEP_DAYS


def test_when_the_broker_ends_an_order_is_no_day_on_which_the_ledger_forgets_it(client: Any) -> None:
    ledger, lease = played(client)
    found = ledger.order("run-1", "open")
    assert found
    until = AS_OF + timedelta(days=90)
    ledger.save_order(replace(found, status=OrderStatus.WORKING, expires_at=until), lease)
    assert days_kept(client)["RUN#run-1 ORDER#open"] is None
    read = ledger.order("run-1", "open")
    assert read
    assert read.expires_at == until
