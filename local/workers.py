"""Worker processes: real handlers under Lambda's runtime interface client, one invocation at a time."""

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from local.account import REGION
from local.log_shipper import LogShipper
from local.runtime_api import Event, Message, RuntimeApi

if TYPE_CHECKING:
    from local.functions import FunctionSpec

_MAIN = Path(__file__).with_name("worker_main.py")
_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG")
_INHERITED_PREFIX = "OPENBLAS_"  # other kernels than the caller's would give other last bits
_LOOK_MS = 200  # how long a silent process is waited for before looking whether it still matters
_INIT_SECONDS = 60.0  # AWS gives 10 s and then starts again; a busy laptop may need more


@dataclass(frozen=True)
class Runtime:
    """What all workers have in common."""

    endpoint_url: str  # of every AWS service
    access_key: str  # the token of its door
    python_arguments: tuple[str, ...] = ("-P",)
    python_path: tuple[Path, ...] = ()  # behind the task's and the layers' folders


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended; `error_type` is None if the handler returned."""

    payload: bytes
    error_type: str | None
    duration_ms: float
    init_ms: float | None = None
    peak_memory_mb: int | None = None
    log_tail: bytes = b""


class Worker:
    """One process with one handler in it."""

    def __init__(self, spec: "FunctionSpec", runtime: Runtime, shipper: LogShipper) -> None:
        self._spec = spec
        self._api = RuntimeApi()
        self._stream = shipper.open(spec.logical_id, spec.log_group, spec.version)
        self._started = time.monotonic()
        self._fresh = True
        self._killed = False
        self._burial = threading.Lock()
        self._gone = False
        self._process = subprocess.Popen(  # noqa: S603 our own worker
            [sys.executable, *runtime.python_arguments, str(_MAIN), str(os.getpid()), spec.handler],
            cwd=spec.code,
            env=_environment(spec, runtime, self._api.address, self._stream.name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us, and a kill reaches the handler's own children
        )
        assert self._process.stdout is not None  # noqa: S101 it was asked for
        self._output = _Output(self._process.stdout, self._stream.line)
        self._waiter = threading.Thread(target=self._wait, name="worker-waiter", daemon=True)
        self._waiter.start()

    @property
    def alive(self) -> bool:
        """Whether it can take another invocation."""
        return not self._killed and self._process.poll() is None

    def invoke(self, event: bytes, request_id: str) -> Outcome:
        """Run the handler on `event`; a handler that is too slow is killed."""
        try:
            init_ms = self._await_readiness() if self._fresh else None
        except _Failed as failed:
            return self._end(request_id, failed.error_type, failed.body, self._started, None)
        self._fresh = False
        self._stream.line(f"START RequestId: {request_id} Version: {self._spec.version}")
        begun = time.monotonic()
        self._api.offer(Event(request_id, self._spec.arn, event, self._spec.timeout_s))
        try:
            message = self._await_answer(request_id, begun + self._spec.timeout_s)
        except _Failed as failed:
            return self._end(request_id, failed.error_type, failed.body, begun, init_ms)
        error = _error_type(message.body) if message.kind == "error" else None
        return self._end(request_id, error, message.body, begun, init_ms)

    def _await_readiness(self) -> float:
        """Milliseconds from the start of the process to its first request for an event."""
        while True:
            message = self._hear(self._started + _INIT_SECONDS)
            if message is None:
                self.kill()
                raise _Failed("Sandbox.Timedout", f"the handler was not loaded within {_INIT_SECONDS:.0f} seconds")
            if message.kind == "ready":
                return (time.monotonic() - self._started) * 1000
            if message.kind == "init_error":
                self.kill()
                raise _Failed(_error_type(message.body), body=message.body)
            if message.kind == "exited":
                raise _Failed("Runtime.ExitError", _exit_words(message.exit_code))

    def _await_answer(self, request_id: str, deadline: float) -> Message:
        while True:
            message = self._hear(deadline)
            if message is None:
                self.kill()
                words = f"RequestId: {request_id} Error: Task timed out after {self._spec.timeout_s:.2f} seconds"
                raise _Failed("Sandbox.Timedout", words)
            if message.kind in {"response", "error"} and message.request_id == request_id:
                return message
            if message.kind == "exited":
                words = f"RequestId: {request_id} Error: {_exit_words(message.exit_code)}"
                raise _Failed("Runtime.ExitError", words)

    def _hear(self, deadline: float) -> Message | None:
        try:
            return self._api.messages.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None

    def _end(
        self, request_id: str, error_type: str | None, payload: bytes, begun: float, init_ms: float | None
    ) -> Outcome:
        duration_ms = (time.monotonic() - begun) * 1000
        peak = _peak_memory_mb(self._process.pid)
        self._output.drain()
        if error_type in {"Sandbox.Timedout", "Runtime.ExitError"}:
            self._stream.line(f"RequestId: {request_id} {payload.decode()}")
        self._stream.line(f"END RequestId: {request_id}")
        self._stream.line(
            f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms\tMemory Size: {self._spec.memory_mb} MB"
            f"\tMax Memory Used: {peak} MB" + (f"\tInit Duration: {init_ms:.2f} ms" if init_ms else "")
        )
        return Outcome(payload, error_type, duration_ms, init_ms, peak, self._stream.take_tail())

    def kill(self) -> None:
        """End the process and whatever it has started."""
        self._killed = True
        if self._process.poll() is None:
            self._kill_group()
        self._api.end()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def bury(self) -> None:
        """Wait until the process and the threads that serve it are gone."""
        with self._burial:
            if self._gone:
                return
            self._gone = True
            self.kill()
            self._waiter.join()
            self._api.close()
            self._output.close()

    def _wait(self) -> None:
        exit_code = self._process.wait()
        self._kill_group()  # what it has started must not outlive it
        self._api.messages.put(Message("exited", exit_code=exit_code))


class _Failed(Exception):
    """The invocation ended without the handler's answer; `body` is the payload that says so."""

    def __init__(self, error_type: str, words: str = "", body: bytes = b"") -> None:
        super().__init__(words)
        self.error_type = error_type
        self.body = body or json.dumps({"errorType": error_type, "errorMessage": words}).encode()


