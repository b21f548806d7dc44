"""Executions as others see them, and their histories in files, so that they outlive the local cloud."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.responses import get_backend

from local.account import ACCOUNT_ID, REGION
from local.journal import Journal, read_journal

_KILLED = {"error": "LocalCloud.Killed", "cause": "the local cloud ended while this execution was running"}


@dataclass(frozen=True)
class ExecutionChange:
    """What an execution has become."""

    arn: str
    status: str  # RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED
    input: str
    error: str = ""
    cause: str = ""
    milliseconds: float = 0.0  # of real time from start to end

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.arn.rsplit(":", 1)[-1]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status != "RUNNING"


class Watch:
    """Tells each change of an execution once, in its order, whichever of moto's threads notices it first."""

    def __init__(self, tell: Callable[[ExecutionChange], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._ended: set[str] = set()

    def look(self, execution: Execution) -> None:
        """The execution may have changed."""
        with self._lock:
            change = _change(execution)  # its status is read inside: it may have ended since somebody saw it start
            if change.arn in self._ended:
                return
            if change.ended:
                self._ended.add(change.arn)
            self._tell(change)


def _change(execution: Execution) -> ExecutionChange:
    return ExecutionChange(
        execution.exec_arn,
        execution.status,
        execution.execution_input,
        execution.error or "",
        execution.cause or "",
        (execution.stop_date - execution.start_date).total_seconds() * 1000 if execution.stop_date else 0.0,
    )


def was_started(state_machine_arn: str, text: str) -> bool:
    """Whether an execution of this state machine was ever started with the input `text`."""
    machine = get_backend(ACCOUNT_ID, REGION).describe_state_machine(state_machine_arn)
    return any(execution.execution_input == text for execution in machine.executions)


class ExecutionFiles:
    """A file for each execution, `<state machine>/<name>.jsonl`: how it started, then every event of its history."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def following(self, execution: Execution, manager: EventManager) -> Iterator[None]:
        """Write down what happens to the execution inside the block."""
        path = self._folder / execution.state_machine.name / f"{execution.name}.jsonl"
        publish = manager._publish_history_event
        with _opened(path) as journal:
            journal.append({"start": _start(execution)})
            for event in manager.get_event_history():
                journal.append({"event": _plain(event)}, power_safe=False)

            def publish_and_keep(**known: Any) -> None:
                publish(**known)
                event = _plain(manager._history_event_list[-1])
                journal.append({"event": event}, power_safe=event["type"] in _ENDS)

            manager._publish_history_event = publish_and_keep
            try:
                yield
            finally:
                del manager._publish_history_event

    def restore(self) -> tuple[Execution, ...]:
        """Give moto every execution that is kept; those that were running are ABORTED now, and are given back.

        An execution of a state machine that the template no longer has stays in its file.
        """
        machines = {machine.name: machine for machine in get_backend(ACCOUNT_ID, REGION).state_machines}
        aborted = []
        for path in self._folder.glob("*/*.jsonl"):
            entries = read_journal(path)
            machine = machines.get(path.parent.name)
            if machine is None or not entries:
                continue
            events = [entry["event"] for entry in entries[1:]]
            cut_off = not events or events[-1]["type"] not in _ENDS
            if cut_off:
                events.append(_abortion(events))
                with _opened(path) as journal:
                    journal.append({"event": events[-1]})
            execution = _execution(entries[0]["start"], events, machine)
            machine.executions.append(execution)
            if cut_off:
                aborted.append(execution)
        return tuple(sorted(aborted, key=lambda execution: execution.start_date))


_ENDS = {
    HistoryEventType.ExecutionSucceeded.value: ExecutionStatus.SUCCEEDED,
    HistoryEventType.ExecutionFailed.value: ExecutionStatus.FAILED,
    HistoryEventType.ExecutionTimedOut.value: ExecutionStatus.TIMED_OUT,
    HistoryEventType.ExecutionAborted.value: ExecutionStatus.ABORTED,
}


@contextmanager
def _opened(path: Path) -> Iterator[Journal]:
    journal = Journal(path)
    try:
        yield journal
    finally:
        journal.close()


def _plain(event: Any) -> dict[str, Any]:
    return dict(json.loads(to_json_str(event)))


def _start(execution: Execution) -> dict[str, str]:
    return {
        "arn": execution.exec_arn,
        "name": execution.name,
        "input": execution.execution_input,
        "started_at": execution.start_date.isoformat(),
    }


def _abortion(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    last = events[-1]["id"] if events else 0
    return {
        "id": last + 1,
        "previousEventId": last,
        "type": HistoryEventType.ExecutionAborted.value,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "executionAbortedEventDetails": _KILLED,
    }


def _execution(start: Mapping[str, str], events: Sequence[Mapping[str, Any]], machine: Any) -> Execution:
    """An execution that has ended, as moto would have it after running it."""
    last = events[-1]
    details = last.get(f"{last['type'][0].lower()}{last['type'][1:]}EventDetails", {})
    execution = Execution(
        name=start["name"],
        sm_type=machine.sm_type,
        role_arn=machine.roleArn,
        exec_arn=start["arn"],
        account_id=ACCOUNT_ID,
        region_name=REGION,
        state_machine=machine,
        start_date=datetime.fromisoformat(start["started_at"]),
        cloud_watch_logging_session=None,
        activity_store={},
        input_data=start["input"],
    )
    execution.exec_status = _ENDS[last["type"]]
    execution.stop_date = datetime.fromisoformat(last["timestamp"])
    execution.output = json.loads(details["output"]) if "output" in details else None
    execution.error, execution.cause = details.get("error"), details.get("cause")
    execution.exec_worker = execution._get_start_execution_worker()
    execution.exec_worker.env = execution.exec_worker._get_evaluation_environment()
    execution.exec_worker.env.event_manager._history_event_list.extend(events)
    return execution
