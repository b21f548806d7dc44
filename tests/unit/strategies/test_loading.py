"""Code of one's own: found where `uses` says, or refused with what is wrong and where."""

from pathlib import Path

import pytest

from openbell.config import PlatformConfig, load_config
from openbell.errors import ConfigError
from openbell.strategies import Strategy, build_strategies

MINE = """
from openbell.model import Signal
from openbell.strategies import Context, Parameters, Strategy


class MineParameters(Parameters):
    days: int = 3


class Mine(Strategy[MineParameters]):
    parameters_model = MineParameters

    def signals(self, context: Context) -> list[Signal]:
        return [Signal("A", 1.0, f"after {self.parameters.days} days")]


class Silent(Strategy[Parameters]):
    pass


class Odd(Mine):
    parameters_model = dict


class Picky(Mine):
    def __init__(self, parameters):
        self.wanted = parameters.weeks


class Plain:
    pass
"""


def config(folder: Path, uses: str, parameters: str = "{}") -> PlatformConfig:
    """A configuration in `folder` with one entry, and `strategies/mine.py` beside it."""
    (folder / "strategies").mkdir(exist_ok=True)
    (folder / "strategies" / "mine.py").write_text(MINE)
    path = folder / "strategies.yaml"
    path.write_text(f"strategies: {{mine: {{uses: '{uses}', allocation: 0.1, parameters: {parameters}}}}}")
    return load_config(path)


def refused(folder: Path, uses: str, parameters: str = "{}") -> str:
    """The message with which the configuration is refused."""
    with pytest.raises(ConfigError) as caught:
        build_strategies(config(folder, uses, parameters))
    return str(caught.value)


def test_a_file_is_found_beside_the_configuration_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    made = config(tmp_path, "strategies/mine.py:Mine", "{days: 5}")
    monkeypatch.chdir(tmp_path / "elsewhere")
    strategy = build_strategies(made)["mine"]
    assert isinstance(strategy, Strategy)
    assert strategy.parameters.days == 5


def test_a_relative_path_to_the_configuration_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config(tmp_path, "strategies/mine.py:Mine")
    monkeypatch.chdir(tmp_path)
    assert set(build_strategies(load_config(Path("strategies.yaml")))) == {"mine"}


def test_an_absolute_file_is_taken_as_it_is(tmp_path: Path) -> None:
    config(tmp_path, "strategies/mine.py:Mine")
    assert set(build_strategies(config(tmp_path, f"{tmp_path}/strategies/mine.py:Mine"))) == {"mine"}


def test_files_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    one = build_strategies(config(tmp_path, "strategies/mine.py:Mine"))["mine"]
    two = build_strategies(config(other, "strategies/mine.py:Mine"))["mine"]
    assert type(one) is not type(two)


def test_a_class_in_a_module_is_found_by_its_dotted_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "my_own_package"
    package.mkdir()
    (package / "mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert type(build_strategies(config(tmp_path, "my_own_package.mine:Mine"))["mine"]).__name__ == "Mine"


@pytest.mark.parametrize(
    ("uses", "message"),
    [
        ("strategies/none.py:Mine", "there is no file {folder}/strategies/none.py"),
        (
            "strategies/mine.py:Mien",
            "{folder}/strategies/mine.py has no class 'Mien'; it has: Mine, Silent, Odd",
        ),
        ("strategies/mine.py:", "{folder}/strategies/mine.py has no class ''; it has: Mine, Silent, Odd"),
        ("strategies/mine.py:Plain", "Plain is no subclass of openbell.strategies.Strategy"),
        ("strategies/mine.py:Silent", "Silent has no method signals(self, context)"),
        ("strategies/mine.py:Odd", "parameters_model of Odd is no subclass of openbell.strategies.Parameters"),
        ("no_such_package.mine:Mine", "there is no module 'no_such_package'"),
        ("json.mine:Mine", "there is no module 'json.mine'"),
        ("json:Mine", "json has no class 'Mine'; it has no strategy at all"),
    ],
)
def test_what_cannot_be_found_is_named_with_what_there_is(tmp_path: Path, uses: str, message: str) -> None:
    assert refused(tmp_path, uses).startswith(f"strategies.mine.uses: {message.format(folder=tmp_path)}")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import json\n\nratio = 1 / 0\n", "broken.py, line 3: ZeroDivisionError: division by zero"),
        ("def make():\n    return {}['a']\n\n\nmake()\n", "broken.py, line 2: KeyError: 'a'"),
        ("import no_such_indicators\n", "broken.py, line 1: ModuleNotFoundError: No module named 'no_such_indicators'"),
        ("import json\nclass Mine(\n", "broken.py, line 2: SyntaxError: '(' was never closed"),
        ("import sys\nsys.exit('bye')\n", "broken.py, line 2: SystemExit: bye"),
        ("import json\njson.loads('?')\n", "broken.py, line 2: JSONDecodeError: Expecting value"),
    ],
)
def test_code_that_raises_is_told_with_file_and_line(tmp_path: Path, code: str, message: str) -> None:
    (tmp_path / "broken.py").write_text(code)
    assert f"strategies.mine.uses: {tmp_path}/{message}" in refused(tmp_path, "broken.py:Mine")
    assert f"strategies.mine.uses: {tmp_path}/{message}" in refused(
        tmp_path, "broken.py:Mine"
    )  # and still the next time


def test_a_module_that_raises_is_told_with_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_broken_module.py").write_text("\nratio = 1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    message = refused(tmp_path, "my_broken_module:Mine")
    assert f"{tmp_path}/my_broken_module.py, line 2: ZeroDivisionError" in message


def test_wrong_parameters_of_ones_own_are_told_like_those_of_the_shipped(tmp_path: Path) -> None:
    message = refused(tmp_path, "strategies/mine.py:Mine", "{days: many, weeks: 2}")
    assert "strategies.mine.parameters: days: Input should be a valid integer" in message
    assert "strategies.mine.parameters: weeks: Extra inputs are not permitted" in message


def test_a_class_that_cannot_be_made_is_told_with_file_and_line(tmp_path: Path) -> None:
    line = MINE.splitlines().index("        self.wanted = parameters.weeks") + 1
    message = refused(tmp_path, "strategies/mine.py:Picky")
    assert f"Picky cannot be made: {tmp_path}/strategies/mine.py, line {line}: AttributeError" in message


def test_a_strategy_that_is_disabled_is_not_even_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "strategies.yaml"
    path.write_text("strategies: {mine: {uses: 'gone.py:Mine', allocation: 0.1, enabled: false}}")
    assert build_strategies(load_config(path)) == {}


def test_a_colon_in_the_name_of_an_entry_is_not_taken_for_code(tmp_path: Path) -> None:
    path = tmp_path / "strategies.yaml"
    path.write_text("strategies: {'a:b': {allocation: 0.1}}")
    with pytest.raises(ConfigError, match="there is no strategy 'a:b'; allowed: buy_and_hold, "):
        build_strategies(load_config(path))