class _Output:
    """Follows what a process prints, line by line."""

    def __init__(self, pipe: IO[bytes], take_line: Callable[[str], None]) -> None:
        self._pipe = pipe
        self._take_line = take_line
        self._lock = threading.Lock()
        self._rest = b""
        self._ended = False
        self._thread = threading.Thread(target=self._follow, name="worker-output", daemon=True)
        self._thread.start()

    def drain(self) -> None:
        """Take all that has been printed so far."""
        with self._lock:
            while not self._ended and self._is_readable(0):
                self._take()

    def close(self) -> None:
        """Take the rest, and stop following; the process must be gone."""
        self.drain()
        self._ended = True
        self._thread.join()
        self._pipe.close()

    def _follow(self) -> None:
        while not self._ended:
            if self._is_readable(_LOOK_MS):
                self.drain()

    def _is_readable(self, wait_ms: int) -> bool:
        poll = select.poll()  # not shared: one poll object serves one thread
        poll.register(self._pipe, select.POLLIN)
        return bool(poll.poll(wait_ms))

    def _take(self) -> None:
        printed = os.read(self._pipe.fileno(), 65536)
        self._ended = not printed
        *lines, self._rest = (self._rest + printed).split(b"\n")
        if self._ended and self._rest:
            lines.append(self._rest)
        for line in lines:
            self._take_line(line.decode(errors="replace"))


def _environment(spec: "FunctionSpec", runtime: Runtime, api_address: str, log_stream: str) -> dict[str, str]:
    """The template's variables and those that Lambda sets, and nothing else of the caller's than where programs are."""
    python_path = (spec.code, *(layer / "python" for layer in spec.layers), *runtime.python_path)
    return {
        **{
            name: value
            for name, value in os.environ.items()
            if name in _INHERITED or name.startswith(_INHERITED_PREFIX)
        },
        "AWS_LAMBDA_RUNTIME_API": api_address,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": runtime.access_key,
        "AWS_SECRET_ACCESS_KEY": runtime.access_key,
        "AWS_SESSION_TOKEN": runtime.access_key,
        "AWS_ENDPOINT_URL": runtime.endpoint_url,
        "LAMBDA_TASK_ROOT": str(spec.code),
        "_HANDLER": spec.handler,
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in python_path),
        "TZ": ":UTC",
        **dict(spec.environment),
    }


def _error_type(body: bytes) -> str:
    """The errorType that the runtime client sends with an error."""
    try:
        return str(json.loads(body)["errorType"])
    except (ValueError, TypeError, KeyError):
        return "Lambda.Unknown"


def _exit_words(exit_code: int) -> str:
    if exit_code < 0:
        return f"Runtime exited with error: signal: {signal.Signals(-exit_code).name}"
    return f"Runtime exited with error: exit status {exit_code}"


def _peak_memory_mb(pid: int) -> int | None:
    """The most that the process has had in memory; None where /proc does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return int(line.split()[1]) // 1024 if line else None
