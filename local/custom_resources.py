"""Custom resources: a function of the stack is asked, and answers with a PUT, as CloudFormation has it."""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from local.failures import DeployError
from local.moto_resources import Made, Wanted


def asked(wanted: Wanted, request: str) -> Made:
    """What the resource's function answers to a Create or an Update; DeployError, in its words, if it says FAILED."""
    wanted.take("ServiceTimeout")
    function, properties = wanted.take("ServiceToken"), wanted.take_all()
    event = {
        "RequestType": request,
        "RequestId": str(uuid.uuid4()),
        "StackId": "local",
        "LogicalResourceId": wanted.logical_id,
        "ResourceProperties": {name: _as_text(value) for name, value in properties.items()},
    }
    with _listening() as (url, answers):
        event["ResponseURL"] = url
        told = wanted.call("lambda", "invoke", FunctionName=function, Payload=json.dumps(event).encode())
        payload = told["Payload"].read().decode()
    if not answers:
        raise DeployError(f"its function {function} did not answer: {payload}")
    answer = answers[0]
    if answer["Status"] != "SUCCESS":
        raise DeployError(answer.get("Reason", "its function gave no reason"))
    return Made(answer["PhysicalResourceId"], {name: str(value) for name, value in answer.get("Data", {}).items()})


def _as_text(value: Any) -> Any:
    """CloudFormation passes every number and truth value as a text."""
    if isinstance(value, dict):
        return {name: _as_text(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_as_text(part) for part in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextmanager
def _listening() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that nobody can guess, and what is put there."""
    path, answers = f"/{uuid.uuid4()}", []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == path:
                answers.append(json.loads(content))
            self.send_response(HTTPStatus.OK if self.path == path else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="answers", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{path}", answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
