"""A local platform that is started for the console, and ends with it."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.endpoint import ENDPOINT_FILE, read_endpoint
from cli.platform import PlatformUnreachable
from cli.service.folder import StateFolder

LOG = ENDPOINT_FILE.with_name("platform.log")  # what the platform says
_START = "2022-06-14T14:30"  # in the sample, half an hour before the daily run: the first one is there in seconds
_PATIENCE_S = 90.0
_TOLD_LINES = 12


def arguments(start: str, speed: str, state: Path | None) -> list[str]:
    """Of `openbell up`; an account that was kept goes on from where it stands."""
    kept = state is not None and StateFolder(state).exchange.exists()
    told = [] if kept and not start else ["--from", start or _START]
    return ["up", *told, "--speed", speed, *(["--state", str(state)] if state else [])]


@contextmanager
def running(told: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """`openbell` with these arguments inside the block, once it has announced itself.

    PlatformUnreachable with its last words if it ends before, or takes longer than a minute and a half.
    """
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("wb") as log:
        command = [str(Path(sys.executable).with_name("openbell")), *told]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603 ours
    try:
        _await_announcement(process)
        yield process
    finally:
        process.terminate()  # it then stops its runs and its workers by itself
        process.wait()


def _await_announcement(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PlatformUnreachable(f"no local platform could be started:\n{last_words()}")
        found = read_endpoint()
        if found and found.pid == process.pid:
            return
        time.sleep(0.1)
    raise PlatformUnreachable(f"the local platform was not there after {_PATIENCE_S:.0f} s:\n{last_words()}")


def last_words() -> str:
    """The end of what the platform said."""
    return "\n".join(LOG.read_text(errors="replace").splitlines()[-_TOLD_LINES:])
