"""The Lambda Runtime API for one worker: hands it events and takes its answers.

The paths and headers are those of the API version 2018-06-01, which awslambdaric speaks, behind a token that only the
worker was handed: awslambdaric can send no header of ours, but whatever path its address has.
"""

import contextlib
import hmac
import queue
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from local.door import is_ours

_API = "/2018-06-01/runtime"
_MAX_BODY_BYTES = 64 * 1024 * 1024  # AWS takes 6 MB; a worker that answers more is told so by its function's limits
_TRACE = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"  # there is no daemon to send to


@dataclass(frozen=True)
class Event:
    """What a worker is asked to handle."""

    request_id: str
    arn: str
    body: bytes
    timeout_s: float


@dataclass(frozen=True)
class Message:
    """What is heard of a worker."""

    kind: Literal["ready", "taken", "response", "error", "init_error", "exited"]
    body: bytes = b""
    request_id: str = ""
    exit_code: int = 0


class RuntimeApi:
    """A server on a free port of 127.0.0.1; `messages` gets whatever the worker says."""

    def __init__(self) -> None:
        self.messages: queue.Queue[Message] = queue.Queue()
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._token = secrets.token_urlsafe(24)
        self._server = _Server(("127.0.0.1", 0), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="runtime-api", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_port}/{self._token}"

    def admits(self, host: str, path: str) -> bool:
        """Whether a request is the worker's: it names our address, and its path begins with the token."""
        given = path.removeprefix("/").partition("/")[0]
        return is_ours(host, self._server.server_port) and hmac.compare_digest(given.encode(), self._token.encode())

    def offer(self, event: Event) -> None:
        """Let the worker have `event` when it asks for the next one."""
        self._events.put(event)

    def next_event(self) -> Event | None:
        """The next event for the worker; None when there will be no more."""
        return self._events.get()

    def end(self) -> None:
        """Let a worker that waits for an event go away."""
        self._events.put(None)

    def close(self) -> None:
        """Stop listening and wait for the threads; the worker must be gone."""
        self.end()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close() then waits for the connections' threads

    def __init__(self, address: tuple[str, int], api: RuntimeApi) -> None:
        self.api = api
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """See the base class; remembers the connection."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """See the base class; the connection is over."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every connection: a stranger who keeps one open shall not hold up the end."""
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke: a killed worker is told by its exit."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet
    server: _Server

    def do_GET(self) -> None:
        """Hand over the next event."""
        api = self.server.api
        if self._path() != f"{_API}/invocation/next":
            self._answer(HTTPStatus.NOT_FOUND)
            return
        api.messages.put(Message("ready"))
        event = api.next_event()
        if event is None:
            self.close_connection = True
            return
        api.messages.put(Message("taken", request_id=event.request_id))
        headers = {
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + event.timeout_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": event.arn,
            "Lambda-Runtime-Trace-Id": _TRACE,
            "Content-Type": "application/json",
        }
        self._answer(HTTPStatus.OK, event.body, headers)

    def do_POST(self) -> None:
        """Take an answer, or the news that the handler could not be loaded."""
        length = self.headers.get("Content-Length") or "0"
        if not (self._path() and length.isdecimal() and length.isascii() and int(length) <= _MAX_BODY_BYTES):
            self.close_connection = True  # what follows is not read
            self._answer(HTTPStatus.NOT_FOUND)
            return
        message = self._message(self.rfile.read(int(length)))
        if message is None:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        self._answer(HTTPStatus.ACCEPTED, b'{"status": "OK"}\n')
        self.server.api.messages.put(message)

    def _path(self) -> str:
        """The path behind the token; empty for a stranger's request."""
        if "Origin" in self.headers or not self.server.api.admits(self.headers.get("Host", ""), self.path):
            return ""
        return "/" + self.path.removeprefix("/").partition("/")[2]

    def _message(self, body: bytes) -> Message | None:
        match self._path().removeprefix(f"{_API}/").split("/"):
            case ["init", "error"]:
                return Message("init_error", body)
            case ["invocation", request_id, "response"]:
                return Message("response", body, request_id)
            case ["invocation", request_id, "error"]:
                return Message("error", body, request_id)
        return None

    def _answer(self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
        """Print nothing."""
