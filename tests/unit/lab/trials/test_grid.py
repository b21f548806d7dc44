from pathlib import Path

import pytest

from lab.trials import Combination, check_grid, read_grid
from openbell.config import PlatformConfig, parse_config
from openbell.errors import ConfigError

CONFIG = parse_config(
    {"strategies": {"sma_cross": {"allocation": "1"}, "prophet_trend": {"allocation": "0", "enabled": False}}}, "test"
)


def file(folder: Path, text: str, name: str = "grid.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def checked(path: Path, config: PlatformConfig = CONFIG) -> None:
    check_grid(read_grid(path), config)


def test_every_combination_comes_once_the_last_axis_turning_fastest(tmp_path: Path) -> None:
    text = "strategy: sma_cross\nparameters: {fast: [10, 20], slow: [100, 200]}\nuniverse: {size: [5]}\n"
    grid = read_grid(file(tmp_path, text))
    assert len(grid) == 4
    size = {"size": 5}
    assert grid.combinations() == (
        Combination({"fast": 10, "slow": 100}, size),
        Combination({"fast": 10, "slow": 200}, size),
        Combination({"fast": 20, "slow": 100}, size),
        Combination({"fast": 20, "slow": 200}, size),
    )
    assert str(grid.combinations()[0]) == "fast 10, slow 100, universe.size 5"


def test_json_is_read_like_yaml(tmp_path: Path) -> None:
    path = file(tmp_path, '{"strategy": "sma_cross", "parameters": {"fast": [10, 20]}}', "grid.json")
    assert len(read_grid(path)) == 2
    checked(path)


def test_the_command_may_name_the_strategy_instead_of_the_file(tmp_path: Path) -> None:
    assert read_grid(file(tmp_path, "parameters: {fast: [10]}"), "sma_cross").strategy == "sma_cross"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("parameters: {fast: [10]}", "strategy: it is missing"),
        ("strategy: sma_cross", "varies nothing"),
        ("strategy: sma_cross\nparameters: {fast: []}", "parameters.fast: List should have at least 1 item"),
        ("strategy: sma_cross\nparameters: {fast: 10}", "parameters.fast: Input should be a valid list, got 10"),
        ("strategy: sma_cross\nparameters: {fast: [10, 20, 10]}", "parameters.fast: 10 is there twice"),
        ("strategy: sma_cross\nparameter: {fast: [10]}", "parameter: Extra inputs are not permitted"),
        ("strategy: [", "is neither YAML nor JSON"),
        ("strategy: sma_cross\nparameters: {fast: [" + ", ".join(map(str, range(10_001))) + "]}", "at most 10,000"),
    ],
)
def test_a_file_that_is_no_grid_is_refused_with_file_field_and_reason(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = file(tmp_path, text)
    with pytest.raises(ConfigError, match=r"grid\.yaml") as refused:
        read_grid(path)
    assert complaint in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_grid(tmp_path / "none.yaml")


def test_a_file_for_another_strategy_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, "strategy: momentum\nparameters: {hold: [1]}")
    with pytest.raises(ConfigError, match="got momentum, but the command names sma_cross"):
        read_grid(path, "sma_cross")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("strategy: magic\nparameters: {fast: [1]}", "there is no 'magic'; the configuration has: prophet_trend"),
        ("strategy: sma_cross\nparameters: {fats: [1]}", "fats: sma_cross has no such key; allowed: cash_buffer, "),
        (
            "strategy: sma_cross\nparameters: {fast: [10, 300]}",
            "fast: Input should be less than or equal to 250, got 300",
        ),
        (
            "strategy: sma_cross\nuniverse: {length: [5]}",
            "universe.length: sma_cross has no such key; allowed: members",
        ),
        (
            "strategy: sma_cross\nuniverse: {size: [0]}",
            "universe.size: Input should be greater than or equal to 1, got 0",
        ),
        ("strategy: sma_cross\nforecast: {horizon: [5]}", "forecast: sma_cross makes no forecasts"),
    ],
)
def test_what_the_strategy_does_not_take_is_refused_with_what_it_does_take(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        checked(file(tmp_path, text))
    assert complaint in str(refused.value)


def test_values_that_exclude_each_other_are_left_to_their_trial(tmp_path: Path) -> None:
    checked(file(tmp_path, "strategy: sma_cross\nparameters: {fast: [10, 100], slow: [50, 200]}"))  # 100 is above 50


def test_forecasts_can_be_varied_where_they_are_made(tmp_path: Path) -> None:
    checked(file(tmp_path, "strategy: prophet_trend\nforecast: {horizon: [5, 10], changepoint_prior_scale: [0.05]}"))
