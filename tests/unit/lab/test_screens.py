"""Screens: a strategy that speaks is never called silent, over the whole sample."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lab.screens import Outlook, screen_of
from openbell.model import Position, Signal, Sleeve
from openbell.strategies import SHIPPED, Context, Market, Strategy
from openbell.strategies.sma_cross import SmaCross, SmaCrossParameters
from tests.builders import D
from tests.integration.workflow.stage import sample

_SIZE, _LOOKBACK = 8, 60
_SYMBOLS = tuple(sorted(sample().symbols))


def outlook() -> Outlook:
    """Runs on every session of the sample, each of which sees the closes before it."""
    days = sample().sessions[1:]
    usable = np.ones((len(days), len(_SYMBOLS)), dtype=np.bool_)
    columns = {symbol: column for column, symbol in enumerate(_SYMBOLS)}
    return Outlook(days, np.arange(len(days)), sample().bars.close, usable, np.ones_like(usable), columns)


def sleeves(strategy: Strategy[Any]) -> Iterator[tuple[Sleeve, int]]:
    """Sleeves, each for a run: some hold what the strategy wants just then, others what the lot has drawn."""
    luck = np.random.default_rng(4)
    for run in range(300, 8300, 41):
        held = {str(symbol) for symbol in luck.choice(_SYMBOLS, luck.integers(0, 6), replace=False)}
        if luck.random() < 0.5:
            held = {signal.symbol for signal in signals(strategy, Sleeve("one", D(1000)), run) if signal.score > 0}
        last = date(1990, 1, 1) if luck.random() < 0.5 else sample().sessions[run - int(luck.integers(0, 30))]
        positions = {symbol: Position(D(1), D(10)) for symbol in sorted(held)}
        yield Sleeve("one", D(1000), positions, last_rebalance=last), run


def signals(strategy: Strategy[Any], sleeve: Sleeve, run: int) -> list[Signal]:
    closes = pd.DataFrame(sample().bars.close[max(0, run - 600) : run + 1], columns=list(_SYMBOLS))
    ranked = strategy.universe(Market(closes), _SIZE, _LOOKBACK)
    known = [*ranked, *(symbol for symbol in sleeve.positions if symbol not in ranked)]
    day = sample().sessions[run + 1]
    return strategy.signals(Context(day, closes[known], {}, {}, sleeve.positions, sleeve.last_rebalance))


@pytest.mark.parametrize("name", ["sma_cross", "momentum", "low_volatility", "buy_and_hold"])
def test_a_strategy_that_speaks_is_never_called_silent(name: str) -> None:
    kind = SHIPPED[name]
    strategy = kind(kind.parameters_model())
    screen = screen_of(strategy, outlook(), _SIZE, _LOOKBACK)
    assert screen is not None
    told = {True: 0, False: 0}
    for sleeve, run in sleeves(strategy):
        might = bool(screen.may_speak(run, run + 1, sleeve)[0])
        told[might] += 1
        assert might or not signals(strategy, sleeve, run), (sleeve, run)
    assert told[True] > 10
    assert told[False] > 10, "a screen that never rules anything out is of no use"


def test_a_subclass_has_no_screen() -> None:
    class Louder(SmaCross):
        pass

    assert screen_of(Louder(SmaCrossParameters()), outlook(), _SIZE, _LOOKBACK) is None
