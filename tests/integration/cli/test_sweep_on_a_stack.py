"""`openbell sweep` on a stack that stays: it goes on later, walks forward as on the laptop, tells of its failure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.places import TEMPLATE
from local import LocalCloud
from tests.integration.operations.recorded_calls import recorder, used_actions
from tests.integration.operations.rights import allowed
from tests.unit.lab.trials.searches import HOLDS

DATES = ["--from", "2022-06-01", "--to", "2022-08-31"]


@dataclass(frozen=True)
class Stack:
    """The stack, and the folder of the configuration that it was deployed with."""

    cloud: LocalCloud
    folder: Path

    def sweep(self, grid: str, *arguments: str, as_json: bool = True) -> Result:
        (self.folder / "grid.yaml").write_text(grid)
        files = ["--grid", str(self.folder / "grid.yaml"), "--config", str(self.folder / "strategies.yaml")]
        place = ["--local", self.cloud.address, "--report", str(self.folder / "found.json")]
        return CliRunner().invoke(app, ["sweep", *files, *place, *DATES, *arguments, *(["--json"] if as_json else [])])

    def executions(self) -> int:
        machine = self.cloud.outputs["SweepMachineArn"]
        return len(self.cloud.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("deployed").resolve()
    kills = HOLDS.replace('raise RuntimeError("out of ideas")', "__import__('os')._exit(1)")
    (folder / "holds.py").write_text(kills)
    (folder / "strategies.yaml").write_text(
        "strategies:\n"
        "  holds: {uses: 'holds.py:Holds', allocation: 0.5, universe: {size: 20, lookback: 5}}\n"
        "  sma_cross: {allocation: 0.5, universe: {size: 20, lookback: 60}}\n"
    )
    files = {"config/holds.py": folder / "holds.py", "config/strategies.yaml": folder / "strategies.yaml"}
    files["sitecustomize.py"] = recorder(folder)
    with LocalCloud(template=TEMPLATE, layer_files=files, retry_scale=0) as cloud:
        yield Stack(cloud, folder)


def name_of(outcome: Result) -> str:
    told = re.search(r"--resume ([\w-]+)", outcome.stderr)
    assert told, outcome.stderr
    return told[1]


def words(outcome: Result) -> str:
    return " ".join(outcome.stderr.split())


def answer(outcome: Result) -> dict[str, Any]:
    assert outcome.exit_code == 0, outcome.output
    found: dict[str, Any] = json.loads(outcome.stdout)
    return found


GRID = "strategy: sma_cross\nparameters: {fast: [5, 10], slow: [20, 40]}"


def test_people_see_the_best_trials_and_what_the_best_of_so_many_is_worth(stack: Stack) -> None:
    outcome = stack.sweep("strategy: sma_cross\nparameters: {fast: [5, 10, 30], slow: [20, 40]}", as_json=False)
    assert outcome.exit_code == 0, outcome.output
    told = " ".join(outcome.stdout.split())
    for part in (
        "The best: fast",
        "the best of 5 combinations without any skill",
        "The best 5 of 5 trials",
        "1 of 6 trials failed",
        "fast 30 must be below slow 20",
        "survivorship bias",
        str(stack.folder / "found.json"),
    ):
        assert part in told


def test_a_sweep_that_goes_on_plays_nothing_twice(stack: Stack) -> None:
    first = stack.sweep(GRID)
    before = stack.executions()
    again = stack.sweep(GRID, "--resume", name_of(first))
    assert answer(again)["trials"] == answer(first)["trials"]
    assert stack.executions() == before


def test_a_sweep_that_goes_on_plays_what_is_lacking(stack: Stack) -> None:
    first = stack.sweep(GRID)
    bucket, sweep = stack.cloud.outputs["BucketName"], name_of(first)
    stack.cloud.client("s3").delete_object(Bucket=bucket, Key=f"sweeps/{sweep}/trials/00002.json")
    before = stack.executions()
    assert answer(stack.sweep(GRID, "--resume", sweep))["trials"] == answer(first)["trials"]
    assert stack.executions() == before + 1


WALKING = ["--walk-forward", "--train", "4w", "--test", "2w"]
SMALL = "strategy: sma_cross\nparameters: {fast: [5]}"


@pytest.mark.parametrize(("grid", "arguments"), [(GRID, []), (SMALL, ["--cost-bps", "7"]), (SMALL, WALKING)])
def test_a_sweep_goes_on_only_as_it_was_begun(stack: Stack, grid: str, arguments: list[str]) -> None:
    sweep = name_of(stack.sweep(SMALL))
    outcome = stack.sweep(grid, "--resume", sweep, *arguments)
    assert outcome.exit_code == 2
    assert "begun with another grid, other dates, bars, costs or another configuration" in words(outcome)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--resume", "never-begun"], "there is no such sweep in the stack's archive"),
        (["--resume", "../runs"], "expected the name that the sweep told"),
        (["--train", "1y"], "add --walk-forward"),
    ],
)
def test_wrong_input_is_refused(stack: Stack, arguments: list[str], complaint: str) -> None:
    outcome = stack.sweep(SMALL, *arguments)
    assert outcome.exit_code == 2
    assert complaint in words(outcome)


def test_a_walk_forward_in_lambdas_is_the_walk_forward_of_the_laptop(stack: Stack) -> None:
    there = answer(stack.sweep(GRID, *WALKING))
    files = ["--grid", str(stack.folder / "grid.yaml"), "--config", str(stack.folder / "strategies.yaml")]
    options = [*files, *DATES, *WALKING[1:], "--json", "--report", str(stack.folder / "here.json")]
    here = answer(CliRunner().invoke(app, ["walk-forward", "sma_cross", *options]))
    assert len(there["folds"]) == 4
    for part in ("folds", "out_of_sample", "luck"):
        assert there[part] == here[part], part


def test_where_too_many_trials_are_lost_the_sweep_fails_and_a_person_is_told(stack: Stack) -> None:
    outcome = stack.sweep("strategy: holds\nparameters: {pick: [BOOM], patience: [0, 1]}")
    assert outcome.exit_code == 1
    assert "States.ExceedToleratedFailureThreshold" in words(outcome)
    (alert,) = stack.cloud.alerts
    assert alert.subject == "Openbell: a sweep of trials failed"
    assert f"openbell sweep --resume {name_of(outcome)}" in alert.message


def test_the_function_may_do_what_it_does_and_nothing_else(stack: Stack) -> None:
    answer(stack.sweep(GRID))
    used = used_actions(stack.folder)[stack.cloud.physical_id("BacktestFoldFunction")]
    assert used == allowed("BacktestFoldFunction")
