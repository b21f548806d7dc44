"""OpenRun: may we trade? Then take the lease, reconcile the books, freeze the run's inputs."""

import openbell.cold_start  # noqa: F401 before all other imports

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from openbell import bootstrap
from openbell.config import PlatformConfig
from openbell.errors import Halted, KeysLost, KeysRefused, LeaseStuck, RunSkipped
from openbell.lambdas import Event, entry_point, logger, metrics, publish
from openbell.runs import RunInputs
from openbell.workflow.open_run import RunRequest, open_run
from openbell.workflow.skip_without_keys import skip_without_keys


class Request(Event):
    """The execution's input: a schedule's tick, or what a person typed."""

    schedule: str = "manual"
    tick: str = ""
    strategies: tuple[str, ...] = ()


class OpenRunEvent(Event):
    """What the state machine passes."""

    execution: str
    execution_arn: str
    request: Request


@entry_point(OpenRunEvent)
def handler(event: OpenRunEvent) -> dict[str, Any]:
    """The run that may trade now, or why there is none: a skip is an answer, so that errors are trouble."""
    request = RunRequest(event.execution, **event.request.model_dump())
    try:
        inputs = open_run(request, _config(), bootstrap.desk(), bootstrap.executions(event.execution_arn))
    except RunSkipped as skipped:
        answer = _skipped(skipped)
    except KeysRefused as refused:
        bootstrap.forget_keys()
        now = datetime.now(UTC)
        answer = _skipped(skip_without_keys(request, refused, now, bootstrap.ledger(), bootstrap.alerts()))
    else:
        metrics.add_metric("RunsOpened", MetricUnit.Count, 1)
        answer = _opened(inputs)
    publish(bootstrap.ledger(), bootstrap.events())  # what runs that died have left, too
    return answer


def _config() -> PlatformConfig:
    """What the run trades by; selling everything needs no strategy, and no valid configuration."""
    halt = bootstrap.ledger().halt()
    return bootstrap.config_or_defaults() if halt and halt.flatten else bootstrap.config()


def _opened(inputs: RunInputs) -> dict[str, Any]:
    return {
        "opened": True,
        "reason": "",
        "run_id": inputs.run_id,
        "fence": inputs.fence,
        "as_of": inputs.clock.now.isoformat(),
        "strategies": list(inputs.strategies),
        "poll_seconds": inputs.config.execution.poll_seconds,
    }


def _skipped(skipped: RunSkipped) -> dict[str, Any]:
    """The state machine reads the same fields of every answer."""
    logger.info("run skipped", extra={"reason": str(skipped)})
    metrics.add_metric("RunsSkipped", MetricUnit.Count, 1)
    if not isinstance(skipped, LeaseStuck | KeysLost):  # which are no reasons to be calm
        metrics.add_metric("Heartbeat", MetricUnit.Count, 1)
    if isinstance(skipped, Halted):
        metrics.add_metric("Halted", MetricUnit.Count, 1)
    reason = f"{type(skipped).__name__}: {skipped}"
    return {
        "opened": False,
        "reason": reason,
        "run_id": "",
        "fence": 0,
        "as_of": "",
        "strategies": [],
        "poll_seconds": 0,
    }
