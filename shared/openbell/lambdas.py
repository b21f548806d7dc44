"""What every handler shares: logger, metrics, and the parsing of its event.

Traces are Lambda's own (Tracing: Active in template.yaml): no code takes part in them.
"""

from openbell.cold_start import imports_are_done

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, ValidationError

from openbell.errors import InvalidInput, OpenbellError, StoreUnavailable, explain
from openbell.workflow.publish_events import publish_events

if TYPE_CHECKING:  # the Forecast function does without
    from openbell.ports import Events, Ledger

logger = Logger()
metrics = Metrics()


class Event(BaseModel):
    """Base of the handlers' events: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


PROBE = {"probe": True}  # what functions/check_release asks a new version with: it answers if it has been loaded

type Handler[R] = Callable[[dict[str, Any], LambdaContext], R]


def entry_point[E: Event, R](event_model: type[E]) -> Callable[[Callable[[E], R]], Handler[R]]:
    """Make a Lambda handler of a function from a parsed event to a plain result.

    The run id becomes the logs' correlation id; metrics are flushed whatever happens; an error is logged once, here,
    and reaches the state machine under its class name.
    """
    imports_are_done()

    def decorate(function: Callable[[E], R]) -> Handler[R]:
        @metrics.log_metrics(capture_cold_start_metric=True)
        @logger.inject_lambda_context(clear_state=True)
        @wraps(function)
        def handle(event: dict[str, Any], _: LambdaContext) -> R:
            if event == PROBE:
                return cast("R", _ready())
            logger.set_correlation_id(str(event.get("run_id") or event.get("execution", "")))
            try:
                return function(_parse(event_model, event))
            except OpenbellError as error:
                logger.exception("%s failed", function.__module__)
                raise error.with_traceback(None)  # noqa: B904 its message tells all; the log has the way to it
            except Exception:
                logger.exception("%s failed", function.__module__)
                raise

        wrapped: Handler[R] = handle
        return wrapped

    return decorate


def _ready() -> dict[str, bool]:
    """The answer to a probe; raises for wrong settings or a wrong configuration."""
    from openbell import bootstrap  # noqa: PLC0415 it wires more than most functions use

    bootstrap.config()
    return {"ready": True}


def publish(ledger: "Ledger", events: "Events") -> None:
    """Publish the outbox. What is not taken stays there for the next run, which is no reason for this one to fail."""
    try:
        publish_events(ledger, events)
    except StoreUnavailable as error:
        logger.warning("events stay in the outbox", extra={"reason": str(error)})


def _parse[E: Event](event_model: type[E], event: dict[str, Any]) -> E:
    try:
        return event_model.model_validate(event)
    except ValidationError as error:
        raise InvalidInput(explain(error, "event")) from error
