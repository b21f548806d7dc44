"""What a running service says of its runs."""

import json
from datetime import datetime

import pytest

from cli.service.voice import Told, Voice, told_failure, told_run
from openbell.model import NEW_YORK, Run, RunStatus
from tests.builders import D

THREE = datetime(2022, 6, 15, 15, tzinfo=NEW_YORK)


def run(status: RunStatus = RunStatus.COMPLETED, note: str = "") -> Run:
    return Run("20220615-1500-ab12", "tick-1", THREE, status, "daily", ("momentum",), note=note)


def test_a_completed_run_is_told_with_its_equity() -> None:
    told = told_run(run(), [], "SUCCEEDED", D("99983.06"))
    assert told.line == "Wed 2022-06-15 15:00  daily         COMPLETED  no orders, equity 99,983.06  20220615-1500-ab12"


def test_a_skipped_run_is_told_with_its_reason() -> None:
    told = told_run(run(RunStatus.SKIPPED, "market closed,\nnext open"), [], "SUCCEEDED", D(1))
    assert told.line == "Wed 2022-06-15 15:00  daily         SKIPPED    market closed,"


def test_an_execution_that_was_stopped_is_told_as_such_though_its_run_has_no_end() -> None:
    assert told_run(run(RunStatus.RUNNING), [], "ABORTED", D(1)).status == "ABORTED"
    assert told_run(run(RunStatus.FAILED), [], "FAILED", D(1)).status == "FAILED"


def test_an_execution_without_a_run_is_told_with_its_error() -> None:
    cause = json.dumps({"errorMessage": "strategies.yaml: unknown strategy", "errorType": "ConfigError"})
    told = told_failure(THREE, "tick-1", "FAILED", "ConfigError", cause, D(1))
    assert told.line == "Wed 2022-06-15 15:00  -             FAILED     ConfigError: strategies.yaml: unknown strategy"


def test_as_json_each_run_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    voice = Voice(as_json=True)
    voice.run(Told(THREE, "COMPLETED", "tick-1", D("99983.06"), "20220615-1500-ab12", "daily", orders=2, filled=1))
    assert json.loads(capsys.readouterr().out) == {
        "at": "2022-06-15T15:00:00-04:00",
        "status": "COMPLETED",
        "execution": "tick-1",
        "equity": "99983.06",
        "run_id": "20220615-1500-ab12",
        "schedule": "daily",
        "strategies": [],
        "note": "",
        "orders": 2,
        "filled": 1,
    }
