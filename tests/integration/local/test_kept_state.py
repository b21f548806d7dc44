"""A local cloud with a folder: what it was given is there again in the next one, also when it was killed."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import ExecutionChange, LocalCloud, LocalCloudError
from tests.integration.local.running import FIXTURE, RunningFixture, eventually

type Open = Callable[..., AbstractContextManager[LocalCloud]]

TEMPLATE = FIXTURE / "kept.yaml"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def cloud(state: Path) -> Open:
    """Opens a cloud on the test's folder."""

    @contextmanager
    def opened(**options: Any) -> Iterator[LocalCloud]:
        with LocalCloud(template=TEMPLATE, state=state, **options) as made:
            yield made

    return opened


def items(cloud: LocalCloud) -> dict[str, Any]:
    found = cloud.client("dynamodb").scan(TableName=cloud.physical_id("Table"))["Items"]
    return {item.pop("pk")["S"]: item for item in found}


def objects(cloud: LocalCloud) -> dict[str, tuple[str, bytes]]:
    s3, bucket = cloud.client("s3"), cloud.physical_id("Bucket")
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    stored = {key: s3.get_object(Bucket=bucket, Key=key) for key in keys}
    return {key: (found["ContentType"], found["Body"].read()) for key, found in stored.items()}


def change_items(dynamodb: Any, table: str) -> None:
    """Every kind of change, and two that are refused."""
    for pk in ("kept", "changed", "deleted"):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": pk}, "n": {"N": "1.50"}, "raw": {"B": b"\xff\x00"}})
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": "changed"}},
        UpdateExpression="SET n = n + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": "deleted"}})
    batch = [{"PutRequest": {"Item": {"pk": {"S": f"batch-{number:02d}"}}}} for number in range(25)]
    dynamodb.batch_write_item(RequestItems={table: batch})
    put = {"TableName": table, "Item": {"pk": {"S": "together"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    check = {"TableName": table, "Key": {"pk": {"S": "kept"}}, "ConditionExpression": "attribute_exists(pk)"}
    dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"ConditionCheck": check}])
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.put_item(**put)
    with pytest.raises(ClientError, match="TransactionCanceled"):
        dynamodb.transact_write_items(TransactItems=[{"Put": put | {"Item": {"pk": {"S": "together"}}}}])


