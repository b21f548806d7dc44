"""Many trials on this machine: one after the other, or on all its processors where that pays."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from lab.forecasts import ForecastStore
from lab.trials.trial import Terms, Trial, TrialResult, run_trial
from openbell.config import PlatformConfig
from paper import History

type RunTrials = Callable[[Sequence[Trial]], list[TrialResult]]  # results in the order of the trials
type OnTrials = Callable[[int, int, int], None]  # trials done, failed ones among them, of how many

_WORTH_S = 8.0  # of work left: below, starting processes takes longer than they save


@dataclass(frozen=True)
class Bench:
    """What every trial of a search is played with; forecasts that trials share are kept in `store`."""

    history: History
    config: PlatformConfig
    terms: Terms
    store: ForecastStore

    def run(self, trial: Trial) -> TrialResult:
        """See `run_trial`."""
        return run_trial(self.history, self.config, trial, self.terms, self.store)


class ProcessRunner:
    """A `RunTrials` over the processors of this machine; a context manager that leaves no process behind.

    The first trial is played here and timed; the others follow it here unless their work is worth processes.
    """

    def __init__(
        self,
        bench: Bench,
        on_trials: OnTrials | None = None,
        processes: int | None = None,
        worth_s: float = _WORTH_S,
    ) -> None:
        self._bench = bench
        self._on_trials = on_trials or (lambda *_: None)
        self._processes = processes or os.cpu_count() or 1
        self._worth_s = worth_s
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __call__(self, trials: Sequence[Trial]) -> list[TrialResult]:
        """The result of each trial, in their order."""
        results: list[TrialResult] = []
        failed = 0
        for result in self._play(trials):
            results.append(result)
            failed += bool(result.error)
            self._on_trials(len(results), failed, len(trials))
        return results

    def _play(self, trials: Sequence[Trial]) -> Iterable[TrialResult]:
        start = time.monotonic()
        yield from map(self._bench.run, trials[:1])
        left, work_s = trials[1:], (time.monotonic() - start) * (len(trials) - 1)
        alone = self._processes == 1 or (self._pool is None and work_s < self._worth_s)
        yield from map(self._bench.run, left) if alone else self._play_apart(left)

    def _play_apart(self, trials: Sequence[Trial]) -> Iterable[TrialResult]:
        pool = self._pool = self._pool or self._new_pool(self._processes)
        for trial, future in [(trial, pool.submit(_run, trial)) for trial in trials]:
            try:
                yield future.result()
            except BrokenProcessPool:  # one trial took its process down, and the pool with all that had not ended
                if self._pool is pool:
                    self._close()
                yield self._play_alone(trial)

    def _play_alone(self, trial: Trial) -> TrialResult:
        """In a process that no other trial waits for: only the one that kills it is lost."""
        self._pool = self._pool or self._new_pool(1)
        try:
            return self._pool.submit(_run, trial).result()
        except BrokenProcessPool as error:
            self._close()
            return TrialResult(trial, None, f"its process died: {error}")

    def _new_pool(self, processes: int) -> ProcessPoolExecutor:
        fresh = multiprocessing.get_context("spawn")  # a fork would copy locks that threads hold
        return ProcessPoolExecutor(processes, fresh, _keep, (self._bench,))

    def _close(self) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)  # waits for the trials that have begun
        self._pool = None


_kept: list[Bench] = []  # in a process of the pool: the one bench of all its trials


def _keep(bench: Bench) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the one that waits for us answers it
    _kept[:] = [bench]


def _run(trial: Trial) -> TrialResult:
    return _kept[0].run(trial)
