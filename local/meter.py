"""What goes into CloudWatch's metrics: what functions say, and what AWS's own services measure of their work.

Its time is the local cloud's clock, as it is for the schedules: a dashboard then shows the days that the exchange
plays.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from moto.cloudwatch.models import cloudwatch_backends

from local.account import ACCOUNT_ID, REGION
from local.executions import ExecutionChange

_ENDS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


class Meter:
    """Puts values into CloudWatch at the moment that `clock` says (zone-aware)."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def put(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, unit: str) -> None:
        """One value of one metric."""
        datum = {
            "MetricName": name,
            "Value": value,
            "Unit": unit,
            "Timestamp": self._clock().astimezone(UTC).replace(tzinfo=None),  # moto compares naive UTC
            "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
        }
        cloudwatch_backends[ACCOUNT_ID][REGION].put_metric_data(namespace, [datum])

    def invocation(self, function: str, duration_ms: float, *, failed: bool) -> None:
        """What AWS/Lambda says of an invocation of `function` (its name)."""
        dimensions = {"FunctionName": function}
        self.put("AWS/Lambda", "Invocations", dimensions, 1.0, "Count")
        self.put("AWS/Lambda", "Errors", dimensions, float(failed), "Count")
        self.put("AWS/Lambda", "Duration", dimensions, duration_ms, "Milliseconds")

    def execution(self, change: ExecutionChange) -> None:
        """What AWS/States says of an execution, if it has ended."""
        if not change.ended:
            return
        machine = change.arn.rpartition(":")[0].replace(":execution:", ":stateMachine:")
        dimensions = {"StateMachineArn": machine}
        for status, name in _ENDS.items():
            self.put("AWS/States", name, dimensions, float(change.status == status), "Count")
        self.put("AWS/States", "ExecutionTime", dimensions, change.milliseconds, "Milliseconds")
