"""A Distributed Map: batches of the items of an object, failures that are tolerated, and files of what came of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local import LocalCloud
from tests.integration.local.running import FIXTURE, Ended, RunningFixture


@pytest.fixture(scope="module")
def fanned() -> Iterator[RunningFixture]:
    with LocalCloud(template=FIXTURE / "fanned.yaml") as cloud:
        yield RunningFixture(cloud, [], [])


def run(fanned: RunningFixture, items: list[dict[str, Any]], size: int = 1, tolerated_pct: float = 0) -> Ended:
    bucket = fanned.cloud.physical_id("Bucket")
    fanned.cloud.client("s3").put_object(Bucket=bucket, Key="items.json", Body=json.dumps(items).encode())
    return fanned.run(size=size, greeting="hello", tolerated_pct=tolerated_pct, prefix="results")


def written(fanned: RunningFixture, ended: Ended, status: str) -> list[dict[str, Any]]:
    place = ended.output["ResultWriterDetails"]

    def read(key: str) -> Any:
        return json.loads(fanned.cloud.client("s3").get_object(Bucket=place["Bucket"], Key=key)["Body"].read())

    return [row for file in read(place["Key"])["ResultFiles"][status] for row in read(file["Key"])]


def test_items_come_in_batches_with_what_all_of_them_share(fanned: RunningFixture) -> None:
    ended = run(fanned, [{"n": n} for n in range(5)], size=2)
    batches = [json.loads(row["Input"]) for row in written(fanned, ended, "SUCCEEDED")]
    assert {batch["BatchInput"]["greeting"] for batch in batches} == {"hello"}
    sizes = sorted(len(batch["Items"]) for batch in batches)
    assert sizes == [1, 2, 2]
    assert sorted(item["n"] for batch in batches for item in batch["Items"]) == [0, 1, 2, 3, 4]


def test_a_child_that_fails_within_the_tolerance_is_written_down_with_its_reason(fanned: RunningFixture) -> None:
    ended = run(fanned, [{"n": 0}, {"n": 1, "fails": True}, {"n": 2}, {"n": 3}], tolerated_pct=25)  # 1 of 4
    assert ended.status == "SUCCEEDED"
    (failed,) = written(fanned, ended, "FAILED")
    assert (failed["Error"], failed["Cause"]) == ("OddTrouble", "the item says so")
    assert json.loads(failed["Input"])["Items"] == [{"n": 1, "fails": True}]
    assert len(written(fanned, ended, "SUCCEEDED")) == 3


def test_every_item_of_a_failed_batch_counts_against_the_tolerance(fanned: RunningFixture) -> None:
    items = [{"n": 0, "fails": True}, {"n": 1}, {"n": 2}, {"n": 3}]  # a batch of two fails: half of the items
    assert run(fanned, items, size=2, tolerated_pct=50).status == "SUCCEEDED"
    ended = run(fanned, items, size=2, tolerated_pct=49)
    assert (ended.status, ended.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    assert "OddTrouble: the item says so" in str(ended.cause)


def test_nothing_is_tolerated_unless_it_is_said(fanned: RunningFixture) -> None:
    ended = run(fanned, [{"n": 0}, {"n": 1, "fails": True}])
    assert ended.error == "States.ExceedToleratedFailureThreshold"


def test_no_items_are_no_failure(fanned: RunningFixture) -> None:
    ended = run(fanned, [])
    assert ended.status == "SUCCEEDED"
    assert written(fanned, ended, "SUCCEEDED") == []


def test_the_map_run_tells_how_many_items_ended_how(fanned: RunningFixture) -> None:
    ended = run(fanned, [{"n": n} for n in range(5)] + [{"n": 5, "fails": True}], size=5, tolerated_pct=50)
    states = fanned.cloud.client("stepfunctions")
    (listed,) = states.list_map_runs(executionArn=ended.arn)["mapRuns"]
    counts = states.describe_map_run(mapRunArn=listed["mapRunArn"])["itemCounts"]
    assert (counts["total"], counts["succeeded"], counts["failed"]) == (6, 5, 1)


def test_thousands_of_items_do_not_end_in_a_recursion(fanned: RunningFixture) -> None:
    ended = run(fanned, [{"n": n} for n in range(1500)])  # stock recurses once an item, and hangs near 990
    assert len(written(fanned, ended, "SUCCEEDED")) == 1500
