"""The arguments of `openbell backtest`, and the configuration that they choose."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.places import STRATEGIES
from lab.request import BacktestRequest, chosen_config, settings_of
from openbell.errors import ConfigError
from tests.integration.workflow.stage import sample


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "1980-01-02"], "--from 1980-01-02 lies outside the data; expected a date from 1990-01-02"),
        (["--to", "2030-01-02"], "--to 2030-01-02 lies outside the data"),
        (["--from", "2022-03-01", "--to", "2022-02-01"], "--from 2022-03-01 is after --to 2022-02-01"),
        (["--from", "2022-02-30"], "--from 2022-02-30: expected a date such as 2015-01-02"),
        (["--from", "2021-11-26", "--to", "2021-11-28"], "no session is open at 15:00"),
        (["--every", "2d"], "--every 2d: expected 1d (each session) or 1w"),
        (["--cost-bps", "a lot"], "--cost-bps a lot: expected basis points from 0 to 1000"),
        (["--cost-bps", "-1"], "--cost-bps -1: expected basis points"),
        (["--strategies", "nonsense"], "unknown strategy nonsense"),
        (["--bars", "/nowhere.csv"], "/nowhere.csv: no such file"),
        (["--config", "/nowhere.yaml"], "/nowhere.yaml: cannot be read"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_played(arguments: list[str], message: str, tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, ["backtest", "--report", str(tmp_path / "sheet.html"), *arguments])
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert message in " ".join(outcome.stderr.split())
    assert not (tmp_path / "sheet.html").exists()


def config_file(folder: Path, text: str) -> Path:
    path = folder / "strategies.yaml"
    path.write_text(text)
    return path


def test_a_strategy_without_an_entry_gets_an_equal_part_of_what_is_left(tmp_path: Path) -> None:
    path = config_file(tmp_path, "strategies: {momentum: {allocation: 0.4}, prophet_trend: {allocation: 0.5}}")
    config = chosen_config(path, ("momentum", "sma_cross", "buy_and_hold"))
    assert {name: entry.allocation for name, entry in config.enabled.items()} == {
        "momentum": Decimal("0.4"),
        "sma_cross": Decimal("0.3"),
        "buy_and_hold": Decimal("0.3"),
    }


def test_every_strategy_looks_at_all_symbols_of_the_data() -> None:
    config = chosen_config(STRATEGIES, ())
    assert {entry.universe.members for entry in config.enabled.values()} == {"tradable"}


def test_wrong_parameters_are_named(tmp_path: Path) -> None:
    path = config_file(tmp_path, "strategies: {sma_cross: {allocation: 1, parameters: {fast: 9, slow: 3}}}")
    with pytest.raises(ConfigError, match="fast 9 must be below slow 3"):
        chosen_config(path, ("sma_cross",))


def request(first: date | None = None, last: date | None = None) -> BacktestRequest:
    return BacktestRequest((), first, last, "1d", None, Decimal(1), Decimal(2), Decimal(1000), STRATEGIES)


def test_by_default_a_year_of_bars_comes_before_the_first_run() -> None:
    settings = settings_of(request(), sample())
    assert settings.first == sample().sessions[252]
    assert settings.last == sample().sessions[-1]
    assert settings_of(request(first=date(2022, 1, 3)), sample()).first == date(2022, 1, 3)
