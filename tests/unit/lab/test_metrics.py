"""Figures of return series. What is called empyrical's is what empyrical-reloaded 0.7.1 gives for the same numbers."""

from datetime import date, timedelta

import numpy as np
import pytest

from lab import metrics

RETURNS = np.array([0.010, -0.020, 0.015, 0.003, -0.007, 0.012, -0.030, 0.021, 0.004, -0.001, 0.008, -0.012])
BENCHMARK = np.array([0.008, -0.015, 0.010, 0.005, -0.004, 0.009, -0.025, 0.018, 0.001, 0.002, 0.006, -0.010])
EMPYRICAL = {
    "total_return": 0.0017476673798282327,
    "cagr": 0.03734958231415675,
    "volatility": 0.23894598096260547,
    "sharpe": 0.2636579186065466,
    "sortino": 0.3556768534729042,
    "max_drawdown": -0.03000000000000006,
    "calmar": 1.2449860771385557,
    "omega": 1.0428571428571431,
    "value_at_risk": -0.0245,
    "expected_shortfall": -0.03,
    "skewness": -0.6396566534376766,  # scipy.stats.skew
}
EMPYRICAL_LONG = {
    "cagr": 0.16622628938757034,
    "volatility": 0.17399444717133858,
    "sharpe": 0.9709865319809954,
    "sortino": 1.4359112193188732,
    "max_drawdown": -0.27973622715410695,
    "calmar": 0.5942251065536682,
    "omega": 1.1653908835262476,
    "value_at_risk": -0.01720675217052581,
    "expected_shortfall": -0.022195387805374986,
}


@pytest.mark.parametrize(("name", "expected"), EMPYRICAL.items())
def test_figures_of_a_short_series_are_empyricals(name: str, expected: float) -> None:
    assert getattr(metrics, name)(RETURNS) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("name", "expected"), EMPYRICAL_LONG.items())
def test_figures_of_ten_years_are_empyricals(name: str, expected: float) -> None:
    returns = np.random.default_rng(3).normal(0.0004, 0.011, 2520)
    assert getattr(metrics, name)(returns) == pytest.approx(expected, rel=1e-10)


def test_figures_against_a_benchmark_are_empyricals() -> None:
    assert metrics.beta(RETURNS, BENCHMARK) == pytest.approx(1.2369312555376033)
    assert metrics.alpha(RETURNS, BENCHMARK) == pytest.approx(-0.0646987954650533)
    assert metrics.information_ratio(RETURNS, BENCHMARK) == pytest.approx(-0.7533708035008824)


def test_growth_of_21_percent_in_two_years_is_10_percent_a_year() -> None:
    two_years = np.zeros(504)
    two_years[100] = 0.21
    assert metrics.cagr(two_years) == pytest.approx(0.10)


def test_a_series_that_stands_still_has_no_ratios() -> None:
    still = np.zeros(30)
    ratios = (metrics.sharpe, metrics.sortino, metrics.calmar, metrics.omega, metrics.skewness)
    assert all(np.isnan(ratio(still)) for ratio in ratios)
    assert np.isnan(metrics.beta(RETURNS, np.zeros(12)))
    assert np.isnan(metrics.alpha(RETURNS, np.zeros(12)))


def test_an_empty_series_has_no_figures() -> None:
    empty = np.empty(0)
    figures = (metrics.cagr, metrics.volatility, metrics.sharpe, metrics.value_at_risk, metrics.expected_shortfall)
    assert all(np.isnan(figure(empty)) for figure in figures)


def test_a_total_loss_is_minus_100_percent_a_year() -> None:
    assert metrics.cagr(np.array([0.1, -1.0])) == -1.0


def test_after_a_total_loss_nothing_is_made_any_more() -> None:
    assert metrics.returns_of(np.array([100.0, 110, 0, 0, 0])).tolist() == pytest.approx([0.1, -1, 0, 0])


DAYS = [date(2022, 1, 3) + timedelta(days=number) for number in range(9)]
#        peak  trough    recovered    peak   trough        not yet
CURVE = np.array([100.0, 90, 95, 100, 110, 99, 88, 104.5, 107.8])


def test_drawdowns_run_from_the_peak_to_its_recovery_deepest_first() -> None:
    deepest, second = metrics.drawdowns(CURVE, DAYS)
    # 110 -> 88 is -20 %, not recovered after the four sessions that are left
    assert (deepest.peak, deepest.trough, deepest.recovered, deepest.sessions) == (DAYS[4], DAYS[6], None, 4)
    assert deepest.depth == pytest.approx(-0.2)
    # 100 -> 90 is -10 %, back at 100 after three sessions
    assert (second.peak, second.trough, second.recovered, second.sessions) == (DAYS[0], DAYS[1], DAYS[3], 3)
    assert second.depth == pytest.approx(-0.1)


def test_no_more_drawdowns_are_told_than_asked_for() -> None:
    zigzag = np.array([10.0, 9, 11, 10, 12, 11, 13])
    days = DAYS[:7]
    found = metrics.drawdowns(zigzag, days, count=2)
    assert [fall.depth for fall in found] == [pytest.approx(-0.1), pytest.approx(-1 / 11)]


def test_a_rising_curve_has_no_drawdown() -> None:
    assert metrics.drawdowns(np.array([1.0, 2, 3]), DAYS[:3]) == []


def test_months_begin_where_the_month_before_ended() -> None:
    days = [date(2022, 1, 28), date(2022, 1, 31), date(2022, 2, 1), date(2022, 2, 28), date(2022, 3, 1)]
    # January 100 -> 110, February 110 -> 99, March 99 -> 99
    found = metrics.monthly_returns(np.array([105.0, 110, 111, 99, 99]), days, start=100.0)
    assert found == {
        (2022, 1): pytest.approx(0.10),
        (2022, 2): pytest.approx(-0.10),
        (2022, 3): pytest.approx(0.0),
    }


def test_the_rolling_sharpe_ratio_is_that_of_each_window() -> None:
    rolling = metrics.rolling_sharpe(RETURNS, window=5)
    assert np.isnan(rolling[:4]).all()
    assert rolling[4] == pytest.approx(metrics.sharpe(RETURNS[:5]))
    assert rolling[-1] == pytest.approx(metrics.sharpe(RETURNS[-5:]))


def test_the_drawdown_curve_is_zero_at_every_high() -> None:
    assert metrics.drawdown_curve(np.array([100.0, 90, 120, 60])).tolist() == pytest.approx([0, -0.1, 0, -0.5])
