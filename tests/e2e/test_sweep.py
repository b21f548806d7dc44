"""`openbell sweep`: hundreds of trials through the state machine and its Lambda, in a local cloud."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from lab.request import chosen_config
from lab.trials import Combination, Terms, Trial, run_trial
from paper import load_bars
from tests.e2e.commands import openbell
from tests.unit.lab.trials.searches import SESSIONS, SYMBOLS, market

# Holds the symbol number `pick`. One trial takes its whole process down, as running out of memory would.
CODE = """
import os

from openbell.model import Signal
from openbell.portfolio.sizing import Sizing
from openbell.strategies import Context, Parameters, Strategy


class Numbers(Parameters):
    pick: int = 0
    wait: int = 0


class Numbered(Strategy[Numbers]):
    parameters_model = Numbers
    sizing = Sizing.ENTER

    def signals(self, context: Context) -> list[Signal]:
        if (self.parameters.pick, self.parameters.wait) == (13, 5):
            os._exit(1)
        symbol = sorted(map(str, context.closes.columns))[self.parameters.pick % 3]
        if symbol in context.holdings or len(context.closes) < self.parameters.wait:
            return []
        return [Signal(symbol, 1.0, "numbered")]
"""
WAITS = list(range(8))


def written(folder: Path) -> list[str]:
    """The files of a small search: bars, own strategy, configuration, grid; and the arguments that name them."""
    closes = market().bars.close
    with (folder / "bars.csv").open("w") as file:
        rows = csv.writer(file)
        rows.writerow(["date", "symbol", "close"])
        for (row, column), close in np.ndenumerate(closes):
            rows.writerow([SESSIONS[row], SYMBOLS[column], repr(float(close))])
    (folder / "numbered.py").write_text(CODE)
    entry = {"uses": "numbered.py:Numbered", "allocation": 1, "universe": {"size": 3, "lookback": 5}}
    (folder / "strategies.yaml").write_text(yaml.safe_dump({"strategies": {"numbered": entry}}))
    grid = {"strategy": "numbered", "parameters": {"pick": list(range(26)), "wait": WAITS}}
    (folder / "grid.yaml").write_text(yaml.safe_dump(grid))
    files = ["--grid", "grid.yaml", "--bars", "bars.csv", "--config", "strategies.yaml"]
    return [*files, "--from", str(SESSIONS[60]), "--to", str(SESSIONS[80]), "--json"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweep")


@pytest.fixture(scope="module")
def swept(folder: Path) -> dict[str, Any]:
    ended = openbell("sweep", *written(folder), folder=folder)
    assert ended.exit_code == 0, ended.stderr
    assert not ended.left_behind
    return ended.answer


def test_every_trial_has_a_result_but_the_one_that_took_its_function_down(swept: dict[str, Any]) -> None:
    assert len(swept["trials"]) == 26 * len(WAITS) == 208
    (lost,) = [trial for trial in swept["trials"] if trial["error"]]  # the others of its batch are not
    assert lost["parameters"] == {"pick": 13, "wait": 5}
    assert lost["error"].startswith("Runtime.ExitError: ")


def test_a_trial_in_a_lambda_has_the_figures_that_it_has_here(swept: dict[str, Any], folder: Path) -> None:
    history = load_bars(folder / "bars.csv")
    config = chosen_config(folder / "strategies.yaml", ("numbered",))
    for number in (0, 100, 207):
        there = swept["trials"][number]
        trial = Trial("numbered", Combination(there["parameters"]), SESSIONS[60], SESSIONS[80])
        here = run_trial(history, config, trial, Terms()).figures
        assert here
        assert there["figures"]["sharpe"] == here.sharpe
        assert there["figures"]["final_equity"] == here.final_equity


def test_the_best_is_told_with_what_it_is_worth_after_so_many_tries(swept: dict[str, Any], folder: Path) -> None:
    sharpes = [trial["figures"]["sharpe"] for trial in swept["trials"] if trial["figures"]]
    assert swept["best"]["figures"]["sharpe"] == max(sharpes)
    assert swept["best"]["parameters"]["pick"] % 3 == 2  # UP, of DOWN, FLAT and UP
    assert swept["luck"]["trials"] == 207
    assert 0 <= swept["luck"]["deflated"] <= swept["luck"]["probabilistic"] <= 1
    assert json.loads((folder / swept["report"]).read_text())["best"] == swept["best"]
