"""What every shipped strategy keeps to, whatever its rule."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd
import pytest

from openbell.forecasts import Forecast
from openbell.model import Position, Signal
from openbell.strategies import SHIPPED, Context, Market, Strategy

SYMBOLS = tuple("ABCDEFGHIJ")
LENGTH = 420
DAYS = range(260, LENGTH, 8)


def _market(seed: int) -> pd.DataFrame:
    """Ten random walks, one of which starts late and one of which stands still."""
    steps = np.random.default_rng(seed).normal(0.0004, 0.015, (LENGTH, len(SYMBOLS)))
    frame = pd.DataFrame(100 * np.exp(np.cumsum(steps, axis=0)), pd.bdate_range("2020-01-01", periods=LENGTH), SYMBOLS)
    frame.loc[frame.index[:300], "I"] = np.nan
    frame["J"] = 33.37
    return frame


MARKET = _market(1)


def strategy(name: str) -> Strategy[Any]:
    kind = SHIPPED[name]
    return kind(kind.parameters_model())


def context(frame: pd.DataFrame, day: int, held: tuple[str, ...], last_rebalance: date | None = None) -> Context:
    """What is known before session number `day` of `frame` opens."""
    known = frame.iloc[:day]
    last = {str(symbol): float(value) for symbol, value in known.iloc[-1].dropna().items()}
    return Context(
        session=frame.index[day].date(),
        closes=known,
        prices={symbol: Decimal(f"{value:.2f}") for symbol, value in last.items()},
        forecasts={symbol: _forecast(symbol, value) for symbol, value in last.items()},
        holdings={symbol: Position(Decimal(3), Decimal(300)) for symbol in held},
        last_rebalance=last_rebalance,
    )


def _forecast(symbol: str, last: float) -> Forecast:
    middle = last * (1 + (SYMBOLS.index(symbol) - 4) / 100)
    return Forecast(symbol, last, (date(2022, 1, 3),), (middle,), (middle * 0.98,), (middle * 1.02,), 0.8, "exact")


def contexts(frame: pd.DataFrame = MARKET) -> Iterator[Context]:
    """Many days, with and without holdings."""
    for day in DAYS:
        yield context(frame, day, ())
        yield context(frame, day, ("A", "B", "H", "I", "J"))


def by_symbol(signals: list[Signal]) -> list[Signal]:
    return sorted(signals, key=lambda signal: signal.symbol)


every_strategy = pytest.mark.parametrize("name", sorted(SHIPPED))


@every_strategy
def test_scores_are_finite_and_symbols_are_those_shown_each_at_most_once(name: str) -> None:
    said = 0
    for seen in contexts():
        signals = strategy(name).signals(seen)
        symbols = [signal.symbol for signal in signals]
        assert set(symbols) <= set(seen.closes.columns)
        assert len(symbols) == len(set(symbols))
        assert all(isfinite(signal.score) for signal in signals)
        said += len(signals)
    assert said > 0


@every_strategy
def test_what_happens_later_changes_nothing(name: str) -> None:
    for day in DAYS:
        now = context(MARKET.copy(), day, ("A", "B"))
        later = MARKET.copy()
        later.iloc[day:] = _market(2).iloc[day:]
        assert strategy(name).signals(context(later, day, ("A", "B"))) == strategy(name).signals(now)


@every_strategy
def test_what_it_was_asked_before_changes_nothing_and_it_changes_nothing_that_it_is_shown(name: str) -> None:
    asked_once = [strategy(name).signals(seen) for seen in contexts()]
    one, market = strategy(name), MARKET.copy()
    assert [one.signals(seen) for seen in reversed(list(contexts(market)))] == asked_once[::-1]
    pd.testing.assert_frame_equal(market, MARKET)


@every_strategy
def test_the_order_of_columns_does_not_matter(name: str) -> None:
    turned = MARKET[list("FJCAHIBEGD")]
    for seen, same in zip(contexts(), contexts(turned), strict=True):
        assert by_symbol(strategy(name).signals(seen)) == by_symbol(strategy(name).signals(same))
    assert strategy(name).universe(Market(MARKET), 5, 60) == strategy(name).universe(Market(turned), 5, 60)


@every_strategy
def test_history_before_its_longest_window_changes_nothing(name: str) -> None:
    for day in (300, 400):
        full, short = context(MARKET, day, ("A",)), context(MARKET.iloc[day - 256 :], 256, ("A",))
        assert [(s.symbol, s.score) for s in strategy(name).signals(full)] == [
            (s.symbol, pytest.approx(s.score)) for s in strategy(name).signals(short)
        ]


@every_strategy
def test_its_docstring_says_what_it_does_and_its_module_is_named_like_it(name: str) -> None:
    assert SHIPPED[name].__module__ == f"openbell.strategies.{name}"
    assert SHIPPED[name].__doc__
