"""Quantiles of the prices that Prophet's model expects, exact instead of simulated.

Prophet 1.5.0 draws future paths: at every future bar the rate changes with probability p by a Laplace number of the
mean size b of the past changes; the trend at bar h then moves by the sum over l < h of (l + 1/2) step x_l, and normal
noise is added. The characteristic function of that sum is known,

    exp(-s^2 u^2 / 2) prod_l (1 - p + p / (1 + ((l + 1/2) step b u)^2)),

and inverting it (Gil-Pelaez) gives the distribution without drawing anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi
from statistics import NormalDist

import numpy as np

from openbell.forecasting.arrays import Floats, Ints

_FEWEST_NODES = 32
_CUT = 7.5  # where the transform of the noise has fallen below 1e-12
_FEWEST_PERIOD = 2 * pi * _FEWEST_NODES / _CUT  # that the fewest nodes can carry
_PERIOD = 24.0  # of the inversion, in standard deviations of the sum, plus
_TAIL = 40.0  # widths of the widest Laplace shift: both leave less than 1e-8 outside
_MOST_REACH = 1000.0  # of the rate changes in noise units: less noise than that is not resolved
_MOST_VALUES = 1 << 20  # in one array


@dataclass(frozen=True)
class Spread:
    """How uncertain the future is: noise and rate changes, in the units of the scaled series.

    `sigma` `(B,)`, `size`: mean absolute rate change `(B,)`, `step`: scaled time between bars, `probability` of a rate
    change at a bar.
    """

    sigma: Floats
    size: Floats
    step: float
    probability: float


def half_widths(spread: Spread, horizon: int, interval_width: float) -> Floats:
    """Distance from yhat to either end of the interval, `(B, horizon)`: the distribution is symmetric."""
    arms = (np.arange(horizon, dtype=np.float64) + 0.5) * spread.step
    noise = np.maximum(spread.sigma, arms[-1] * spread.size / _MOST_REACH)
    reach = arms[None, :] * (spread.size / noise)[:, None]
    variance = 1 + 2 * spread.probability * np.cumsum(reach**2, axis=1)
    widths = NormalDist().inv_cdf((1 + interval_width) / 2) * np.sqrt(variance)
    if spread.probability > 0 and np.any(reach > 0):
        period = _PERIOD * np.sqrt(variance[:, -1]) + _TAIL * reach[:, -1]
        nodes = _FEWEST_NODES << np.ceil(np.log2(np.maximum(period / _FEWEST_PERIOD, 1))).astype(np.int64)
        for rows, count in _blocks(nodes, horizon):
            u = (np.arange(count, dtype=np.float64) + 0.5) * (_CUT / count)
            transform = _transforms(u, reach[rows], spread.probability)
            widths[rows] = _solve(u, transform, widths[rows], interval_width)
    return np.asarray(widths * noise[:, None], dtype=np.float64)


def _blocks(nodes: Ints, horizon: int) -> Iterator[tuple[Ints, int]]:
    """Series that need the same number of nodes, so many at a time that their arrays stay small."""
    for count in np.unique(nodes):
        rows = np.flatnonzero(nodes == count)
        size = max(1, _MOST_VALUES // (int(count) * horizon))
        for first in range(0, len(rows), size):
            yield rows[first : first + size], int(count)


def _transforms(u: Floats, reach: Floats, probability: float) -> Floats:
    """The characteristic function at `u` for every series and horizon, `(B, horizon, len(u))`."""
    squares = (reach[:, :, None] * u) ** 2
    factors = 1 - probability * squares / (1 + squares)
    return np.asarray(np.cumprod(factors, axis=1) * np.exp(-u * u / 2), dtype=np.float64)


def _solve(u: Floats, transform: Floats, start: Floats, interval_width: float) -> Floats:
    """The x with P(|X| <= x) = interval_width, by Newton steps kept inside a bracket."""
    width = u[1] - u[0]
    low, high = np.zeros_like(start), np.full_like(start, np.inf)
    x = start
    for _ in range(60):
        angle = x[:, :, None] * u
        mass = 2 / np.pi * width * (transform * np.sin(angle) / u).sum(axis=2)
        density = 2 / np.pi * width * (transform * np.cos(angle)).sum(axis=2)
        excess = mass - interval_width
        low, high = np.where(excess < 0, x, low), np.where(excess >= 0, x, high)
        step = x - excess / np.maximum(density, 1e-12)
        middle = np.where(np.isinf(high), 2 * x, (low + high) / 2)
        update = np.where((step > low) & (step < high), step, middle)
        settled = np.abs(update - x) <= 1e-10 * x
        x = update
        if settled.all():
            break
    return x
