"""Which calls to AWS each function makes: written down by its own process, by way of a file in the layer."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# Python imports a module of this name by itself, before the handler.
SITE = """
import json, os
from botocore.client import BaseClient
from botocore.exceptions import ClientError

send = BaseClient._make_api_call

def recorded(self, operation, arguments):
    call = {{
        "function": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        "service": self.meta.service_model.signing_name,
        "operation": operation,
        "verbs": [verb for item in arguments.get("TransactItems", ()) for verb in item],
    }}
    try:
        return send(self, operation, arguments)
    except ClientError as error:
        call["error"] = error.response["Error"]["Code"]
        raise
    finally:
        with open({path!r}, "a") as file:
            file.write(json.dumps(call) + "\\n")

BaseClient._make_api_call = recorded
"""


def recorder(folder: Path) -> Path:
    """The module for the layer that writes to `calls.jsonl` in `folder`."""
    module = folder / "sitecustomize.py"
    module.write_text(SITE.format(path=str(folder / "calls.jsonl")))
    return module


def used_actions(folder: Path) -> dict[str, set[str]]:
    """The IAM actions that the recorded calls needed, by function's name as deployed."""
    used: dict[str, set[str]] = {}
    for line in (folder / "calls.jsonl").read_text().splitlines():
        call = json.loads(line)
        used.setdefault(call["function"], set()).update(_actions(call))
    return used


def _actions(call: Mapping[str, Any]) -> Iterator[str]:
    if call["operation"].startswith("Transact"):  # which has no action of its own: each of its parts needs one
        names = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
        yield from (f"dynamodb:{names.get(verb, 'ConditionCheckItem')}" for verb in call["verbs"])
        return
    named_otherwise = {"Invoke": "InvokeFunction"}
    yield f"{call['service']}:{named_otherwise.get(call['operation'], call['operation'])}"
    if call.get("error") == "NoSuchKey":  # without the right to list, AWS answers AccessDenied instead
        yield "s3:ListBucket"
