"""Kills handler processes of the local cloud at the call to the outside that they are just making."""

import os
import re
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from tests.chaos.web import name_of
from tests.integration.local.processes import children

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SERVICE = re.compile(r"Credential=[^/]+/\d+/[\w-]+/(\w+)/")
_FUNCTION = re.compile(rb"AWS_LAMBDA_FUNCTION_NAME=\w+-(\w+)Function")

type Proceed = Callable[[], Response]


@dataclass(frozen=True)
class Kill:
    """SIGKILL for the process of a function, at its `nth` call (from 0) of this kind; `times` processes in a row."""

    function: str
    call: str  # such as dynamodb.TransactWriteItems, s3.PUT or broker.POST-orders
    after: bool  # the call's effect
    nth: int = 0
    times: int = 1

    def __str__(self) -> str:
        when = "after" if self.after else "before"
        return f"kill:{self.function}:{self.call}:{when}:{self.nth}:{self.times}"

    @classmethod
    def read(cls, text: str) -> "Kill":
        """The kill that `str` told."""
        _, function, call, when, nth, times = text.split(":")
        return cls(function, call, when == "after", int(nth), int(times))


class Killer:
    """Stands before every request that a handler process makes."""

    def __init__(self) -> None:
        self._kill: Kill | None = None
        self._calls = 0
        self._victims = 0
        self._lock = threading.Lock()  # handlers of one function work side by side

    def plan(self, kill: Kill) -> None:
        """From now on, wait for the moment."""
        self._kill, self._calls, self._victims = kill, 0, 0

    def rest(self) -> int:
        """Let everybody live; gives how many were killed."""
        self._kill = None
        return self._victims

    def intercept(self, request: Request, proceed: Proceed) -> Response:
        """Before the exchange."""
        return self._meet(f"broker.{name_of(request)}", request.environ, proceed)

    def watching(self, server: Callable[..., AbstractContextManager[str]]) -> Callable[..., Any]:
        """The server of AWS's services with the killer before it."""

        @contextmanager
        def watched(failures: Any, wrap: Callable[["WSGIApplication"], "WSGIApplication"], *rest: Any) -> Iterator[str]:
            with server(failures, lambda application: self._before(wrap(application)), *rest) as url:
                yield url

        return watched

    def _before(self, inner: "WSGIApplication") -> "WSGIApplication":
        def run(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            kill = self._kill
            call = _call(environ)
            if kill is None or call != kill.call:
                return inner(environ, start_response)

            def proceed() -> Response:
                content, status, headers = run_wsgi_app(inner, environ, buffered=True)
                return Response(content, status, headers)

            return self._meet(call, environ, proceed)(environ, start_response)

        return run

    def _meet(self, call: str, environ: "WSGIEnvironment", proceed: Proceed) -> Response:
        kill = self._kill
        victim = _worker(int(environ["REMOTE_PORT"]), kill.function) if kill and call == kill.call else None
        if kill is None or victim is None or not self._is_due(kill):
            return proceed()
        answer = proceed() if kill.after else Response(status=500)
        os.kill(victim, signal.SIGKILL)
        return answer

    def _is_due(self, kill: Kill) -> bool:
        with self._lock:
            self._calls += 1
            due = self._calls > kill.nth and self._victims < kill.times
            self._victims += due
            return due


def _call(environ: "WSGIEnvironment") -> str:
    """What is asked of AWS: the service, and the operation where a header tells it."""
    service = _SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2] or environ["REQUEST_METHOD"]
    return f"{service.group(1) if service else 'unknown'}.{operation}"


def _worker(port: int, function: str) -> int | None:
    """Our child process of this function that has the port open; None if somebody else does."""
    inodes = {row[9] for row in _connections() if int(row[1].partition(":")[2], 16) == port}
    for pid in children():
        environment = _read(Path(f"/proc/{pid}/environ"))
        name = _FUNCTION.search(environment)
        if name and name.group(1).decode() == function and inodes & set(_sockets(pid)):
            return pid
    return None


def _connections() -> list[list[str]]:
    return [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]


def _sockets(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:
            continue  # closed since the folder was read
        if target.startswith("socket:["):
            yield target.removeprefix("socket:[").removesuffix("]")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it has ended meanwhile
