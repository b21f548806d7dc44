"""The fixture template running in the local cloud, and what tests do with it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import Alert, LocalCloud

FIXTURE = Path(__file__).parent / "fixture"
CALLERS_ENVIRONMENT = {"AWS_PROFILE": "production", "OWN_SECRET": "hidden"}  # none of it may matter
_PATIENCE_S = 15.0


@dataclass(frozen=True)
class Ended:
    """How an execution ended."""

    name: str
    arn: str
    status: str
    output: Any  # parsed; None unless it succeeded
    error: str | None
    cause: str | None


@dataclass(frozen=True)
class RunningFixture:
    """The fixture's cloud, and what its hooks were called with."""

    cloud: LocalCloud
    waits: list[float]  # seconds that Wait states asked for
    heard: list[Alert]  # what on_alert was called with

    def start(self, machine: str = "Workflow", **given: Any) -> str:
        """Start the workflow of this name in the template; gives the execution's ARN."""
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.cloud.physical_id(machine), input=json.dumps(given)
        )
        return str(started["executionArn"])

    def ended(self, arn: str) -> Ended:
        """Wait for the execution's end."""
        found = eventually(lambda: self._describe(arn), lambda execution: execution["status"] != "RUNNING")
        return Ended(
            name=found["name"],
            arn=arn,
            status=found["status"],
            output=json.loads(found["output"]) if "output" in found else None,
            error=found.get("error"),
            cause=found.get("cause"),
        )

    def run(self, machine: str = "Workflow", **given: Any) -> Ended:
        return self.ended(self.start(machine, **given))

    def _describe(self, arn: str) -> dict[str, Any]:
        return dict(self.cloud.client("stepfunctions").describe_execution(executionArn=arn))

    def invoke(self, function: str, **event: Any) -> Any:
        """The payload that Lambda answers with."""
        answer = self.cloud.client("lambda").invoke(
            FunctionName=self.cloud.physical_id(function), Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read())


def eventually[T](look: Callable[[], T], good: Callable[[T], object] = bool) -> T:
    """What `look` gives as soon as it is `good`."""
    deadline = time.monotonic() + _PATIENCE_S
    while not good(found := look()):
        assert time.monotonic() < deadline, f"still {found!r} after {_PATIENCE_S:.0f} s"
        time.sleep(0.01)
    return found
