"""Walk-forward: parameters are searched in one window of history and judged in the next, which the search never saw.

Pardo (2008), The Evaluation and Optimization of Trading Strategies, chapter 11.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lab.metrics import Floats
from lab.trials.folds import Fold
from lab.trials.grid import Grid
from lab.trials.running import RunTrials
from lab.trials.trial import Combination, Trial, TrialResult
from openbell.errors import InvalidInput

MOST_TRIALS = 100_000  # in sample, of all folds together


@dataclass(frozen=True)
class FoldResult:
    """One fold: the search, what it chose, and what that was worth afterwards."""

    fold: Fold
    in_sample: tuple[TrialResult, ...]
    chosen: TrialResult | None  # of `in_sample`; None if every trial failed
    out_of_sample: TrialResult | None  # of what was chosen


@dataclass(frozen=True)
class WalkForward:
    """All folds of a strategy."""

    strategy: str
    folds: tuple[FoldResult, ...]

    @property
    def returns(self) -> Floats:
        """The out-of-sample returns of all folds that have them, one after the other, `(n_sessions,)`."""
        parts = [f.out_of_sample.figures.returns for f in self.folds if f.out_of_sample and f.out_of_sample.figures]
        return np.concatenate(parts) if parts else np.empty(0)

    @property
    def trial_sharpes(self) -> tuple[float, ...]:
        """A Sharpe ratio (of a session) for each combination that was tried: the mean of its in-sample windows."""
        by_combination: dict[str, list[float]] = {}
        for result in self.results:
            if result.figures:
                by_combination.setdefault(str(result.trial.combination), []).append(result.figures.sharpe)
        return tuple(float(np.mean(found)) for found in by_combination.values())

    @property
    def results(self) -> list[TrialResult]:
        """Every in-sample trial."""
        return [result for fold in self.folds for result in fold.in_sample]

    @property
    def chosen(self) -> list[Combination]:
        """What was chosen, fold by fold."""
        return [fold.chosen.trial.combination for fold in self.folds if fold.chosen]

    def mean_sharpes(self) -> tuple[float, float]:
        """Annual Sharpe ratios of what was chosen, in-sample and out-of-sample, in the mean of the folds with both."""
        both = [
            (fold.chosen.figures.annual_sharpe, fold.out_of_sample.figures.annual_sharpe)
            for fold in self.folds
            if fold.chosen and fold.chosen.figures and fold.out_of_sample and fold.out_of_sample.figures
        ]
        if not both:
            return float("nan"), float("nan")
        inside, outside = np.mean(both, axis=0)
        return float(inside), float(outside)


def best_of(results: Sequence[TrialResult]) -> TrialResult | None:
    """The trial with the highest Sharpe ratio, of equals the first; None if all failed."""
    played = [(result.figures.sharpe, result) for result in results if result.figures]
    return max(played, key=lambda found: found[0])[1] if played else None


def walk_forward(grid: Grid, folds: Sequence[Fold], run: RunTrials) -> WalkForward:
    """Search every in-sample window, then play what it chose in the window after it, and nothing else there.

    `run` gets all in-sample trials at once, then all out-of-sample trials. Every window begins with the whole capital
    in cash. Raises InvalidInput if there are too many trials.
    """
    searched = run(_searches(grid, folds))
    size = len(grid)
    by_fold = [tuple(searched[at * size : (at + 1) * size]) for at in range(len(folds))]
    chosen = [best_of(results) for results in by_fold]
    proofs = [
        Trial(grid.strategy, best.trial.combination, fold.out_first, fold.out_last)
        for fold, best in zip(folds, chosen, strict=True)
        if best
    ]
    played = iter(run(proofs) if proofs else [])
    found = [
        FoldResult(fold, results, best, next(played) if best else None)
        for fold, results, best in zip(folds, by_fold, chosen, strict=True)
    ]
    return WalkForward(grid.strategy, tuple(found))


def _searches(grid: Grid, folds: Sequence[Fold]) -> list[Trial]:
    if len(grid) * len(folds) > MOST_TRIALS:
        raise InvalidInput(
            f"{grid.source}: {len(grid):,} combinations in {len(folds):,} folds are more than {MOST_TRIALS:,} trials; "
            "try fewer values, or longer windows"
        )
    combinations = grid.combinations()
    return [Trial(grid.strategy, c, fold.in_first, fold.in_last) for fold in folds for c in combinations]
