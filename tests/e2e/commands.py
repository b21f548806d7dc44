"""The command as a person runs it: a process of its own, its answer, and what it leaves behind."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    exit_code: int
    stdout: str
    stderr: str
    left_behind: tuple[str, ...]  # command lines of processes that it should have ended

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The JSON object on stdout."""
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    @property
    def run(self) -> dict[str, Any]:
        """The only run."""
        (run,) = self.answer["runs"]
        found: dict[str, Any] = run
        return found


def openbell(*arguments: str, folder: Path) -> Ended:
    """Run `openbell` with these arguments in `folder`."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("openbell")), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
    )
    stdout, stderr = process.communicate(timeout=180)
    return Ended(process.returncode, stdout, stderr, tuple(workers_of(process.pid)))


def workers_of(pid: int) -> list[str]:
    """Command lines of workers that were started by the process `pid`; they have its id as an argument."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(pid).encode() in words and any(word.endswith(b"worker_main.py") for word in words):
            found.append(b" ".join(words).decode())
    return found
