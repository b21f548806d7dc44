"""Exact fits: the path finds the active rate changes, a few Newton steps polish, the optimality conditions verify."""

from collections.abc import Sequence

import numpy as np

from openbell.forecasting.arrays import Flags, Floats, Ints
from openbell.forecasting.map_path import LEAST_VARIANCE, follow, positive_root, profile, ridge_variance
from openbell.forecasting.map_problem import Factors, Parameters, Reduced, recover, reduce

CHUNK = 256  # problems at once: their tableaux stay in the processor's cache
_PATHS = 8  # ridge weights are refreshed at most this often
_POLISH_STEPS = 4  # Newton steps on one path
_LIKELY = 0.2  # of the variance without rate changes: a usual share, from which the ridge weights start
_CLOSE = 1e-8  # relative change of the variance at which a fit has settled


def solve(factors: Factors, y: Floats, tau: float) -> Parameters:
    """The fits of the scaled series `y`, `(n, B)`, that share the date grid of `factors`."""
    delta, variance = solve_reduced(reduce(factors, y, tau))
    return recover(factors, y, tau, delta, variance)


def solve_reduced(problem: Reduced) -> tuple[Floats, Floats]:
    """Rate changes `(B, S)` and noise variances `(B,)` of reduced problems."""
    parts = [_solve_chunk(take(problem, slice(start, start + CHUNK))) for start in range(0, len(problem.energy), CHUNK)]
    return np.concatenate([delta for delta, _ in parts]), np.concatenate([variance for _, variance in parts])


def stack(problems: Sequence[Reduced]) -> Reduced:
    """One batch of problems of the same shape and tau."""
    if len(problems) == 1:
        return problems[0]
    names = ("gram", "cross", "squares", "rest_y", "along", "energy", "bars")
    arrays = {name: np.concatenate([getattr(problem, name) for problem in problems]) for name in names}
    return Reduced(**arrays, tau=problems[0].tau)


def take(problem: Reduced, rows: Ints | slice) -> Reduced:
    """The problems `rows` of a batch."""
    return Reduced(
        gram=problem.gram[rows],
        cross=problem.cross[rows],
        squares=problem.squares[rows],
        rest_y=problem.rest_y[rows],
        along=problem.along[rows],
        energy=problem.energy[rows],
        bars=problem.bars[rows],
        tau=problem.tau,
    )


def _solve_chunk(problem: Reduced) -> tuple[Floats, Floats]:
    """Path, then Newton steps; whoever does not settle walks the path again with the ridge weights just found."""
    variance = _LIKELY * ridge_variance(problem)
    delta = np.zeros_like(problem.rest_y)
    rows = np.arange(len(variance))
    for _ in range(_PATHS):
        part = take(problem, rows) if len(rows) < len(variance) else problem
        delta[rows], variance[rows], settled = _fit(part, variance[rows])
        rows = rows[~settled]
        if not len(rows):
            break
    return delta, variance


def _fit(problem: Reduced, variance: Floats) -> tuple[Floats, Floats, Flags]:
    signs = follow(problem, variance)
    for _ in range(_POLISH_STEPS):
        hessian, linear, _ = profile(problem, variance)
        delta, update = _newton(problem, hessian, linear, signs, variance)
        settled = np.abs(update - variance) <= _CLOSE * variance
        variance = update
        if settled.all():
            break
    settled &= (_signs(hessian, linear, delta, variance / problem.tau) == signs).all(axis=1)
    return delta, variance, settled


def _newton(
    problem: Reduced, hessian: Floats, linear: Floats, signs: Floats, variance: Floats
) -> tuple[Floats, Floats]:
    """With active set and ridge weights held delta is linear in v and the RSS quadratic, so the noise is a root."""
    active = signs != 0
    masked = np.where(active[:, :, None] & active[:, None, :], hessian, np.eye(signs.shape[1]))
    lines = _solve_systems(masked, np.stack([np.where(active, linear, 0.0), signs / -problem.tau], axis=2))
    weights = variance[:, None] / (problem.squares + variance[:, None])
    gaps = problem.cross @ -lines
    gaps[:, :, 0] += problem.along
    gaps *= weights[:, :, None]
    bilinear = lines.swapaxes(1, 2) @ (problem.gram @ lines) + gaps.swapaxes(1, 2) @ gaps
    pull = (problem.rest_y[:, None, :] @ lines)[:, 0]
    constant = problem.energy + bilinear[:, 0, 0] - 2 * pull[:, 0]
    update = _root(problem.bars, constant, 2 * (bilinear[:, 0, 1] - pull[:, 1]), bilinear[:, 1, 1])
    return lines[:, :, 0] + update[:, None] * lines[:, :, 1], update


def _solve_systems(matrices: Floats, right: Floats) -> Floats:
    """Solutions of a batch of systems; one that is exactly singular must not take the others with it."""
    try:
        return np.linalg.solve(matrices, right)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(matrices) @ right, dtype=np.float64)


def _root(bars: Floats, constant: Floats, slope: Floats, curve: Floats) -> Floats:
    """The stable root of 4 v^2 + bars v = constant + slope v + curve v^2; without one, that for the RSS at v = 0."""
    first, second = bars - slope, 4 - curve
    discriminant = first * first + 4 * second * constant
    with np.errstate(divide="ignore", invalid="ignore"):
        root = 2 * constant / (first + np.sqrt(np.maximum(discriminant, 0.0)))
    good = (discriminant >= 0) & (root > LEAST_VARIANCE)
    return np.where(good, root, positive_root(bars, np.maximum(constant, 0.0)))


def _signs(hessian: Floats, linear: Floats, delta: Floats, penalty: Floats) -> Floats:
    """The signs of the rate changes that the optimality conditions ask for at `delta`."""
    diagonal = np.maximum(np.einsum("bss->bs", hessian), 1e-300)
    gradient = linear - (hessian @ delta[:, :, None])[:, :, 0]
    score = diagonal * delta + gradient
    return np.asarray(np.sign(score) * (np.abs(score) > penalty[:, None]), dtype=np.float64)
