"""Past forecasts: made without look-ahead, weighed and turned into intervals as worked by hand."""

import numpy as np
import pytest

from openbell.forecasting.arrays import Floats
from openbell.forecasting.calibration import Past, conformal_half_widths, look_back, refits
from openbell.forecasting.fitting import fit_windows, open_window
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.skill import skill_against_naive
from tests.unit.forecasting.series import closes_until, walk

OPTIONS = ForecastOptions(horizon=5, history=200, calibration=100, refit_every=21)


def past_of(series: Floats, options: ForecastOptions = OPTIONS) -> Past:
    """Past forecasts of `series` `(n, B)` on consecutive days."""
    days = np.arange(len(series) + options.horizon)
    windows = refits(len(series), options)
    fits = fit_windows([open_window(days[a : b + 1], series[a : b + 1], options) for a, b in windows])
    return look_back(fits, [end for _, end in windows], days, series)


def made_past(expected: float, outcomes: list[float], volatility: float = 1.0) -> Past:
    """One series, horizon 1: the same expectation at every bar, the last one open."""
    realised = np.array([*outcomes, np.nan])[:, None, None]
    shape = (len(realised), 1)
    return Past(np.full((*shape, 1), expected), np.ones(shape), realised, np.full(shape, volatility))


def test_the_last_window_ends_with_the_history_and_the_others_before_it() -> None:
    assert refits(300, OPTIONS) == [(0, 199), (21, 220), (42, 241), (63, 262), (84, 283), (100, 299)]
    assert refits(90, OPTIONS) == [(0, 62), (0, 83), (0, 89)]  # fewer bars: the first fit still has 63
    assert refits(300, ForecastOptions.preset("raw")) == [(0, 299)]


def test_past_forecasts_know_nothing_of_later_bars() -> None:
    series = np.log(np.column_stack([walk(300, seed=seed) for seed in range(3)]))
    past = past_of(series)
    for bar in (0, 30, 77):
        changed = series.copy()
        changed[200 + bar :] += np.random.default_rng(bar).normal(0, 0.2, changed[200 + bar :].shape)
        other = past_of(changed)
        np.testing.assert_array_equal(past.expected[: bar + 1], other.expected[: bar + 1])
        np.testing.assert_array_equal(past.weights[: bar + 1], other.weights[: bar + 1])
        np.testing.assert_array_equal(past.volatility[: bar + 1], other.volatility[: bar + 1])


def test_a_past_forecast_between_two_fits_comes_from_the_earlier_one() -> None:
    series = np.log(walk(300)[:, None])
    shifted = past_of(series, ForecastOptions(horizon=5, history=200, calibration=100, refit_every=50))
    often = past_of(series)
    np.testing.assert_array_equal(shifted.expected[:21], often.expected[:21])
    assert not np.array_equal(shifted.expected[21:42], often.expected[21:42])


def test_outcomes_are_known_up_to_the_last_bar_only() -> None:
    series = np.log(walk(300)[:, None])
    realised = past_of(series).realised[:, 0]
    assert realised.shape == (101, 5)
    assert realised[0, 4] == pytest.approx(series[204, 0] - series[199, 0])
    assert np.isnan(realised).sum(axis=0).tolist() == [1, 2, 3, 4, 5]


def test_the_interval_is_a_quantile_of_past_errors_in_units_of_volatility() -> None:
    # nine errors 1..9 of a forecast of 0: rank ceil(10 * 0.8) = 8, the eighth is 8; the volatility now is 2
    outcomes = [float(error) for error in (3, -1, 9, 2, -5, 7, 4, -8, 6)]
    assert conformal_half_widths(made_past(0.0, outcomes, volatility=2.0), 0.8)[0, 0] == pytest.approx(8.0)
    past = made_past(0.0, outcomes)
    now = Past(past.expected, past.weights, past.realised, np.array([[1.0]] * 9 + [[3.0]]))
    assert conformal_half_widths(now, 0.8)[0, 0] == pytest.approx(3 * 8.0)
    assert conformal_half_widths(past, 0.95)[0, 0] == pytest.approx(9.0)  # beyond the ninth there is no more


def test_skill_is_the_error_saved_against_the_last_close() -> None:
    # errors |1 - 0.5|, |3 - 0.5|, |-1 - 0.5| = 0.5, 2.5, 1.5: mean 1.5; naive errors 1, 3, 1: mean 5 / 3
    assert skill_against_naive(made_past(0.5, [1.0, 3.0, -1.0]))[0] == pytest.approx(1 - 1.5 / (5 / 3))
    assert skill_against_naive(made_past(0.0, [1.0, 3.0, -1.0]))[0] == 0
    assert np.isnan(skill_against_naive(made_past(0.0, [0.0, 0.0]))[0])


def test_the_weight_follows_the_past() -> None:
    """A steady rise makes the trend worth believing, one that keeps turning is not."""
    rise = np.cumsum(0.002 + 0.001 * np.sin(np.arange(400)))
    turns = 0.1 * np.abs(np.arange(400) % 120 / 60 - 1) + 0.0001 * np.sin(np.arange(400))
    weights = past_of(np.column_stack([rise, turns])).weights[-1]
    assert weights[0] > 0.9
    assert weights[1] < 0.4


def test_an_unlearned_weight_is_the_one_configured() -> None:
    options = ForecastOptions(horizon=5, calibration=100, learn_weight=False, trend_weight=0.3)
    assert (past_of(np.log(walk(300)[:, None]), options).weights == 0.3).all()


def test_intervals_hold_what_they_promise_on_unseen_bars() -> None:
    """Real closes, 20 tickers, 24 dates: the share of closes inside an interval of 80 %."""
    closes = np.log(closes_until("2022-12-28", 4000).to_numpy())
    options = ForecastOptions(horizon=5)
    inside = []
    for end in range(900, 3990, 130):
        past = past_of(closes[end - 755 : end + 1], options)
        half = conformal_half_widths(past, 0.8)
        actual = closes[end + 1 : end + 6].T - closes[end][:, None]
        inside.append(np.abs(actual - past.forecasts[-1]) <= half)
    assert 0.75 < np.mean(inside) < 0.85
