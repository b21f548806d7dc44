"""The seam between moto's Lambda and our workers: every invocation, whoever asks, is run by `Functions`."""

import base64
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends
from moto.core.exceptions import JsonRESTError

from local.account import ACCOUNT_ID, REGION
from local.failures import Failures
from local.functions import Closed, Functions, FunctionSpec, TooManyRequests
from local.patching import replaced
from local.workers import Outcome

LOGICAL_ID_TAG = "aws:cloudformation:logical-id"

type FolderOf = Callable[[str], Path]  # the folder on disk of an artefact's key in S3


class _Throttled(JsonRESTError):  # type: ignore[misc]
    code = 429


def find_function(name_or_arn: str) -> LambdaFunction:
    """The deployed function of this name, ARN or ARN with a version or an alias; moto's error if there is none."""
    return lambda_backends[ACCOUNT_ID][REGION].get_function(name_or_arn)


def describe(function: LambdaFunction, folder_of: FolderOf) -> FunctionSpec:
    """How the function is deployed at this moment."""
    backend = lambda_backends[ACCOUNT_ID][REGION]
    latest = backend.get_function(function.function_name)
    layers = (backend.layers_versions_by_arn(layer["Arn"]) for layer in function.layers)
    return FunctionSpec(
        logical_id=latest.tags.get(LOGICAL_ID_TAG, function.function_name),
        name=function.function_name,
        arn=function.function_arn,
        version="$LATEST" if function is latest else str(function.version),
        handler=function.handler,
        code=folder_of(function.code["S3Key"]),
        layers=tuple(folder_of(layer.content["S3Key"]) for layer in layers if layer),
        environment=tuple(sorted(_strings(function.environment_vars).items())),
        timeout_s=float(function.timeout),
        memory_mb=int(function.memory_size),
        log_group=latest.logs_group_name,
        reserved_concurrency=None if latest.reserved_concurrency is None else int(latest.reserved_concurrency),
    )


def _strings(variables: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in variables.items()}


@contextmanager
def invocations_reach(
    functions: Functions, folder_of: FolderOf, failures: Failures, on_unattended: Callable[[str, bool], None]
) -> Iterator[None]:
    """Moto's functions are run by `functions` inside the block.

    `on_unattended` is called with the id of an asynchronous invocation and whether it runs, when it begins and ends.
    """

    def run(function: LambdaFunction, event: bytes) -> Outcome:
        return functions.invoke(describe(function, folder_of), event)

    def run_unattended(function: LambdaFunction, event: bytes, invocation: str) -> None:
        try:
            run(function, event)
        except Closed:
            return
        except Exception as error:
            failures.add(f"asynchronous invocation of {function.function_name}", error)
        finally:
            on_unattended(invocation, False)

    def invoke(self: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> bytes:
        event = body.encode() if isinstance(body, str) else bytes(body or b"{}")
        kind = request_headers.get("x-amz-invocation-type") or request_headers.get("X-Amz-Invocation-Type")
        if kind == "DryRun":
            return b""
        if kind == "Event":
            invocation = str(uuid.uuid4())
            on_unattended(invocation, True)
            threading.Thread(
                target=run_unattended, args=(self, event, invocation), name="lambda-event", daemon=True
            ).start()
            return b""
        try:
            outcome = run(self, event)
        except TooManyRequests as error:
            raise _Throttled("TooManyRequestsException", str(error)) from error
        if outcome.error_type:
            response_headers["x-amz-function-error"] = "Unhandled"
        response_headers["x-amz-log-result"] = base64.b64encode(outcome.log_tail).decode()
        return outcome.payload

    with replaced(LambdaFunction, "invoke", invoke):
        yield
