"""Quantiles of the prices that Prophet's model expects, exact instead of simulated.

Prophet 1.5.0 draws future paths: at every future bar the rate changes with probability p by a Laplace number of the
mean size b of the past changes; the trend at bar h then moves by the sum over l < h of (l + 1/2) step x_l, and normal
noise is added. The characteristic function of that sum is known,

    exp(-s^2 u^2 / 2) prod_l (1 - p + p / (1 + ((l + 1/2) step b u)^2)),

and inverting it (Gil-Pelaez) gives the distribution without drawing anything.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from openbell.forecasting.map_problem import Floats

_NODES = 64  # fewest of the inversion's grid
_CUT = 7.5  # standard deviations of the noise's transform beyond which it is below 1e-12
_REACH = 12.0  # the inversion's period in standard deviations of the sum, plus the Laplace tail


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
    arms = (np.arange(horizon) + 0.5) * spread.step
    reach = arms[None, :] * spread.size[:, None] / spread.sigma[:, None]  # of the rate changes, in noise units
    variance = 1 + 2 * spread.probability * np.cumsum(reach**2, axis=1)
    start = NormalDist().inv_cdf((1 + interval_width) / 2) * np.sqrt(variance)
    if spread.probability <= 0 or not np.any(reach > 0):
        return start * spread.sigma[:, None]
    period = 2 * _REACH * np.sqrt(variance[:, -1:]) + 40 * reach[:, -1:]
    count = max(_NODES, int(np.ceil((period.max() * _CUT) / (2 * np.pi))))
    u = (np.arange(count) + 0.5) * (_CUT / count)
    transform = _transforms(u, reach, spread.probability)
    return _solve(u, transform, start, interval_width) * spread.sigma[:, None]


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
