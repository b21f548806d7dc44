"""What a Sharpe ratio is worth, against the numbers of the papers."""

from math import sqrt

import numpy as np
import pytest

from lab import metrics
from lab.metrics import Floats
from lab.sharpe import bootstrap_interval, deflated_sharpe, luckiest_sharpe, probabilistic_sharpe


def two_valued(highs: int, lows: int, ratio: float) -> Floats:
    """Days of two returns only, with a Sharpe ratio of `ratio` a day."""
    shape = np.array([1.0] * highs + [0.0] * lows)
    deviation = shape.std(ddof=1)
    return np.asarray((shape - shape.mean()) * 0.01 + ratio * deviation * 0.01)


# The example of Bailey and Lopez de Prado (2014): five years of 250 days with 2.5 a year, skew -3, kurtosis 10, and 100
# trials whose yearly ratios have a variance of 1/2. Of all distributions only two values of which the higher has a
# chance p with (1 - 2p) / sqrt(p (1 - p)) = -3 have that skew and that kurtosis: p = 0.916, 1145 of 1250 days.
PAPER = two_valued(1145, 105, 2.5 / sqrt(250))
SPREAD = sqrt(1 / 500 * 99 / 100)  # 50 above and 50 below have a variance of SPREAD^2 * 100 / 99 = 1/2 / 250
TRIALS = [SPREAD, -SPREAD] * 50


def test_the_papers_example_has_its_skew_and_kurtosis() -> None:
    assert metrics.skewness(PAPER) == pytest.approx(-3, abs=0.001)
    assert metrics.kurtosis(PAPER) == pytest.approx(10, abs=0.01)
    assert metrics.sharpe(PAPER) == pytest.approx(2.5 * sqrt(252 / 250))


def test_the_luckiest_of_the_papers_hundred_trials_reaches_0_1132_a_day() -> None:
    assert luckiest_sharpe(TRIALS) == pytest.approx(0.1132, abs=0.00005)


def test_the_deflated_sharpe_ratio_of_the_papers_example_is_0_9004() -> None:
    assert deflated_sharpe(PAPER, TRIALS) == pytest.approx(0.9004, abs=0.0002)


def test_the_papers_example_would_pass_after_46_trials_but_not_after_more() -> None:
    # the paper: "should the strategist have made his discovery after running only N = 46, DSR would be 0.95"
    spread = sqrt(1 / 500 * 45 / 46)
    assert deflated_sharpe(PAPER, [spread, -spread] * 23) == pytest.approx(0.9505, abs=0.0005)


def test_a_series_without_tails_needs_no_correction_but_for_its_ratio() -> None:
    # 0.02 and -0.01 by turns: mean 0.005, deviation 0.015 (over n), no skew, kurtosis 1, so that the variance is 1
    returns = np.array([0.02, -0.01] * 8)
    ratio = 0.005 / (0.015 * sqrt(16 / 15))  # 0.3227; times sqrt(15) is 1.25
    assert ratio * sqrt(15) == pytest.approx(1.25)
    assert probabilistic_sharpe(returns) == pytest.approx(0.89435, abs=1e-5)  # the normal distribution at 1.25


def test_a_ratio_that_equals_its_benchmark_is_above_it_with_even_chances() -> None:
    ratio = metrics.sharpe(PAPER) / sqrt(252)
    assert probabilistic_sharpe(PAPER, ratio) == pytest.approx(0.5)


def test_one_trial_alone_is_compared_with_zero() -> None:
    assert deflated_sharpe(PAPER, [0.158]) == probabilistic_sharpe(PAPER)


def test_trials_without_a_ratio_do_not_count() -> None:
    assert luckiest_sharpe([*TRIALS, float("nan")]) == luckiest_sharpe(TRIALS)


@pytest.mark.parametrize("returns", [np.array([]), np.array([0.01]), np.zeros(100)])
def test_what_is_too_short_or_too_still_has_no_chance(returns: Floats) -> None:
    assert np.isnan(probabilistic_sharpe(returns))
    assert all(np.isnan(bootstrap_interval(returns)))


def test_the_bootstrap_interval_holds_the_ratio_and_repeats_with_its_seed() -> None:
    returns = np.random.default_rng(3).normal(0.0004, 0.011, 1000)
    low, high = bootstrap_interval(returns, seed=1)
    assert low < metrics.sharpe(returns) < high
    assert bootstrap_interval(returns, seed=1) == (low, high)
    assert bootstrap_interval(returns, seed=2) != (low, high)


def test_the_bootstrap_interval_is_about_as_wide_as_theory_says() -> None:
    # independent days: the yearly ratio's standard error is sqrt(252 / n), 0.355 here, and 95 % lie within 1.96 of them
    returns = np.random.default_rng(5).normal(0.0004, 0.011, 2000)
    low, high = bootstrap_interval(returns)
    assert high - low == pytest.approx(2 * 1.96 * sqrt(252 / 2000), rel=0.15)
    narrow_low, narrow_high = bootstrap_interval(returns, level=0.5)
    assert low < narrow_low < narrow_high < high


def test_the_bootstrap_keeps_together_what_hangs_together() -> None:
    # months that are all up or all down: drawn day by day they would look far steadier than they are
    signs = np.repeat(np.random.default_rng(0).choice([1.0, -1.0], 60), 21)
    returns = signs * 0.01 + np.random.default_rng(1).normal(0.0005, 0.002, len(signs))
    together, apart = bootstrap_interval(returns), bootstrap_interval(np.random.default_rng(2).permutation(returns))
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])
