"""CloseRun: last look at the orders, check of the books, report, lease. AbortRun uses it too, with outcome FAILED."""

import openbell.cold_start  # noqa: F401 before all other imports

from typing import Any, Literal

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit

from openbell import bootstrap
from openbell.errors import message_of
from openbell.lambdas import Event, entry_point, metrics, publish
from openbell.measures import figures
from openbell.model import RunStatus
from openbell.workflow.close_run import close_run


class CloseRunEvent(Event):
    """What the state machine passes; `trace` is all that the execution knows."""

    execution: str
    outcome: Literal["COMPLETED", "FAILED"]
    run_id: str = ""
    afterwards: bool = False  # by the rule RunDied, when the execution has ended: AbortRun may have done it already
    trace: dict[str, Any]

    @property
    def failure(self) -> str:
        """Error and cause of a failed run."""
        if self.outcome != "FAILED":
            return ""
        found = self.trace.get("failure", {})
        return f"{found.get('Error', 'unknown error')}: {message_of(found.get('Cause', ''))}"


def _measure(report: dict[str, Any]) -> None:
    for figure in figures(report):
        with single_metric(name=figure.name, unit=MetricUnit.NoUnit, value=figure.value) as metric:
            if figure.strategy:
                metric.add_dimension(name="strategy", value=figure.strategy)


@entry_point(CloseRunEvent)
def handler(event: CloseRunEvent) -> dict[str, Any]:
    """How the run ended, and where its report is."""
    limit = bootstrap.config_or_defaults().risk.max_failed_runs
    closed = close_run(event.execution, RunStatus(event.outcome), event.failure, bootstrap.desk(), limit)
    if closed.report or not event.afterwards:
        metrics.add_metric(f"Runs{closed.status.title()}", MetricUnit.Count, 1)
    if closed.status is RunStatus.COMPLETED:
        metrics.add_metric("Heartbeat", MetricUnit.Count, 1)
    metrics.add_metric("Halted", MetricUnit.Count, int(bootstrap.ledger().halt() is not None))
    if closed.report:
        _measure(closed.report)
    publish(bootstrap.ledger(), bootstrap.events())
    return {"run_id": closed.run_id, "status": closed.status.value, "report_key": closed.report_key}
