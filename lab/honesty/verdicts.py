"""What an examination finds."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Status(StrEnum):
    """How a question was answered."""

    PASSED = "passed"
    FOUND = "found"  # there is a counterexample
    UNPROVEN = "unproven"  # there was nothing to decide by


@dataclass(frozen=True)
class Difference:
    """One thing that should have been the same twice: what, of which symbol, in the run of which session."""

    session: date
    what: str  # run, failure, forecast, universe, signal, veto, target or order
    symbol: str  # empty where it is the whole strategy's
    before: str
    after: str

    def __str__(self) -> str:
        whose = f" of {self.symbol}" if self.symbol else ""
        return f"{self.session}: {self.what}{whose} was {self.before}, became {self.after}"


@dataclass(frozen=True)
class Verdict:
    """The answer to one question; `told` says what was looked at, and `example` is the first counterexample."""

    question: str
    status: Status
    told: str
    example: Difference | None = None


@dataclass(frozen=True)
class WarmUpRow:
    """Signals made from the last `bars` bars alone, beside those made from many more.

    `changed` of `signals` looked another way (up, down, neither); `largest` is the greatest difference of two scores.
    """

    bars: int
    meaning: str
    signals: int
    changed: int
    largest: float
    example: Difference | None  # the one with the largest difference
