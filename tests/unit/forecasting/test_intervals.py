"""Exact quantiles against the normal case and against Prophet's way of drawing them."""

from statistics import NormalDist

import numpy as np
import pytest

from openbell.forecasting.intervals import Spread, half_widths


def drawn(spread: Spread, horizon: int, width: float, draws: int = 200_000) -> list[float]:
    """Half widths from simulated paths, as Prophet's _make_trend_shift_matrix makes them."""
    random = np.random.default_rng(7)
    changes = random.uniform(size=(draws, horizon)) < spread.probability
    shifts = random.laplace(0, spread.size[0], (draws, horizon)) * changes
    before = np.hstack([np.zeros((draws, 1)), shifts])[:, :-1]
    trend = ((before + shifts) / 2).cumsum(axis=1).cumsum(axis=1) * spread.step
    paths = trend + random.normal(0, spread.sigma[0], trend.shape)
    return [float(value) for value in np.quantile(np.abs(paths), width, axis=0)]


def test_without_rate_changes_the_interval_is_the_normal_one() -> None:
    spread = Spread(sigma=np.array([0.02, 0.5]), size=np.zeros(2), step=0.002, probability=0.05)
    expected = NormalDist().inv_cdf(0.9)  # 1.2816
    np.testing.assert_allclose(half_widths(spread, 3, 0.8), [[0.02 * expected] * 3, [0.5 * expected] * 3])


@pytest.mark.parametrize("size", [0.05, 1.0, 30.0])
@pytest.mark.parametrize("width", [0.5, 0.8, 0.95])
def test_quantiles_are_those_of_prophets_paths(size: float, width: float) -> None:
    spread = Spread(sigma=np.array([0.02]), size=np.array([size]), step=0.002, probability=0.05)
    np.testing.assert_allclose(half_widths(spread, 15, width)[0], drawn(spread, 15, width), rtol=0.025)


def test_a_series_keeps_its_interval_whatever_stands_beside_it() -> None:
    alone = half_widths(Spread(np.array([0.02]), np.array([0.4]), 0.002, 0.05), 10, 0.8)
    beside = half_widths(Spread(np.array([0.02, 1e-4]), np.array([0.4, 9.0]), 0.002, 0.05), 10, 0.8)
    np.testing.assert_allclose(beside[0], alone[0], rtol=1e-8)
