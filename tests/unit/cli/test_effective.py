"""The configuration that a run is made with."""

from pathlib import Path

import pytest

from cli.effective import effective_config, write_config
from openbell.config import load_config
from openbell.errors import ConfigError

SHIPPED = Path(__file__).parents[3] / "config" / "strategies.yaml"


def config_file(folder: Path, text: str) -> Path:
    path = folder / "strategies.yaml"
    path.write_text(text)
    return path


def test_naming_a_strategy_leaves_the_others_disabled() -> None:
    assert tuple(effective_config(SHIPPED, ("momentum",)).enabled) == ("momentum",)


def test_naming_none_takes_what_the_file_enables() -> None:
    assert effective_config(SHIPPED, ()) == load_config(SHIPPED)


def test_an_unknown_strategy_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"martingale; the configuration has: .*momentum, prophet_trend"):
        effective_config(SHIPPED, ("martingale",))


def test_enabling_more_than_the_account_has_is_refused(tmp_path: Path) -> None:
    text = """
strategies:
  momentum: {allocation: 0.7}
  prophet_trend: {allocation: 0.7, enabled: false}
"""
    path = config_file(tmp_path, text)
    assert tuple(effective_config(path, ()).enabled) == ("momentum",)
    with pytest.raises(ConfigError, match=r"sum to 1.4 \(momentum 0.7, prophet_trend 0.7\)"):
        effective_config(path, ("momentum", "prophet_trend"))


def test_wrong_parameters_are_found_before_anything_starts(tmp_path: Path) -> None:
    path = config_file(tmp_path, "strategies: {momentum: {allocation: 0.4, parameters: {hodl: 5}}}")
    with pytest.raises(ConfigError, match="hodl"):
        effective_config(path, ())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.yaml: cannot be read"):
        effective_config(tmp_path / "nowhere.yaml", ())


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    config = effective_config(SHIPPED, ("momentum",))
    write_config(config, tmp_path / "layer" / "strategies.yaml")
    assert load_config(tmp_path / "layer" / "strategies.yaml") == config
