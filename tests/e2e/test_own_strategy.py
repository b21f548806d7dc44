"""`openbell run` with a strategy of one's own, in a file beside one's own configuration."""

from pathlib import Path

import pytest

from tests.e2e.commands import Ended, openbell


@pytest.fixture(scope="module")
def own_strategy(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("own_strategy")
    assert openbell("strategies", "new", "risers", "--folder", "cfg/own", folder=folder).exit_code == 0
    (folder / "cfg" / "my.yaml").write_text(
        "strategies:\n"
        "  risers: {uses: 'own/risers.py:Risers', allocation: 0.4, universe: {size: 4}, parameters: {bars: 60}}\n"
        "  sma_cross: {allocation: 0.4}\n"
    )
    return openbell("run", "--config", "cfg/my.yaml", "--as-of", "2022-06-15", "--json", folder=folder)


def test_its_signals_become_orders_beside_those_of_the_others(own_strategy: Ended) -> None:
    assert own_strategy.exit_code == 0, own_strategy.stderr
    assert own_strategy.run["failed_strategies"] == {}
    reasons = [signal["reason"] for signal in own_strategy.run["signals"]["risers"]]
    assert len(reasons) == 4
    assert all(reason.endswith("% in 60 bars") for reason in reasons)
    owners = {name for order in own_strategy.run["orders"] for name in order["strategies"]}
    assert owners == {"risers", "sma_cross"}


def test_the_books_agree(own_strategy: Ended) -> None:
    assert own_strategy.run["books_agree"] is True


def test_code_that_raises_when_imported_is_told_with_its_line_and_nothing_is_started(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import json\n\nratio = 1 / 0\n")
    (tmp_path / "my.yaml").write_text("strategies: {mine: {uses: 'mine.py:Mine', allocation: 0.4}}\n")
    ended = openbell("run", "--config", "my.yaml", folder=tmp_path)
    assert ended.exit_code == 2
    assert "mine.py, line 3: ZeroDivisionError: division by zero" in " ".join(ended.stderr.split())
