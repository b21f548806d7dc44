"""`openbell walk-forward`, whole: tables, JSON, exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from lab import metrics
from lab.sharpe import deflated_sharpe, probabilistic_sharpe

DATES = ["--from", "2020-01-02", "--to", "2021-04-30", "--train", "6m", "--test", "3m"]


def searched(folder: Path, grid: str, *arguments: str) -> Result:
    path = folder / "grid.yaml"
    path.write_text(grid)
    files = ["--grid", str(path), "--report", str(folder / "found.json"), "--cache", str(folder / "forecasts")]
    return CliRunner().invoke(app, ["walk-forward", "sma_cross", *files, "--processes", "1", *DATES, *arguments])


def test_every_fold_shows_in_sample_beside_out_of_sample_and_the_verdict_counts_the_tries(tmp_path: Path) -> None:
    outcome = searched(tmp_path, "parameters: {fast: [10, 50], slow: [20, 100]}")
    assert outcome.exit_code == 0, outcome.output
    told = " ".join(outcome.stdout.split())
    assert "In sample beside out of sample" in told
    assert "the best of 3 combinations without any skill" in told  # fast 50, slow 20 excludes itself
    assert "3 of 15 trials failed" in told  # in each of three folds: four combinations, then the chosen one
    assert "fast 50 must be below slow 20" in told
    assert str(tmp_path / "found.json") in told


def test_json_has_every_trial_and_the_figures_of_the_stitched_series(tmp_path: Path) -> None:
    outcome = searched(tmp_path, "parameters: {fast: [10, 20], slow: [50]}", "--json")
    answer = json.loads(outcome.stdout)
    assert [(fold["in_first"], fold["out_first"]) for fold in answer["folds"]] == [
        ("2020-01-02", "2020-07-02"),  # 126 sessions later, then 63 each
        ("2020-04-02", "2020-10-01"),
        ("2020-07-02", "2020-12-31"),
    ]
    returns = np.array(answer["out_of_sample"]["returns"])
    assert answer["out_of_sample"]["sharpe"] == pytest.approx(metrics.sharpe(returns))
    by_fold = [[trial["figures"]["sharpe"] for trial in fold["trials"]] for fold in answer["folds"]]
    trials = [float(mean) for mean in np.mean(by_fold, axis=0)]
    assert answer["luck"]["trials"] == 2
    assert answer["luck"]["probabilistic"] == pytest.approx(probabilistic_sharpe(returns))
    assert answer["luck"]["deflated"] == pytest.approx(deflated_sharpe(returns, trials))
    assert answer["luck"]["low"] < answer["luck"]["annual_sharpe"] < answer["luck"]["high"]
    for fold, sharpes in zip(answer["folds"], by_fold, strict=True):
        assert fold["chosen"]["figures"]["sharpe"] == max(sharpes)
        assert fold["out_of_sample"]["parameters"] == fold["chosen"]["parameters"]
    assert json.loads((tmp_path / "found.json").read_text()) == {k: v for k, v in answer.items() if k != "report"}


def test_where_every_trial_fails_the_command_fails(tmp_path: Path) -> None:
    outcome = searched(tmp_path, "parameters: {fast: [50], slow: [20]}")
    assert outcome.exit_code == 1
    assert "every trial failed" in " ".join(outcome.stdout.split())


@pytest.mark.parametrize(
    ("grid", "arguments", "complaint"),
    [
        ("parameters: {fast: [0]}", [], "parameters.fast: Input should be greater than or equal to 1"),
        ("parameters: {fast: [10]}", ["--train", "long"], "--train long: expected a number of sessions"),
        ("parameters: {fast: [10]}", ["--train", "9y"], "--train 2268 and --test 63 need 2,331 sessions"),
        ("parameters: {fast: [10]}", ["--from", "1950-01-03"], "--from 1950-01-03 lies outside the data"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_played(
    tmp_path: Path, grid: str, arguments: list[str], complaint: str
) -> None:
    outcome = searched(tmp_path, grid, *arguments)
    assert outcome.exit_code == 2
    assert complaint in " ".join(outcome.stderr.split())
    assert not (tmp_path / "found.json").exists()
