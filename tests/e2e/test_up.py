"""`openbell up` for one session at full speed: every tick, no leak, and nothing left behind."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import workers_of
from tests.e2e.services import service, write_flip

TICKS = [f"{9 + (30 + 15 * n) // 60:02d}:{(30 + 15 * n) % 60:02d}" for n in range(26)]  # 09:30 to 15:45


@dataclass(frozen=True)
class Figures:
    """What the process takes up after a run."""

    rss_mb: int
    threads: int
    workers: int  # processes

    @classmethod
    def of(cls, pid: int) -> "Figures":
        status = Path(f"/proc/{pid}/status").read_text()
        rss, threads = (int(re.findall(rf"{name}:\s+(\d+)", status)[0]) for name in ("VmRSS", "Threads"))
        return cls(rss // 1024, threads, len(workers_of(pid)))


@dataclass(frozen=True)
class Session:
    """A service that came to the end of its day."""

    runs: list[dict[str, Any]]
    figures: list[Figures]  # after each run
    exit_code: int
    left_behind: list[str]
    files: list[str]  # in the folder .openbell


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("session")
    write_flip(folder)
    day = ("--from", "2022-06-15", "--until", "2022-06-15", "--speed", "max")
    with service(folder, *day, "--config", "flip.yaml", "--state", "kept", "--json") as running:
        assert running.process.stdout is not None
        runs, figures = [], []
        for line in running.process.stdout:
            runs.append(json.loads(line))
            figures.append(Figures.of(running.process.pid))
        running.process.communicate()
        left = workers_of(running.process.pid)
        files = sorted(path.name for path in (folder / ".openbell").iterdir())
        return Session(runs, figures, running.process.returncode, left, files)


def test_every_tick_of_the_session_has_its_run_in_order(session: Session) -> None:
    told = [(run["at"][11:16], run["schedule"], run["status"]) for run in session.runs]
    quarter_hours = [(tick, "quarter_hour", "SKIPPED") for tick in TICKS]
    assert [run for run in told if run[1] == "quarter_hour"] == quarter_hours
    # Both schedules fire at 15:00; the run waits for the closing price while the ticks of 15:15 and 15:30 find nothing.
    assert told[told.index(("15:30", "quarter_hour", "SKIPPED")) + 1] == ("15:00", "daily", "COMPLETED")
    assert len(told) == 27


def test_the_run_at_three_trades(session: Session) -> None:
    (run,) = (run for run in session.runs if run["status"] == "COMPLETED")
    assert (run["orders"], run["filled"]) == (4, 4)
    assert run["at"] == "2022-06-15T15:00:00-04:00"


def test_skipped_runs_say_why(session: Session) -> None:
    notes = {run["at"][11:16]: run["note"] for run in session.runs if run["status"] == "SKIPPED"}
    assert notes["09:30"] == "no enabled strategy is due at 09:30 New York time"
    assert notes["15:00"] == "the tick 2022-06-15T19:00:00Z has been taken by another execution"


def test_neither_memory_nor_threads_nor_processes_leak(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    (traded,) = (number for number, run in enumerate(session.runs) if run["status"] == "COMPLETED")
    early, late, last = session.figures[2], session.figures[20], session.figures[-1]
    with capsys.disabled():
        sys.stdout.write(
            f"\nopenbell up, one session: after run 3 {early}, run 21 {late}, run {len(session.runs)} {last}\n"
        )
    assert traded > 20
    assert (early.workers, late.workers) == (2, 2)  # CheckRelease by the deployment, and then only OpenRun
    assert late.threads <= early.threads + 2
    assert late.rss_mb <= early.rss_mb + 25
    assert last.workers <= 7  # a warm one of each function


def test_nothing_is_left_behind(session: Session) -> None:
    assert session.exit_code == 0
    assert session.left_behind == []
    assert session.files == ["lock"]
