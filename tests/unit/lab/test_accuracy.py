"""Forecasts against what came, worked by hand."""

from datetime import date

import numpy as np
import pytest

from lab.accuracy import ForecastScores
from openbell.forecasts import Forecast


def forecast(*yhat: float, width: float = 2.0) -> Forecast:
    days = tuple(date(2022, 6, 1 + number) for number in range(len(yhat)))
    lower, upper = tuple(y - width for y in yhat), tuple(y + width for y in yhat)
    return Forecast("A", 100.0, days, yhat, lower, upper, 0.8, "exact")


def test_errors_hits_and_coverage_are_means_by_horizon() -> None:
    scores = ForecastScores(2)
    scores.add([forecast(101, 104)], {"A": np.array([102.0, 99.0])})
    scores.add([forecast(99, 98)], {"A": np.array([102.0, 97.0])})
    first, last = scores.by_horizon()
    # one bar ahead: |102-101|, |102-99| of 100; naive |2|, |2|; one direction right; 102 in 99..103, not in 97..101
    assert (first.horizon, first.forecasts) == (1, 2)
    assert first.error == pytest.approx(0.02)
    assert first.naive_error == pytest.approx(0.02)
    assert first.skill == pytest.approx(0.0)
    assert (first.hit_rate, first.coverage) == (0.5, 0.5)
    # two bars ahead: |99-104|, |97-98|; naive 1, 3; one right; 99 not in 102..106, 97 in 96..100
    assert last.error == pytest.approx(0.03)
    assert last.naive_error == pytest.approx(0.02)
    assert last.skill == pytest.approx(-0.5)
    assert (last.hit_rate, last.coverage) == (0.5, 0.5)


def test_bars_that_have_not_come_are_not_scored() -> None:
    scores = ForecastScores(2)
    scores.add([forecast(101, 104)], {"A": np.array([102.0])})
    scores.add([forecast(101, 104)], {"A": np.array([np.nan, 103.0])})
    assert [(one.horizon, one.forecasts) for one in scores.by_horizon()] == [(1, 1), (2, 1)]


def test_without_any_close_there_is_nothing_to_tell() -> None:
    scores = ForecastScores(2)
    scores.add([forecast(101, 104)], {"A": np.empty(0)})
    assert scores.by_horizon() == ()
