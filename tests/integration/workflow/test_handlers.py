"""What OpenRun's and CloseRun's handlers add to their use cases: the answer's shape, and the metrics."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from openbell.adapters.memory.executions import MemoryExecutions
from openbell.events import DomainEvent
from openbell.model import RunStatus
from openbell.workflow.open_run import LEASE_SECONDS, RUN_SECONDS
from tests.chaos.handlers import counting, invoke, wired
from tests.integration.workflow.stage import WEDNESDAY, Stage

ANSWER = {"opened", "reason", "run_id", "fence", "as_of", "strategies", "poll_seconds"}


class Bus:
    def publish(self, events: Sequence[DomainEvent]) -> list[DomainEvent]:
        return list(events)


@pytest.fixture
def counted() -> Iterator[list[str]]:
    with counting() as names:
        yield names


def call(stage: Stage, function: str, event: dict[str, Any]) -> dict[str, Any]:
    with wired(stage.desk, stage.data, Bus(), stage.config, MemoryExecutions()):
        return invoke(function, event)


def opening(execution: str, **request: Any) -> dict[str, Any]:
    return {"execution": execution, "execution_arn": f"arn:aws:states:x:1:execution:m:{execution}", "request": request}


def test_every_answer_has_the_fields_that_the_state_machine_reads(counted: list[str]) -> None:
    stage = Stage()
    skipped = call(stage, "OpenRun", opening("first", schedule="quarter_hour", tick="2022-06-15T18:45:00Z"))
    opened = call(stage, "OpenRun", opening("second"))
    assert skipped.keys() == opened.keys() == ANSWER
    assert skipped["reason"].startswith("NoStrategyDue: the tick of 2022-06-15T18:45:00Z comes")
    assert (skipped["opened"], opened["opened"], opened["reason"]) == (False, True, "")
    assert counted == ["RunsSkipped", "Heartbeat", "RunsOpened"]


def test_a_lease_that_is_stuck_gives_no_heartbeat(counted: list[str]) -> None:
    stage = Stage(at=WEDNESDAY.replace(hour=11))
    stage.ledger.acquire_lease("unknown", stage.exchange.now, LEASE_SECONDS)
    stage.exchange.wait(RUN_SECONDS + 1)
    assert call(stage, "OpenRun", opening("second"))["reason"].startswith("LeaseStuck: unknown has held the lease")
    assert counted == ["RunsSkipped"]


def test_a_run_that_abort_run_has_closed_is_not_counted_again(counted: list[str]) -> None:
    stage = Stage()
    call(stage, "OpenRun", opening("first"))
    failed = {"execution": "first", "outcome": "FAILED", "trace": {"failure": {"Error": "StaleData", "Cause": "old"}}}
    call(stage, "CloseRun", failed)
    call(stage, "CloseRun", failed | {"afterwards": True})
    assert counted.count("RunsFailed") == 1
    run = stage.ledger.run_of("first")
    assert run
    assert (run.status, run.note) == (RunStatus.FAILED, "StaleData: old")


def test_a_run_whose_abort_failed_is_closed_and_counted_afterwards(counted: list[str]) -> None:
    stage = Stage()
    call(stage, "OpenRun", opening("first"))
    call(stage, "CloseRun", {"execution": "first", "outcome": "FAILED", "afterwards": True, "trace": {}})
    assert counted.count("RunsFailed") == 1
    assert stage.ledger.lease() is None
