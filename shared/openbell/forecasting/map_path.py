"""The LASSO path of a batch of problems, followed from delta = 0 to the noise level that fits.

At fixed ridge weights the optimum is piecewise linear in the penalty v / tau (Osborne, Presnell and Turlach 2000;
Efron et al. 2004): on a segment the active rate changes and the correlations of the others are `r - penalty * u`.
Penalty and noise are one unknown here, so the walk ends on the segment where the noise satisfies its own condition
4 v^2 + n v = RSS. It starts above every solution and therefore finds the smoothest one. Each step exchanges one rate
change by sweeping a tableau, a few microseconds a problem; primal-dual methods cycle on these nearly collinear columns.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from openbell.forecasting.map_problem import Floats, Reduced

Ints = npt.NDArray[np.int64]

_MOST_STEPS = 400
_PER_PROBLEM = (
    "rows",
    "tableau",
    "linear",
    "level",
    "along",
    "cross",
    "spread",
    "penalty",
    "active",
    "signs",
    "pivot",
    "side",
)
_LIVE_SHARE = 0.75  # the batch is packed anew when fewer of its problems are still under way


def ridge_variance(problem: Reduced, start: float = 0.81) -> Floats:
    """The noise variance of each problem without rate changes, from above: `(B,)`."""
    variance = np.full(len(problem.energy), start)
    for _ in range(50):
        weights = variance[:, None] / (problem.squares + variance[:, None])
        squares = problem.energy + ((weights * problem.along) ** 2).sum(axis=1)
        update = positive_root(problem.n, squares)
        settled = bool(np.all(np.abs(update - variance) <= 1e-9 * variance))
        variance = update
        if settled:
            break
    return variance


def positive_root(n: int, squares: Floats) -> Floats:
    """The v > 0 with 4 v^2 + n v = squares; n = 100, squares = 4: v = 0.0399."""
    return np.asarray(2 * squares / (n + np.sqrt(n * n + 16 * squares)), dtype=np.float64)


def follow(problem: Reduced, variance: Floats) -> Floats:
    """Signs of the rate changes `(B, S)` on the final segment; `variance` gives the ridge weights and the start."""
    walk = _Walk.begin(problem, variance)
    signs = np.zeros_like(problem.rest_y)
    for _ in range(_MOST_STEPS):
        if not len(walk.rows):
            break
        ended = walk.step()
        signs[walk.rows[ended]] = walk.signs[ended]
        walk.retire(ended)
    return signs


@dataclass
class _Walk:
    """Problems under way. `tableau` `(L, S, S + 1)` is `[H | c]` swept on the active rows."""

    problem: Reduced
    rows: Ints  # of the problems in the batch
    alive: npt.NDArray[np.bool_]
    tableau: Floats
    linear: Floats  # c
    level: Floats  # profile energy at delta = 0
    along: Floats
    cross: Floats
    spread: Floats  # w (1 - w): what of a squared gap is paid to the priors and not left in the residual
    penalty: Floats
    active: npt.NDArray[np.bool_]
    signs: Floats
    pivot: Ints
    side: Floats  # sign with which the pivot joins, or joined

    @classmethod
    def begin(cls, problem: Reduced, variance: Floats) -> "_Walk":
        hessian, linear, level = profile(problem, variance)
        size = np.abs(linear)
        penalty = size.max(axis=1, initial=0.0)
        rows = np.flatnonzero(penalty > variance / problem.tau)
        weights = variance[rows, None] / (problem.squares[rows] + variance[rows, None])
        pivot = size[rows].argmax(axis=1) if linear.shape[1] else np.zeros(0, dtype=np.int64)
        return cls(
            problem=problem,
            rows=rows,
            alive=np.ones(len(rows), dtype=np.bool_),
            tableau=np.concatenate([hessian[rows], linear[rows, :, None]], axis=2),
            linear=linear[rows],
            level=level[rows],
            along=problem.along[rows],
            cross=problem.cross[rows],
            spread=weights * (1 - weights),
            penalty=penalty[rows],
            active=np.zeros((len(rows), linear.shape[1]), dtype=np.bool_),
            signs=np.zeros((len(rows), linear.shape[1])),
            pivot=pivot,
            side=np.sign(linear[rows, pivot]),
        )

    def step(self) -> npt.NDArray[np.bool_]:
        """Exchange the pivots, walk to the next breakpoint; which problems have met their noise level before it."""
        each = np.arange(len(self.rows))
        left = self.active[each, self.pivot]
        self._sweep(each)
        self.active[each, self.pivot] = ~left
        self.signs[each, self.pivot] = np.where(left, 0.0, self.side)
        values = self.tableau[:, :, -1]
        slopes = (self.tableau[:, :, :-1] @ self.signs[:, :, None])[:, :, 0]
        event = self._next_event(each, left, values, slopes)
        active = self.active
        delta = np.where(active, values - self.penalty[:, None] * slopes, 0.0)
        ended = self._fits(delta) & self.alive
        size = active.shape[1]
        pivot = event % size
        self.side = np.where(event < size, self.signs[each, pivot], np.where(event < 2 * size, 1.0, -1.0))
        self.pivot = pivot
        return np.asarray(ended | (self.alive & (self.penalty <= 0)), dtype=np.bool_)

    def _sweep(self, each: Ints) -> None:
        tableau, pivot = self.tableau, self.pivot
        row = tableau[each, pivot, :]
        column = tableau[each, :, pivot]
        corner = row[each, pivot, None]
        row = row / corner
        tableau -= column[:, :, None] * row[:, None, :]
        tableau[each, pivot, :] = row
        tableau[each, :, pivot] = -column / corner
        tableau[each, pivot, pivot] = 1.0 / corner[:, 0]

    def _next_event(self, each: Ints, left: npt.NDArray[np.bool_], values: Floats, slopes: Floats) -> Ints:
        """The next breakpoint: an active change reaches 0, or another's correlation reaches +penalty or -penalty."""
        with np.errstate(divide="ignore", invalid="ignore"):
            zero = np.where(self.active, values / slopes, 0.0)
            upper = np.where(self.active, 0.0, values / (1 + slopes))
            lower = np.where(self.active, 0.0, values / (slopes - 1))
        events = np.concatenate([zero, upper, lower], axis=1)
        # The change just exchanged lies on its own boundary: rounding must not let it cross back.
        size = zero.shape[1]
        same = np.where(left, np.where(self.side > 0, size, 2 * size), 0) + self.pivot
        events[each, same] = 0.0
        below = events <= self.penalty[:, None] * (1 + 1e-12)
        events[~(below & (events > 0))] = 0.0
        event = events.argmax(axis=1)
        self.penalty = events[each, event]
        return np.asarray(event, dtype=np.int64)

    def _fits(self, delta: Floats) -> npt.NDArray[np.bool_]:
        """Whether at this breakpoint the noise is already below its own optimum."""
        variance = self.penalty * self.problem.tau
        gap = self.along - (self.cross @ delta[:, :, None])[:, :, 0]
        ridge = (self.spread * gap * gap).sum(axis=1)
        fit = (self.linear * delta).sum(axis=1) + self.penalty * np.abs(delta).sum(axis=1)
        rss = self.level - fit - ridge
        return np.asarray((self.problem.n + 4 * variance) * variance <= rss, dtype=np.bool_)

    def retire(self, ended: npt.NDArray[np.bool_]) -> None:
        """Forget the problems that have ended, as soon as that saves more than the copying costs."""
        self.alive &= ~ended
        if self.alive.sum() >= _LIVE_SHARE * len(self.rows):
            return
        keep = self.alive
        for name in _PER_PROBLEM:
            setattr(self, name, getattr(self, name)[keep])
        self.alive = np.ones(len(self.rows), dtype=np.bool_)


def profile(problem: Reduced, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """Quadratic `(B, S, S)`, linear `(B, S)` and constant `(B,)` of the ridge-profiled energy at these variances."""
    weights = variance[:, None] / (problem.squares + variance[:, None])
    weighted = weights * problem.along
    hessian = problem.gram + (problem.cross.swapaxes(1, 2) * weights[:, None, :]) @ problem.cross
    linear = problem.rest_y + (weighted[:, None, :] @ problem.cross)[:, 0, :]
    level = problem.energy + (weighted * problem.along).sum(axis=1)
    return hessian, linear, level
