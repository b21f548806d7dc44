"""`openbell console` as a process of its own: opened, read, ended."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

_PATIENCE_S = 90  # of real time, on a busy machine


@dataclass
class Opened:
    """`openbell console` as a process of its own."""

    process: "subprocess.Popen[str]"
    address: str
    said: list[str]

    def read(self, path: str) -> str:
        """A page, as a browser with the printed address sees it."""
        browser = build_opener(HTTPCookieProcessor())
        browser.open(self.address, timeout=30).read()
        page: bytes = browser.open(self.address.partition("?")[0] + path, timeout=60).read()
        return page.decode()

    def end(self) -> int:
        """By a request to terminate, which is taken as Ctrl-C is; gives the exit code."""
        self.process.terminate()
        rest, _ = self.process.communicate(timeout=_PATIENCE_S)
        self.said.append(rest)
        return self.process.returncode


def opened(folder: Path, *arguments: str) -> Opened:
    command = [str(Path(sys.executable).with_name("openbell")), "console", "--port", "0", *arguments]
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
    )
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+/\?key=\S+", line):
            return Opened(process, found[0], said)
    process.stdout.close()
    raise AssertionError(f"it ended with {process.wait()}: {''.join(said)}")


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
