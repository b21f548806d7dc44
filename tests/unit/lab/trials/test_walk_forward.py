from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lab.forecasts import ForecastStore
from lab.trials import Grid, ProcessRunner, Terms, Trial, TrialResult, WalkForward, best_of, cut_folds, walk_forward
from lab.trials.running import Bench
from openbell.errors import InvalidInput
from paper import History
from tests.unit.lab.trials.searches import SESSIONS, config, market

FOLDS = cut_folds(SESSIONS[20:], train=40, test=20)  # three: 100 sessions


def grid(*picks: str) -> Grid:
    return Grid("holds", {"pick": picks}, {}, {}, "the test")


def searched(history: History, folder: Path, *picks: str) -> WalkForward:
    with ProcessRunner(Bench(history, config(folder), Terms(), ForecastStore(None)), processes=1) as run:
        return walk_forward(grid(*picks), FOLDS, run)


def test_the_best_parameter_is_found_in_every_window(tmp_path: Path) -> None:
    found = searched(market(), tmp_path, "DOWN", "FLAT", "UP")
    assert [combination.parameters["pick"] for combination in found.chosen] == ["UP", "UP", "UP"]
    assert [len(fold.in_sample) for fold in found.folds] == [3, 3, 3]
    inside, outside = found.mean_sharpes()
    assert inside > 5
    assert outside > 5


def test_the_choice_knows_nothing_of_what_comes_after_its_window(tmp_path: Path) -> None:
    last = FOLDS[0].in_last
    calm, crash = searched(market(), tmp_path, "FLAT", "UP"), searched(market(last), tmp_path, "FLAT", "UP")
    assert crash.folds[0].in_sample == calm.folds[0].in_sample
    assert crash.folds[0].chosen == calm.folds[0].chosen  # although it loses now:
    assert crash.folds[0].out_of_sample
    assert crash.folds[0].out_of_sample.figures
    assert crash.folds[0].out_of_sample.figures.sharpe < 0
    assert crash.chosen[-1].parameters["pick"] == "FLAT"  # by then the crash lies in sample


def test_out_of_sample_only_the_chosen_one_is_played_in_the_window_that_follows(tmp_path: Path) -> None:
    asked: list[Trial] = []

    def run(trials: Sequence[Trial]) -> list[TrialResult]:
        asked.extend(trials)
        with ProcessRunner(Bench(market(), config(tmp_path), Terms(), ForecastStore(None)), processes=1) as runner:
            return runner(trials)

    walk_forward(grid("DOWN", "UP"), FOLDS, run)
    inside, outside = asked[:6], asked[6:]
    assert {(trial.first, trial.last) for trial in inside} == {(fold.in_first, fold.in_last) for fold in FOLDS}
    assert [(trial.first, trial.last) for trial in outside] == [(fold.out_first, fold.out_last) for fold in FOLDS]
    assert {trial.combination.parameters["pick"] for trial in outside} == {"UP"}


def test_the_out_of_sample_returns_follow_each_other(tmp_path: Path) -> None:
    found = searched(market(), tmp_path, "UP")
    parts = [f.out_of_sample.figures.returns for f in found.folds if f.out_of_sample and f.out_of_sample.figures]
    assert [len(part) for part in parts] == [20, 20, 20]
    assert np.array_equal(found.returns, np.concatenate(parts))


def test_each_combination_counts_once_as_a_trial_with_the_mean_of_its_windows(tmp_path: Path) -> None:
    found = searched(market(), tmp_path, "DOWN", "UP", "BOOM")
    down, up = found.trial_sharpes  # three windows each; BOOM never had a ratio
    sharpes = [fold.in_sample[1].figures.sharpe for fold in found.folds if fold.in_sample[1].figures]
    assert up == pytest.approx(sum(sharpes) / 3)
    assert down < 0 < up


def test_a_fold_in_which_every_trial_fails_has_no_choice_and_harms_no_other(tmp_path: Path) -> None:
    found = searched(market(), tmp_path, "BOOM")
    assert [(fold.chosen, fold.out_of_sample) for fold in found.folds] == [(None, None)] * 3
    assert len(found.returns) == 0
    assert np.isnan(found.mean_sharpes()).all()


def test_of_equals_the_first_is_the_best(tmp_path: Path) -> None:
    found = searched(market(), tmp_path, "UP")
    (only,) = found.folds[0].in_sample
    assert best_of([only, only]) is only
    assert best_of([]) is None


def test_more_trials_than_anybody_can_mean_are_refused_before_the_first(tmp_path: Path) -> None:
    many = Grid("holds", {"pick": ["UP"], "patience": list(range(50_000))}, {}, {}, "grid.yaml")

    def run(trials: Sequence[Trial]) -> list[TrialResult]:
        raise AssertionError(f"{len(trials)} trials were played")

    with pytest.raises(InvalidInput, match=r"grid\.yaml: 50,000 combinations in 3 folds are more than 100,000 trials"):
        walk_forward(many, FOLDS, run)
