"""The tables on the terminal."""

import dataclasses
import io

import pytest
from rich.console import Console

from cli.tables import print_day, print_summary
from tests.unit.cli.sample_runs import day, result


class Screen:
    """A console of 140 columns that remembers what it shows."""

    def __init__(self) -> None:
        self._file = io.StringIO()
        self.console = Console(file=self._file, width=140)

    @property
    def text(self) -> str:
        return self._file.getvalue()


@pytest.fixture
def screen() -> Screen:
    return Screen()


def test_a_run_is_shown_from_universe_to_states(screen: Screen) -> None:
    print_day(screen.console, day(), result().strategies)
    for title in (
        "Universe",
        "Signals",
        "Plan and fills",
        "Cut by the risk gate",
        "Positions",
        "Equity",
        "Workflow, 9.01 s",
    ):
        assert title in screen.text
    assert "insufficient buying power" in screen.text
    assert "a position may be worth 25000.00 USD" in screen.text
    assert "99,983.30" in screen.text


def test_a_skipped_run_is_a_single_sentence(screen: Screen) -> None:
    skipped = day(status="SKIPPED", note="market closed, next open Tuesday 2022-06-21 09:30 New York time", orders=[])
    print_day(screen.console, skipped, ())
    assert "market closed, next open Tuesday 2022-06-21 09:30 New York time. Nothing was traded." in screen.text
    assert "Plan" not in screen.text


def test_square_brackets_in_a_reason_are_text_and_not_markup(screen: Screen) -> None:
    orders = [{**day().report.orders[0].model_dump(mode="json"), "reason": "[red]score[/] in [0, 1]"}]
    print_day(screen.console, day(orders=orders), ())
    assert "[red]score[/] in [0, 1]" in screen.text


def test_differences_in_the_books_are_listed(screen: Screen) -> None:
    drifted = dataclasses.replace(day(), differences=("KO: the ledger has 0, the exchange holds 2",))
    print_day(screen.console, drifted, ())
    assert "The books differ" in screen.text
    assert "KO: the ledger has 0, the exchange holds 2" in screen.text


def test_several_runs_end_with_equity_by_strategy(screen: Screen) -> None:
    print_summary(screen.console, result(2))
    assert "39,992.64" in screen.text
    assert "Equity 100,000.00 -> 101,072.25 USD (+1,072.25 USD, +1.07\u00a0%)" in screen.text
