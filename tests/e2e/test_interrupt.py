"""Stopping `openbell run` in the middle: nothing stays behind, and the exit code says so."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.commands import workers_of


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("openbell")), "run"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not workers_of(process.pid):  # the first Lambda is at work
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped; nothing is left running" in stderr
    assert workers_of(process.pid) == []
    assert list(tmp_path.glob("openbell-*")) == []
