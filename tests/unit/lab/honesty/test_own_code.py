"""A strategy's own code, run anew as if the process had just begun."""

import sys
from decimal import Decimal
from pathlib import Path

import pytest

from lab.honesty.own_code import files_of, forget
from openbell.config import StrategyConfig
from openbell.strategies import build_strategy

_CODE = """
from openbell.strategies import Strategy


class Own(Strategy):
    kept = []

    def signals(self, context):
        return []
"""


def entry(uses: str) -> StrategyConfig:
    return StrategyConfig(uses=uses, allocation=Decimal("0.1"))


def in_a_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> StrategyConfig:
    package = folder / "kept_in_tests"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "beside.py").write_text(_CODE)
    (package / "own.py").write_text("from kept_in_tests.beside import Own\n")
    monkeypatch.syspath_prepend(folder)
    return entry("kept_in_tests.own:Own")


def in_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> StrategyConfig:
    (folder / "own.py").write_text(_CODE)
    return entry(f"{folder / 'own.py'}:Own")


def kept_by(own: StrategyConfig) -> list[str]:
    found: list[str] = vars(type(build_strategy("own", own)))["kept"]
    return found


@pytest.mark.parametrize("placed", [in_a_file, in_a_package])
def test_what_a_class_kept_is_gone_once_its_code_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, placed: object
) -> None:
    assert callable(placed)
    own = placed(tmp_path, monkeypatch)
    kept_by(own).append("something")
    assert kept_by(own) == ["something"]
    forget(own)
    assert kept_by(own) == []
    forget(own)


def test_the_modules_beside_it_are_its_sources_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = in_a_package(tmp_path, monkeypatch)
    names = {Path(file).name for file in files_of(build_strategy("own", own), own)}
    assert names == {"__init__.py", "beside.py", "own.py"}
    forget(own)


def test_code_that_ships_is_not_forgotten() -> None:
    before = set(sys.modules)
    forget(entry("openbell.strategies.momentum:Momentum"))
    forget(entry("momentum"))
    assert set(sys.modules) == before