def change_objects(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="runs/1/report.json", Body=b'{"old": 1}', ContentType="application/json")
    s3.put_object(Bucket=bucket, Key="runs/1/report.json", Body=b'{"new": "\xc3\xa4"}', ContentType="application/json")
    s3.put_object(Bucket=bucket, Key="a key/with 100 % + ümlaut", Body=bytes(range(256)))
    for key in ("deleted", "deleted with others/1", "deleted with others/2"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.delete_object(Bucket=bucket, Key="deleted")
    others = [{"Key": "deleted with others/1"}, {"Key": "deleted with others/2"}]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": others})


def test_items_and_objects_are_there_again_after_each_restart(cloud: Open, state: Path) -> None:
    with cloud() as first:
        change_items(first.client("dynamodb"), first.physical_id("Table"))
        change_objects(first.client("s3"), first.physical_id("Bucket"))
        told, stored = items(first), objects(first)
    assert len(told) == 28  # kept, changed, together and 25 of the batch
    assert told["changed"]["n"] == {"N": "2.50"}
    assert stored["runs/1/report.json"] == ("application/json", '{"new": "ä"}'.encode())
    for _ in range(2):  # from what happened, then from what the first restart made of it
        with cloud() as again:
            assert items(again) == told
            assert objects(again) == stored
    # Two batches of items, two objects.
    assert len((state / "journal.jsonl").read_text().splitlines()) == 4


def test_what_is_changed_after_a_restart_is_kept_too(cloud: Open) -> None:
    for number in range(3):
        with cloud() as opened:
            opened.client("dynamodb").put_item(
                TableName=opened.physical_id("Table"), Item={"pk": {"S": f"start-{number}"}}
            )
    with cloud() as opened:
        assert sorted(items(opened)) == ["start-0", "start-1", "start-2"]


def test_what_is_not_of_the_stack_is_not_kept(cloud: Open, state: Path) -> None:
    with cloud() as opened:
        opened.client("s3").create_bucket(Bucket="passing")
        opened.client("s3").put_object(Bucket="passing", Key="note", Body=b"x")
    with cloud() as opened:
        names = {bucket["Name"] for bucket in opened.client("s3").list_buckets()["Buckets"]}
    assert "passing" not in names
    assert (state / "journal.jsonl").read_text() == ""


def test_a_line_that_was_not_finished_is_as_if_it_had_never_been(cloud: Open, state: Path) -> None:
    with cloud() as opened:
        opened.client("dynamodb").put_item(TableName=opened.physical_id("Table"), Item={"pk": {"S": "whole"}})
    journal = state / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole[: len(whole) // 2])
    with cloud() as opened:
        assert list(items(opened)) == ["whole"]


def test_a_damaged_journal_is_refused_by_line(cloud: Open, state: Path) -> None:
    state.mkdir()
    (state / "journal.jsonl").write_text("{}x\n")
    with pytest.raises(LocalCloudError, match=r"journal.jsonl, line 1 is not what was written there"), cloud():
        pass


def test_a_journal_of_another_template_is_refused(cloud: Open, state: Path) -> None:
    with cloud() as opened:
        table = opened.physical_id("Table")
        opened.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": "x"}})
    journal = state / "journal.jsonl"
    journal.write_text(journal.read_text().replace(table, "another"))
    with pytest.raises(LocalCloudError, match="The journal does not fit the template"), cloud():
        pass


def test_nothing_is_accepted_that_cannot_be_written_down(
    cloud: Open, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def write_and_read(opened: LocalCloud) -> None:
        monkeypatch.setattr("os.fsync", full)
        for _ in range(2):
            with pytest.raises(ClientError, match="500"):
                opened.client("dynamodb").put_item(TableName=opened.physical_id("Table"), Item={"pk": {"S": "x"}})
        with pytest.raises(ClientError, match="500"):  # nobody learns of what would be forgotten
            items(opened)

    with pytest.raises(LocalCloudError, match="No space left on device"), cloud() as opened:
        write_and_read(opened)


def test_a_transaction_that_fails_changes_nothing_and_undoes_nobody_elses_work(cloud: Open) -> None:
    with cloud() as opened:
        dynamodb, table = opened.client("dynamodb"), opened.physical_id("Table")
        for pk in ("put", "updated", "deleted"):
            dynamodb.put_item(TableName=table, Item={"pk": {"S": pk}, "n": {"N": "1"}})
        before = items(opened)
        named = {"TableName": table}
        update = {
            "Key": {"pk": {"S": "updated"}},
            "UpdateExpression": "SET n = :two",
            "ExpressionAttributeValues": {":two": {"N": "2"}},
        }
        with pytest.raises(ClientError, match="TransactionCanceled"):
            dynamodb.transact_write_items(
                TransactItems=[
                    {"Put": named | {"Item": {"pk": {"S": "new"}}}},
                    {"Put": named | {"Item": {"pk": {"S": "put"}, "n": {"N": "2"}}}},
                    {"Update": named | update},
                    {"Delete": named | {"Key": {"pk": {"S": "deleted"}}}},
                    {
                        "ConditionCheck": named
                        | {"Key": {"pk": {"S": "none"}}, "ConditionExpression": "attribute_exists(pk)"}
                    },
                ]
            )
        assert items(opened) == before


def test_a_condition_and_its_write_are_one_among_many_writers(cloud: Open) -> None:
    won: list[int] = []

    def try_to_be_first(opened: LocalCloud, number: int) -> None:
        with contextlib.suppress(ClientError):
            opened.client("dynamodb").put_item(
                TableName=opened.physical_id("Table"),
                Item={"pk": {"S": "lease"}, "holder": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(pk)",
            )
            won.append(number)

    with cloud() as opened:
        threads = [threading.Thread(target=try_to_be_first, args=(opened, number)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert items(opened)["lease"] == {"holder": {"N": str(won[0])}}
        assert len(won) == 1


WRITER = """
import sys, itertools
from pathlib import Path
from local import LocalCloud
with LocalCloud(template=Path(sys.argv[1]), state=Path(sys.argv[2])) as cloud:
    dynamodb, s3 = cloud.client("dynamodb"), cloud.client("s3")
    table, bucket = cloud.physical_id("Table"), cloud.physical_id("Bucket")
    for number in itertools.count():
        dynamodb.put_item(TableName=table, Item={"pk": {"S": str(number)}})
        s3.put_object(Bucket=bucket, Key=str(number), Body=b"x" * 20_000)
        print(number, flush=True)
"""


def test_whatever_was_acknowledged_survives_a_kill(cloud: Open, state: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(TEMPLATE), str(state)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = -1
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == 40:
            process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert acknowledged >= 40
    with cloud() as opened:
        expected = {str(number) for number in range(acknowledged + 1)}
        assert expected <= set(items(opened)) <= expected | {str(acknowledged + 1)}
        assert expected <= set(objects(opened)) <= expected | {str(acknowledged + 1)}


def history(cloud: LocalCloud, arn: str) -> list[tuple[str, int]]:
    events = cloud.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    return [(event["type"], event["id"]) for event in events]


def test_executions_and_their_histories_are_there_again(cloud: Open) -> None:
    with cloud() as opened:
        fixture = RunningFixture(opened, [], [])
        good, bad = fixture.run(path="plain"), fixture.run(path="fail")
        told = {ended.arn: history(opened, ended.arn) for ended in (good, bad)}
    assert [kind for kind, _ in told[bad.arn]][-2:] == ["FailStateEntered", "ExecutionFailed"]
    with cloud() as opened:
        fixture = RunningFixture(opened, [], [])
        assert fixture.ended(good.arn) == good
        assert fixture.ended(bad.arn) == bad
        assert {arn: history(opened, arn) for arn in told} == told
        listed = opened.client("stepfunctions").list_executions(stateMachineArn=opened.physical_id("Workflow"))
        assert {execution["executionArn"] for execution in listed["executions"]} == {good.arn, bad.arn}


def test_the_name_of_an_execution_stays_taken(cloud: Open) -> None:
    given: dict[str, Any] = {"name": "tick-1", "input": json.dumps({"path": "plain"})}
    with cloud() as opened:
        machine = opened.physical_id("Workflow")
        arn = opened.client("stepfunctions").start_execution(stateMachineArn=machine, **given)["executionArn"]
        RunningFixture(opened, [], []).ended(arn)
    with cloud() as opened, pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        opened.client("stepfunctions").start_execution(stateMachineArn=machine, **given)


def test_an_execution_that_was_running_at_the_end_is_aborted_and_a_person_hears_of_it(cloud: Open, state: Path) -> None:
    waiting, released = threading.Event(), threading.Event()

    def wait(_: float) -> None:
        waiting.set()
        released.wait()

    with cloud(wait=wait) as opened:
        arn = RunningFixture(opened, [], []).start(path="wait")
        waiting.wait()
        eventually(lambda: list(state.glob("executions/*/*")))
        (file,) = state.glob("executions/*/*")
        as_killed = file.read_bytes()
        released.set()
    file.write_bytes(as_killed)  # as a kill in the middle of the wait would have left it
    changes: list[ExecutionChange] = []
    with cloud(on_execution=changes.append) as opened:
        assert changes == []
        opened.tell_aborted()
        ended = RunningFixture(opened, [], []).ended(arn)
        assert (ended.status, ended.error) == ("ABORTED", "LocalCloud.Killed")
        assert [kind for kind, _ in history(opened, arn)][-2:] == ["WaitStateEntered", "ExecutionAborted"]
        assert [(change.arn, change.status) for change in changes] == [(arn, "ABORTED")]
        assert ended.name in opened.alerts[0].message
    with cloud(on_execution=changes.append) as opened:
        opened.tell_aborted()
        assert opened.alerts == []  # it is told once
        assert len(changes) == 1


def test_changes_of_an_execution_are_told_once_each(cloud: Open) -> None:
    changes: list[ExecutionChange] = []
    with cloud(on_execution=changes.append) as opened:
        fixture = RunningFixture(opened, [], [])
        good, bad = fixture.run(path="plain"), fixture.run(path="fail")
    assert [(change.name, change.status, change.ended) for change in changes] == [
        (good.name, "RUNNING", False),
        (good.name, "SUCCEEDED", True),
        (bad.name, "RUNNING", False),
        (bad.name, "FAILED", True),
    ]
    assert (changes[-1].error, changes[-1].cause) == ("Broken", "the input says so")


def test_names_are_the_same_at_each_start(cloud: Open) -> None:
    with cloud() as first:
        names = {name: first.physical_id(name) for name in ("Table", "Bucket", "Workflow", "Topic")}
    with cloud() as second:
        assert {name: second.physical_id(name) for name in names} == names
    assert names["Table"].startswith("openbell-Table-")
    assert names["Bucket"] == names["Bucket"].lower()
