"""The configuration that a run is made with."""

from pathlib import Path

import pytest

from cli.effective import effective_config, layer_files, write_config
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


def test_the_layer_gets_the_files_of_the_enabled_strategies_and_names_them_by_their_place_there(tmp_path: Path) -> None:
    text = """
strategies:
  one: {allocation: 0.1, uses: "a/mine.py:Mine"}
  two: {allocation: 0.1, uses: "b/mine.py:Mine"}
  again: {allocation: 0.1, uses: "b/mine.py:Other"}
  gone: {allocation: 0.1, uses: "gone.py:Mine", enabled: false}
  momentum: {allocation: 0.1}
"""
    config = load_config(config_file(tmp_path, text))
    given = layer_files(config, tmp_path / "work")
    assert set(given.values()) == {
        tmp_path / "a" / "mine.py",
        tmp_path / "b" / "mine.py",
        tmp_path / "work" / "strategies.yaml",
    }
    layer = tmp_path / "layer"
    for place, file in given.items():
        (layer / place).parent.mkdir(parents=True, exist_ok=True)
        (layer / place).write_text(file.read_text() if file.suffix == ".yaml" else f"# {file}")
    deployed = load_config(layer / "config" / "strategies.yaml").strategies
    seen = {name: entry.file.read_text() for name, entry in deployed.items() if entry.enabled and entry.file}
    assert seen == {
        "one": f"# {tmp_path}/a/mine.py",
        "two": f"# {tmp_path}/b/mine.py",
        "again": f"# {tmp_path}/b/mine.py",
    }
    assert deployed["again"].uses.endswith(".py:Other")


@pytest.mark.parametrize(
    ("uses", "places"),
    [
        ("my_signals.near.high:Mine", {"my_signals/__init__.py", "my_signals/near/high.py", "my_signals/low.py"}),
        ("my_single:Mine", {"my_single.py"}),
        ("pandas.core:Mine", set()),
        ("openbell.strategies.momentum:Momentum", set()),
    ],
)
def test_the_layer_gets_the_modules_of_the_enabled_strategies_unless_it_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uses: str, places: set[str]
) -> None:
    for place in ("my_signals/__init__.py", "my_signals/near/high.py", "my_signals/low.py", "my_single.py", "other.py"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    config = load_config(config_file(tmp_path, f"strategies: {{mine: {{allocation: 0.1, uses: '{uses}'}}}}"))
    given = layer_files(config, tmp_path / "work")
    assert given == {place: tmp_path / place for place in places} | {
        "config/strategies.yaml": tmp_path / "work" / "strategies.yaml"
    }
