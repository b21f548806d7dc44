"""The same scenes in processes of their own, each of which orders sets and hashes in another way."""

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.honesty.playing import Played, Scene, Stage, play_all
from openbell.errors import OpenbellError

HASH_SEEDS = ("1", "2")  # two, as one may order things as this process does
_SHOWN = 400  # characters of what a process said at last


class ProcessFailed(OpenbellError):
    """A process that was to repeat the scenes ended without an answer."""


@contextmanager
def repeated_elsewhere(stage: Stage, scenes: Sequence[Scene], hash_seeds: Sequence[str]) -> Iterator["Answers"]:
    """Begin to repeat the scenes in a process for each of `hash_seeds`; what they found is asked for later."""
    with tempfile.TemporaryDirectory(prefix="openbell-check-") as folder:
        question = Path(folder) / "question"
        question.write_bytes(pickle.dumps((stage, list(scenes))))
        answers = [Path(folder) / seed for seed in hash_seeds]
        processes = [_start(question, answer) for answer in answers]
        try:
            yield Answers(processes, answers)
        finally:
            for process in processes:
                process.kill()
                process.wait()


class Answers:
    """What the processes found, once they are done."""

    def __init__(self, processes: "list[subprocess.Popen[bytes]]", files: list[Path]) -> None:
        self._processes = processes
        self._files = files

    def wait(self) -> list[Played]:
        """What each found; ProcessFailed if one ended without an answer."""
        return [self._read(process, file) for process, file in zip(self._processes, self._files, strict=True)]

    @staticmethod
    def _read(process: "subprocess.Popen[bytes]", file: Path) -> Played:
        if process.wait() or not file.exists():
            told = _log_of(file).read_text(errors="replace")[-_SHOWN:].strip()
            raise ProcessFailed(f"a second process ended with {process.returncode}: {told}")
        found: Played = pickle.loads(file.read_bytes())  # noqa: S301 this program's own file, in its own folder
        return found


def _start(question: Path, answer: Path) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"PYTHONHASHSEED": answer.name, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", __name__, str(question), str(answer)]
    with _log_of(answer).open("wb") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 this program itself


def _log_of(answer: Path) -> Path:
    return answer.with_suffix(".log")


def _answer(question: Path, answer: Path) -> None:
    stage, scenes = pickle.loads(question.read_bytes())  # noqa: S301 this program's own file, in its own folder
    answer.write_bytes(pickle.dumps(play_all(stage, scenes)))


if __name__ == "__main__":
    _answer(Path(sys.argv[1]), Path(sys.argv[2]))
