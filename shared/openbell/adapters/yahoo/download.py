"""Many tickers from Yahoo: in batches, by a few threads, with further tries, and never without end."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import batched

import pandas as pd

from openbell.adapters.yahoo.asking import Question, Silence, Trouble, ask, forget_answers
from openbell.errors import DataUnavailable, RateLimited

_MOST_FAILED = 0.5  # with more of the tickers failed, it is Yahoo that fails and not the tickers


@dataclass(frozen=True)
class Pace:
    """How Yahoo is asked."""

    batch: int = 40  # tickers; if a whole batch is without prices, the others are not asked
    threads: int = 8
    timeout: float = 10.0  # seconds for one request
    patience: float = 100.0  # seconds for everything
    waits: tuple[float, ...] = (1.0, 4.0)  # seconds before each further try
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Answers:
    """What came back: closes by symbol, and why others have none."""

    given: dict[str, "pd.Series[float]"] = field(default_factory=dict)
    silent: dict[str, Silence] = field(default_factory=dict)

    def add(self, symbol: str, answer: "pd.Series[float] | Silence") -> None:
        """Keep the newest answer of `symbol`."""
        self.silent.pop(symbol, None)
        if isinstance(answer, Silence):
            self.silent[symbol] = answer
        else:
            self.given[symbol] = answer

    def with_trouble(self, *troubles: Trouble) -> list[str]:
        """The silent symbols with one of `troubles`."""
        return [symbol for symbol, silence in self.silent.items() if silence.trouble in troubles]

    @property
    def missing(self) -> Mapping[str, str]:
        """The reason by symbol."""
        return {symbol: silence.why for symbol, silence in self.silent.items()}


def download(symbols: Sequence[str], question: Question, pace: Pace) -> Answers:
    """The closes of `symbols`. Those that came back with nothing are asked again, after a wait.

    Raises DataUnavailable if Yahoo failed for most tickers, RateLimited if it said 429 then.
    """
    answers = Answers()
    deadline = time.monotonic() + pace.patience
    _one_try(list(dict.fromkeys(symbols)), question, pace, deadline, answers)
    for seconds in pace.waits:
        again = answers.with_trouble(Trouble.FAILED, Trouble.LIMITED)
        if not again or time.monotonic() + seconds >= deadline:
            break
        pace.sleep(seconds)
        _one_try(again, question, pace, deadline, answers)
    _check(answers)
    return answers


def _one_try(symbols: list[str], question: Question, pace: Pace, deadline: float, answers: Answers) -> None:
    forget_answers()
    pool = ThreadPoolExecutor(pace.threads, thread_name_prefix="yahoo")
    try:
        asked = 0
        for batch in batched(symbols, pace.batch, strict=False):
            _one_batch(batch, question, pace, deadline, answers, pool)
            asked += len(batch)
            found = [answers.silent[symbol] for symbol in batch if symbol in answers.silent]
            limited = [silence for silence in found if silence.trouble is Trouble.LIMITED]
            hopeless = len(found) == len(batch) and all(silence.trouble is Trouble.FAILED for silence in found)
            if limited or hopeless:
                _leave(symbols[asked:], (limited or found)[0], answers)
                break
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # who is still waiting for Yahoo holds nobody up


def _one_batch(
    batch: tuple[str, ...],
    question: Question,
    pace: Pace,
    deadline: float,
    answers: Answers,
    pool: ThreadPoolExecutor,
) -> None:
    asked = {symbol: pool.submit(ask, symbol, question, pace.timeout) for symbol in batch}
    wait(asked.values(), timeout=max(0.0, deadline - time.monotonic()))
    for symbol, future in asked.items():
        late = Silence(Trouble.FAILED, f"no answer within the {pace.patience:g} s that all tickers have together")
        answers.add(symbol, future.result() if future.done() else late)


def _leave(symbols: Sequence[str], silence: Silence, answers: Answers) -> None:
    for symbol in symbols:
        answers.add(symbol, Silence(silence.trouble, f"not asked, because another ticker got: {silence.why}"))


def _check(answers: Answers) -> None:
    troubled = answers.with_trouble(Trouble.FAILED, Trouble.LIMITED)
    total = len(answers.given) + len(answers.silent)
    if len(troubled) <= _MOST_FAILED * total:
        return
    told = f"{len(troubled)} of {total} tickers have no prices; {troubled[0]}: {answers.silent[troubled[0]].why}"
    if answers.with_trouble(Trouble.LIMITED):
        raise RateLimited(f"Yahoo Finance refuses more requests for now: {told}")
    raise DataUnavailable(f"Yahoo Finance fails: {told}")
