"""The real handlers of functions/, over ports of the play's choosing instead of AWS."""

import importlib.util
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from openbell import bootstrap
from openbell.config import PlatformConfig
from openbell.ports import Desk, Events, Executions, MarketData

_FUNCTIONS = Path(__file__).parents[2] / "functions"
_QUIET = {
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "Openbell",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_SERVICE_NAME": "chaos",  # as "openbell" its logger would be the parent of the package's own
}
_CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request", tenant_id=None
)

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@cache
def _handler(function: str) -> Handler:
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower()  # OpenRun -> open_run
    with patch.dict(os.environ, _QUIET):
        spec = importlib.util.spec_from_file_location(f"chaos_{folder}", _FUNCTIONS / folder / "app.py")
        if spec is None or spec.loader is None:
            raise LookupError(f"there is no function {function} in {_FUNCTIONS}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # pydantic looks annotations up by the module's name
        spec.loader.exec_module(module)
    found: Handler = module.handler
    return found


def invoke(function: str, event: dict[str, Any]) -> dict[str, Any]:
    """What the function's handler answers; raises what it raises."""
    return _handler(function)(event, _CONTEXT)


@contextmanager
def counting() -> Iterator[list[str]]:
    """The names of the metrics that handlers count while this lasts."""
    names: list[str] = []
    _handler("OpenRun")  # which imports the metrics as a Lambda has them
    shared = sys.modules["openbell.lambdas"]
    with patch.object(shared.metrics, "add_metric", lambda name, *_, **__: names.append(name)):
        yield names


@contextmanager
def wired(
    desk: Desk, data: MarketData, events: Events, config: PlatformConfig, executions: Executions
) -> Iterator[None]:
    """While this lasts, handlers work with these ports."""
    ports: dict[str, Any] = {
        "ledger": lambda: desk.ledger,
        "forecasts": lambda: desk.ledger,
        "archive": lambda: desk.archive,
        "alerts": lambda: desk.alerts,
        "broker": lambda: desk.broker,
        "market_data": lambda: data,
        "events": lambda: events,
        "config": lambda: config,
        "desk": lambda: desk,
        "executions": lambda _: executions,
    }
    metrics = io.StringIO()  # which is where a Lambda's metrics go: its standard output
    with (
        patch.dict(os.environ, _QUIET),
        patch.multiple(bootstrap, **ports),
        redirect_stdout(metrics),
        warnings.catch_warnings(action="ignore", category=UserWarning),  # of powertools: no metrics to publish
    ):
        yield
