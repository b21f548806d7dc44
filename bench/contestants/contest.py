"""What the contestants of bench.backtest share: the task, the clock, the answer.

Each runs as a process of its own, `python -m bench.contestants.NAME TASK`, some of them in environments that have
nothing of this project: so this module has nothing of it either. The last line of the output is JSON.
"""

import json
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SILENT = 1e-9  # a fast mean that differs from the slow one by less is neither above nor below it

Fill = tuple[str, str, str, int]  # day, symbol, buy or sell, shares
Play = Callable[[], list[Fill]]


@dataclass(frozen=True)
class Task:
    """sma_cross over some symbols: `closes` (USD) by symbol and day, and how much to buy."""

    symbols: list[str]
    days: list[str]
    closes: list[list[float]]
    cash: int
    fast: int
    slow: int
    cash_buffer: float
    max_position: float

    @classmethod
    def read(cls, path: Path) -> "Task":
        """The task in a file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        """To a file."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


class Contestant(ABC):
    """Somebody who plays the task."""

    plays = 3  # the first of them cold

    @abstractmethod
    def load(self) -> Any:
        """Import what is needed."""

    @abstractmethod
    def ready(self, task: Task) -> Play:
        """The play, with its tables made, which is not measured."""

    def compete(self, path: str) -> None:
        """Play the task in the file, and print the answer.

        cold: CPU seconds of the imports and the first play; warm: the least of the others.
        """
        task = Task.read(Path(path))
        imported, _ = _measured(self.load)
        first, fills = _measured(self.ready(task))
        later = [_measured(self.ready(task))[0] for _ in range(self.plays - 1)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"cold": imported + first, "warm": min(later), "fills": sorted(fills), "peak_mib": peak}))


def _measured(do: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    done = do()
    return time.process_time() - start, done


def main(contestant: Contestant) -> None:
    """What a contestant's module does when it is run."""
    contestant.compete(sys.argv[1])


def as_fills(found: Iterable[tuple[Any, Any, Any, Any]]) -> list[Fill]:
    """Fills in plain words."""
    return [(str(day), str(symbol), str(side), int(shares)) for day, symbol, side, shares in found]
