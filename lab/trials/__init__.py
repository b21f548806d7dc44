"""Parameter trials: one trial, many on this machine's processors, or thousands in Lambdas, by one function.

`run_trial` plays one; whoever has many of them gives them to a `RunTrials`: `ProcessRunner` here, the state machine in
`statemachine/sweep.asl.json` elsewhere. Nothing in this package knows the command line: it ships to a Lambda.
"""

from lab.trials.folds import Fold, cut_folds
from lab.trials.grid import Grid, check_grid, read_grid
from lab.trials.luck import Luck, luck_of
from lab.trials.running import ProcessRunner, RunTrials
from lab.trials.trial import Combination, Terms, Trial, TrialFigures, TrialResult, run_trial
from lab.trials.walk_forward import FoldResult, WalkForward, best_of, walk_forward

__all__ = [
    "Combination",
    "Fold",
    "FoldResult",
    "Grid",
    "Luck",
    "ProcessRunner",
    "RunTrials",
    "Terms",
    "Trial",
    "TrialFigures",
    "TrialResult",
    "WalkForward",
    "best_of",
    "check_grid",
    "cut_folds",
    "luck_of",
    "read_grid",
    "run_trial",
    "walk_forward",
]
