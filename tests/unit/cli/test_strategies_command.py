"""`openbell strategies`: the list tells what there is, and what is new works as written."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.places import ROOT
from openbell.strategies import SHIPPED


def openbell(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["strategies", *arguments])


def words(told: Result) -> str:
    """What was told on stderr, in one line."""
    return " ".join(told.stderr.split())


def config_file(folder: Path, text: str) -> str:
    path = folder / "my.yaml"
    path.write_text(f"strategies:\n{text}")
    return str(path)


def rows(*arguments: str) -> dict[str, dict[str, Any]]:
    answer = json.loads(openbell("list", "--json", *arguments).stdout)
    return {row["name"]: row for row in answer["strategies"]}


def test_every_shipped_strategy_is_listed_with_what_it_does_and_its_parameters() -> None:
    found = rows()
    assert set(SHIPPED) <= set(found)
    assert found["momentum"]["what"] == "Holds the winners of the last year less its last month, at equal weights."
    assert found["momentum"]["parameters"] == {
        "cash_buffer": "0.05",
        "max_weight": "1",
        "hold": 5,
        "lookback": 252,
        "skip": 21,
    }
    assert [name for name, row in found.items() if row["enabled"]] == ["prophet_trend", "momentum"]


def test_the_table_names_what_is_not_configured(tmp_path: Path) -> None:
    path = config_file(tmp_path, "  trend: {uses: sma_cross, allocation: 0.25, schedule: quarter_hour}\n")
    told = openbell("list", "--config", path)
    assert told.exit_code == 0
    (row,) = [line for line in told.stdout.splitlines() if "trend" in line and "every 15m" in line]
    assert "sma_cross" in row
    assert "0.25" in row
    assert "Not configured: buy_and_hold, low_volatility, mean_reversion, momentum, prophet_trend\n" in told.stdout


@pytest.mark.parametrize(("enabled", "exit_code"), [("true", 2), ("false", 0)])
def test_code_that_cannot_be_used_is_told_in_its_row(tmp_path: Path, enabled: str, exit_code: int) -> None:
    path = config_file(tmp_path, f"  mine: {{uses: 'mine.py:Mine', allocation: 0.1, enabled: {enabled}}}\n")
    assert rows("--config", path)["mine"]["error"] == f"strategies.mine.uses: there is no file {tmp_path}/mine.py"
    assert openbell("list", "--config", path).exit_code == exit_code


def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    told = openbell("list", "--config", str(tmp_path / "none.yaml"))
    assert (told.exit_code, told.stdout) == (2, "")
    assert "none.yaml: cannot be read" in words(told)


def test_a_new_strategy_works_as_written(tmp_path: Path) -> None:
    told = openbell("new", "my_first", "--folder", str(tmp_path / "own"))
    assert told.exit_code == 0
    tested = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(tmp_path / "own" / "test_my_first.py"),
    ]
    assert "2 passed" in subprocess.run(tested, capture_output=True, text=True, check=False, cwd=tmp_path).stdout
    linted = [str(Path(sys.executable).with_name("ruff")), "check", "--config", str(ROOT / "pyproject.toml")]
    assert subprocess.run([*linted, str(tmp_path / "own" / "my_first.py")], check=False).returncode == 0


def test_what_is_said_of_a_new_strategy_enables_it(tmp_path: Path) -> None:
    told = openbell("new", "my_first", "--folder", str(tmp_path / "own")).stdout
    entry = told.split("at most):\n")[1].split("For this machine only")[0]
    found = rows("--config", config_file(tmp_path, entry))
    assert found["my_first"]["uses"] == "own/my_first.py:MyFirst"
    assert found["my_first"]["what"] == "Holds what has risen over the last `bars` bars, and leaves what has fallen."
    assert found["my_first"]["parameters"] == {"cash_buffer": "0.05", "max_weight": "1", "bars": 20}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my-first", "'my-first' cannot be a strategy's name: expected an identifier"),
        ("1st", "'1st' cannot be a strategy's name"),
        ("Mine", "'Mine' cannot be a strategy's name"),
        ("../mine", "'../mine' cannot be a strategy's name"),
        ("class", "'class' cannot be a strategy's name"),
        ("momentum", "momentum is a strategy that ships"),
        ("strategy", "would give its class the name of something that it imports"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str, message: str) -> None:
    told = openbell("new", name, "--folder", str(tmp_path))
    assert told.exit_code == 2
    assert message in words(told)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["mine.py", "test_mine.py"])
def test_nothing_is_written_over(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    told = openbell("new", "mine", "--folder", str(tmp_path))
    assert told.exit_code == 2
    assert f"{there} exists already and is left as it is" in words(told)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {there: "precious"}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = openbell("new", "mine", "--folder", str(tmp_path / "file"))
    assert told.exit_code == 2
    assert "mine.py cannot be written" in words(told)
