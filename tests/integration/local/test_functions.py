"""Handlers in worker processes: what they see, how they fail, and what is kept of what they say."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import Invocation
from tests.integration.local.processes import is_running
from tests.integration.local.running import CALLERS_ENVIRONMENT, RunningFixture, eventually

PROJECT = Path(__file__).parents[3]


def invoke(fixture: RunningFixture, name: str, **event: Any) -> Mapping[str, Any]:
    """The whole answer of Lambda to an invocation with a tail of the log."""
    answer: Mapping[str, Any] = fixture.cloud.client("lambda").invoke(
        FunctionName=name, LogType="Tail", Payload=json.dumps(event)
    )
    return answer


def last_invocation(fixture: RunningFixture, function: str) -> Invocation:
    return [invocation for invocation in fixture.cloud.invocations if invocation.function == function][-1]


def pid_of_last(fixture: RunningFixture, function: str) -> int:
    """The process that said so last."""
    said = [line for line in fixture.cloud.logs(function) if line.startswith("pid ")]
    return int(said[-1].removeprefix("pid "))


# ------------------------------------------------------------------------------------------------ Surroundings


def test_a_function_sees_the_environment_that_the_template_gives_it(fixture: RunningFixture) -> None:
    seen = fixture.invoke("EchoFunction")["environment"]
    assert seen["GREETING"] == "hello"
    assert seen["TABLE"] == fixture.cloud.outputs["TableName"]
    assert seen["BUCKET"] == fixture.cloud.outputs["BucketName"]
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == fixture.cloud.physical_id("EchoFunction")
    assert seen["AWS_ENDPOINT_URL"] == fixture.cloud.endpoint_url


def test_a_function_sees_nothing_of_the_environment_of_whoever_opened_the_cloud(fixture: RunningFixture) -> None:
    seen = fixture.invoke("EchoFunction")["environment"]
    assert CALLERS_ENVIRONMENT.keys() & seen.keys() == set()


def test_memory_and_time_limit_are_the_templates(fixture: RunningFixture) -> None:
    seen = fixture.invoke("EchoFunction")
    assert seen["memory_mb"] == "512"  # its own
    assert seen["environment"]["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert 3000 < seen["left_ms"] <= 5000  # of Globals: 5 s
    fixture.invoke("TroubledFunction", trouble="none")
    assert last_invocation(fixture, "TroubledFunction").memory_mb == 256  # of Globals


def test_a_function_runs_in_a_copy_of_its_own_folder_with_its_layer(fixture: RunningFixture) -> None:
    seen = fixture.invoke("EchoFunction")
    assert seen["files"] == ["app.py"]  # neither Makefile nor requirements.txt
    assert seen["word"] == "done"  # of the layer
    assert {str(PROJECT), str(PROJECT / "shared")} & set(seen["path"]) == set()


def test_layer_files_take_the_place_of_what_the_layer_has_there(fixture: RunningFixture) -> None:
    assert fixture.invoke("EchoFunction")["tone"] == "the test's"


def test_a_warm_process_is_used_again(fixture: RunningFixture) -> None:
    first, second = (fixture.invoke("LingerFunction", trouble="none") for _ in range(2))
    assert first == second == {"trouble": "none"}
    assert not last_invocation(fixture, "LingerFunction").cold_start


def test_an_alias_runs_the_published_version(fixture: RunningFixture) -> None:
    seen = json.loads(invoke(fixture, fixture.cloud.outputs["EchoAlias"])["Payload"].read())
    assert seen["environment"]["AWS_LAMBDA_FUNCTION_VERSION"] == "1"
    assert fixture.invoke("EchoFunction")["environment"]["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"


# ------------------------------------------------------------------------------------------------ Trouble


def test_an_error_of_the_handler_is_answered_with_its_class_and_words(fixture: RunningFixture) -> None:
    answer = invoke(fixture, fixture.cloud.physical_id("TroubledFunction"), trouble="raise")
    payload = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("OddTrouble", "as you wished")
    assert last_invocation(fixture, "TroubledFunction").error_type == "OddTrouble"


def test_a_handler_that_is_too_slow_is_killed_after_its_time_limit(fixture: RunningFixture) -> None:
    payload = fixture.invoke("TroubledFunction", trouble="sleep", seconds=30)
    assert payload["errorType"] == "Sandbox.Timedout"
    assert payload["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert not is_running(pid_of_last(fixture, "TroubledFunction"))
    assert 1000 <= last_invocation(fixture, "TroubledFunction").duration_ms < 3000


@pytest.mark.parametrize(("trouble", "words"), [("exit", "exit status 3"), ("kill", "signal: SIGKILL")])
def test_a_process_that_dies_is_answered_at_once_and_replaced(
    fixture: RunningFixture, trouble: str, words: str
) -> None:
    payload = fixture.invoke("TroubledFunction", trouble=trouble)
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith(f"Runtime exited with error: {words}")
    assert fixture.invoke("TroubledFunction", trouble="none") == {"trouble": "none"}
    assert last_invocation(fixture, "TroubledFunction").cold_start


def test_a_handler_that_cannot_be_loaded_is_an_import_error_each_time(fixture: RunningFixture) -> None:
    for _ in range(2):
        payload = fixture.invoke("LameFunction")
        assert payload["errorType"] == "Runtime.ImportModuleError"
        assert "No module named 'no_such_module'" in payload["errorMessage"]


def test_an_answer_that_is_no_json_is_the_handlers_error(fixture: RunningFixture) -> None:
    assert fixture.invoke("TroubledFunction", trouble="unserializable")["errorType"] == "Runtime.MarshalError"


def test_more_than_the_reserved_concurrency_is_throttled(fixture: RunningFixture) -> None:
    name = fixture.cloud.physical_id("NarrowFunction")
    fixture.cloud.client("lambda").invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps({"trouble": "sleep", "seconds": 1})
    )
    eventually(lambda: fixture.cloud.logs("NarrowFunction"))
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        invoke(fixture, name, trouble="none")


def test_what_a_handler_started_ends_with_it(fixture: RunningFixture) -> None:
    child = fixture.invoke("TroubledFunction", trouble="child")["child"]
    assert is_running(child)
    fixture.invoke("TroubledFunction", trouble="exit")
    eventually(lambda: not is_running(child))


# ------------------------------------------------------------------------------------------------ What is kept


def test_printed_lines_are_kept_by_function_and_in_its_log_group(fixture: RunningFixture) -> None:
    fixture.invoke("EchoFunction", print="two\nlines")
    assert "two" in fixture.cloud.logs("EchoFunction")
    assert "lines" in fixture.cloud.logs("EchoFunction")
    assert "two" not in fixture.cloud.logs("TroubledFunction")
    found = fixture.cloud.client("logs").filter_log_events(logGroupName="/openbell/echo", filterPattern="lines")
    assert "lines" in [event["message"] for event in found["events"]]


def test_the_tail_of_the_log_comes_with_the_answer(fixture: RunningFixture) -> None:
    answer = invoke(fixture, fixture.cloud.physical_id("EchoFunction"), print="near the end")
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert lines[0].startswith("START RequestId: ")
    assert "near the end" in lines
    assert lines[-1].startswith("REPORT RequestId: ")
    assert "Memory Size: 512 MB" in lines[-1]


def test_measures_in_the_embedded_format_become_metrics(fixture: RunningFixture) -> None:
    before = len(fixture.cloud.metrics)
    fixture.invoke("EchoFunction", metric=7)
    runs, spread = fixture.cloud.metrics[before:]
    assert (runs.namespace, runs.name, runs.value, runs.unit) == ("Fixture", "Runs", 7.0, "Count")
    assert (spread.name, spread.value, spread.unit) == ("Spread", 2.5, "Milliseconds")
    assert runs.dimensions == {"service": "echo"}
    assert abs(datetime.now(UTC) - runs.at) < timedelta(minutes=1)


def test_metrics_reach_cloudwatch(fixture: RunningFixture) -> None:
    fixture.invoke("EchoFunction", metric=3)
    now = datetime.now(UTC)
    found = fixture.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="Fixture",
        MetricName="Spread",
        Dimensions=[{"Name": "service", "Value": "echo"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Average"],
    )
    assert [point["Average"] for point in found["Datapoints"]] == [2.5]


def test_an_invocation_is_recorded_with_what_it_costs(fixture: RunningFixture) -> None:
    fixture.invoke("EchoFunction", sleep=0.1)
    invocation = last_invocation(fixture, "EchoFunction")
    assert 100 <= invocation.duration_ms < 2000
    assert invocation.billed_gb_s == pytest.approx(invocation.duration_ms / 1000 * 0.5)  # 512 MB are half a GB
    assert invocation.peak_memory_mb
    assert 5 < invocation.peak_memory_mb < 512
    assert invocation.error_type is None


def test_an_invocation_is_measured_as_lambda_does_on_the_clouds_clock(fixture: RunningFixture) -> None:
    fixture.invoke("EchoFunction")
    now = datetime.now(UTC)  # this cloud's clock is the real one
    found = fixture.cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": name.lower(),
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Lambda",
                        "MetricName": name,
                        "Dimensions": [{"Name": "FunctionName", "Value": fixture.cloud.physical_id("EchoFunction")}],
                    },
                    "Period": 7200,
                    "Stat": "SampleCount" if name == "Duration" else "Sum",
                },
            }
            for name in ("Invocations", "Errors", "Duration")
        ],
        StartTime=now - timedelta(hours=4),
        EndTime=now + timedelta(minutes=1),
    )
    invoked, failed, timed = (sum(result["Values"]) for result in found["MetricDataResults"])
    ours = [call for call in fixture.cloud.invocations if call.function == "EchoFunction"]
    assert invoked == timed == len(ours)
    assert failed == sum(call.error_type is not None for call in ours)
