"""Executions of the fixture's workflows: how trouble reaches them, and what is not waited for."""

import json
import time

import pytest

from tests.integration.local.running import RunningFixture, eventually


def test_a_task_gets_what_the_context_object_has(fixture: RunningFixture) -> None:
    ended = fixture.run(path="plain", extra=1)
    seen = ended.output["seen"]
    assert seen["input"] == {"path": "plain", "extra": 1}
    assert (seen["name"], seen["id"], seen["state"]) == (ended.name, ended.arn, "Plain")
    assert seen["start"].endswith("Z")
    assert seen["start"][10] == "T"


def test_executions_without_a_name_get_different_ones(fixture: RunningFixture) -> None:
    assert fixture.run(path="wait", seconds=1).name != fixture.run(path="wait", seconds=1).name


@pytest.mark.parametrize(
    ("trouble", "error", "words"),
    [
        ("raise", "OddTrouble", "as you wished"),
        ("sleep", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ("exit", "Runtime.ExitError", "exit status 3"),
    ],
)
def test_trouble_reaches_a_catch_by_its_name(fixture: RunningFixture, trouble: str, error: str, words: str) -> None:
    ended = fixture.run(path="caught", trouble=trouble)
    assert (ended.status, ended.error) == ("FAILED", error)
    cause = json.loads(ended.cause or "")
    assert cause["errorType"] == error
    assert words in cause["errorMessage"]


def test_an_import_error_reaches_a_catch(fixture: RunningFixture) -> None:
    assert fixture.run(path="lame").error == "Runtime.ImportModuleError"


def test_an_error_that_nothing_catches_fails_the_execution_with_its_name(fixture: RunningFixture) -> None:
    ended = fixture.run(path="uncaught")
    assert (ended.status, ended.error) == ("FAILED", "OddTrouble")


def test_a_task_that_takes_longer_than_its_state_may_is_given_up(fixture: RunningFixture) -> None:
    ended = fixture.run(path="slow", seconds=2)
    assert (ended.status, ended.error) == ("FAILED", "States.Timeout")


def test_a_retry_waits_its_intervals_times_the_scale(fixture: RunningFixture) -> None:
    fixture.invoke("TroubledFunction", trouble="none")  # warms a process: the tries are counted in one
    begun = time.monotonic()
    ended = fixture.run(path="retried")
    assert ended.output == {"tries": 3}
    assert 0.3 <= time.monotonic() - begun < 3.0  # (1 s + 2 s) x 0.1


def test_a_wait_is_handed_to_the_hook_instead_of_waited_for(fixture: RunningFixture) -> None:
    before, begun = len(fixture.waits), time.monotonic()
    assert fixture.run(path="wait", seconds=86400).status == "SUCCEEDED"
    assert fixture.waits[before:] == [86400]
    assert time.monotonic() - begun < 5


def test_a_map_runs_its_items_in_several_processes_and_keeps_their_order(fixture: RunningFixture) -> None:
    ended = fixture.run(path="map", greeting="dear", items=["a", "b", "c", "d", "e", "f"], seconds=0.3)
    assert [made["text"] for made in ended.output["made"]] == [f"dear {item}" for item in "abcdef"]
    assert len({made["pid"] for made in ended.output["made"]}) == 3  # MaxConcurrency 3, and as many processes


def test_a_map_of_more_items_than_python_may_recurse_ends(fixture: RunningFixture) -> None:
    ended = fixture.run(path="many", items=list(range(1000)))
    assert ended.output == list(range(1000))


def test_an_item_that_fails_fails_its_map_by_name(fixture: RunningFixture) -> None:
    ended = fixture.run(path="failing_map", items=["none", "raise", "none"])
    assert (ended.status, ended.error) == ("FAILED", "OddTrouble")


def test_a_throttled_item_is_caught_by_the_services_error_name(fixture: RunningFixture) -> None:
    ended = fixture.run(path="narrow", items=[1, 2, 3])
    assert sorted(ended.output, key=str) == ["throttled", "throttled", {"slept": 0.3}]


def test_tasks_call_other_services_and_their_errors_are_caught(fixture: RunningFixture) -> None:
    for _ in range(2):  # the second time there is such an item: DynamoDB.ConditionalCheckFailedException
        assert fixture.run(path="services", key="k").status == "SUCCEEDED"
    item = fixture.cloud.client("dynamodb").get_item(
        TableName=fixture.cloud.outputs["TableName"], Key={"pk": {"S": "k"}}
    )["Item"]
    assert item["count"] == {"N": "3"}  # put as 1, then one more each time


def test_an_execution_that_uses_up_its_time_ends_then_and_not_when_its_task_does(fixture: RunningFixture) -> None:
    begun = time.monotonic()
    ended = fixture.run("Brief", seconds=4)
    assert ended.status == "TIMED_OUT"
    assert 1.0 <= time.monotonic() - begun < 3.0


def test_an_execution_that_is_stopped_says_why_and_tells_it_in_its_history(fixture: RunningFixture) -> None:
    arn = fixture.start("Brief", seconds=0.5)
    sfn = fixture.cloud.client("stepfunctions")
    sfn.stop_execution(executionArn=arn, error="Halted", cause="the test says so")
    ended = fixture.ended(arn)
    assert (ended.status, ended.error, ended.cause) == ("ABORTED", "Halted", "the test says so")
    events = eventually(
        lambda: sfn.get_execution_history(executionArn=arn)["events"],
        lambda found: found[-1]["type"] == "ExecutionAborted",
    )
    assert events[-1]["executionAbortedEventDetails"]["error"] == "Halted"
