"""A few random months; two thousand of them are `make chaos ARGS="--tier months"`."""

from dataclasses import replace

import pytest

from openbell.model import ZERO
from tests.builders import D
from tests.integration.workflow.stage import Stage
from tests.months.month import live
from tests.months.promises import broken, flat


@pytest.mark.parametrize("seed", range(24))
def test_the_books_add_up_after_every_run_of_a_month(seed: int) -> None:
    lived = live(seed, sessions=6)
    assert lived.violations == ()


def test_a_month_repeats_itself() -> None:
    assert live(4, sessions=4) == live(4, sessions=4)


def test_what_does_not_add_up_is_found() -> None:
    stage = Stage()
    stage.run("first")
    assert broken(stage, {}, {}) == []
    sleeve = stage.ledger.sleeves()["momentum"]
    symbol, held = next(iter(sleeve.positions.items()))
    positions = {**sleeve.positions, symbol: replace(held, qty=held.qty + 1)}
    stage.ledger._write_sleeves([replace(sleeve, cash=sleeve.cash + D(1), positions=positions)])
    found = broken(stage, {}, {"momentum": D(-1)})
    assert [sentence.partition(" ")[0] for sentence in found] == [f"{symbol}:", "cash:", "momentum"]
    assert len(list(flat(stage, {symbol: ZERO}))) == 2
