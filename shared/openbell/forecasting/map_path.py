"""The LASSO path of a batch of problems, followed from delta = 0 to the noise level that fits.

At fixed ridge weights the optimum is piecewise linear in the penalty v / tau (Osborne, Presnell and Turlach 2000;
Efron et al. 2004): on a segment the active rate changes and the correlations of the others are `r - penalty * u`.
Penalty and noise are one unknown here, so the walk ends on the segment where the noise satisfies its own condition
4 v^2 + n v = RSS. It starts above every solution and therefore finds the smoothest one. Each step exchanges one rate
change by sweeping a tableau, a few microseconds a problem; primal-dual methods cycle on these nearly collinear columns.
"""

from dataclasses import dataclass, fields

import numpy as np

from openbell.forecasting.arrays import Flags, Floats, Index, Ints
from openbell.forecasting.map_problem import Reduced

_MOST_STEPS = 400
_LIVE_SHARE = 0.75  # the batch is packed anew when fewer of its problems are still under way
_ROUNDING = 1 + 1e-12
_CLOSE = 1e-3
LEAST_VARIANCE = 1e-30  # of a scaled series: far below what rounding leaves of a perfect fit


def follow(problem: Reduced, variance: Floats) -> Floats:
    """Signs of the rate changes `(B, S)` on the final segment, with the ridge weights of `variance` `(B,)`."""
    signs = np.zeros_like(problem.rest_y)
    if not signs.size:
        return signs
    walk = _begin(problem, variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_MOST_STEPS):
            ended = walk.fits()
            if ended.any():
                signs[walk.rows[ended]] = walk.signs[ended]
                if walk.retire(ended):
                    break
            walk.step()
    return signs


def ridge_variance(problem: Reduced, start: float = 0.81) -> Floats:
    """The noise variance of each problem without rate changes, found from above: `(B,)`."""
    variance = np.full(len(problem.energy), start)
    for _ in range(50):
        weights = variance[:, None] / (problem.squares + variance[:, None])
        squares = problem.energy + ((weights * problem.along) ** 2).sum(axis=1)
        update = positive_root(problem.bars, squares)
        settled = bool(np.all(np.abs(update - variance) <= _CLOSE * variance))
        variance = update
        if settled:
            break
    return variance


def positive_root(bars: Floats, squares: Floats) -> Floats:
    """The v > 0 with 4 v^2 + bars v = squares; bars = 100, squares = 4: v = 0.0399."""
    root = 2 * squares / (bars + np.sqrt(bars * bars + 16 * squares))
    return np.asarray(np.maximum(root, LEAST_VARIANCE), dtype=np.float64)


def profile(problem: Reduced, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """Quadratic `(B, S, S)`, linear `(B, S)` and constant `(B,)` of the ridge-profiled energy at these variances."""
    weights = variance[:, None] / (problem.squares + variance[:, None])
    weighted = weights * problem.along
    hessian = problem.gram + (problem.cross.swapaxes(1, 2) * weights[:, None, :]) @ problem.cross
    linear = problem.rest_y + (weighted[:, None, :] @ problem.cross)[:, 0, :]
    level = problem.energy + (weighted * problem.along).sum(axis=1)
    return hessian, linear, level


@dataclass
class _Walk:
    """Problems under way, each at a breakpoint with a pivot to exchange.

    `tableau` `(L, S, S + 2)` is `[H | c | 0]` swept on the active rows; its last two columns are `r` and `u` of the
    current segment. `offsets` `(L, 2, S)` turn `u` into the denominators of the next events: 0 and NaN for an active
    row (it reaches zero), +1 and -1 for another (it reaches either end of the penalty). `lead` indexes the problems; a
    lone problem has no such axis, which makes its steps twice as fast.
    """

    tau: float
    lead: tuple[Ints, ...]
    rows: Ints  # of the problems in the batch
    alive: Flags
    tableau: Floats
    linear: Floats  # c
    level: Floats  # profiled energy at delta = 0
    along: Floats
    cross: Floats
    bars: Floats
    spread: Floats  # w (1 - w): what of a squared gap is paid to the priors and not left in the residual
    penalty: Floats
    offsets: Floats
    active: Floats  # 1 or 0
    signs: Floats
    pivot: Ints
    side: Floats  # sign with which the pivot joins, or had joined

    def fits(self) -> Flags:
        """Which problems have, at their breakpoint, a noise that is already below its own optimum."""
        values, slopes = self.tableau[..., -2], self.tableau[..., -1]
        variance = self.penalty * self.tau
        penalty = self.penalty[..., None]
        delta = (values - penalty * slopes) * self.active
        gap = self.along - np.matvec(self.cross, delta)
        paid = np.vecdot(self.spread * gap, gap)
        fitted = np.vecdot(self.linear + penalty * self.signs, delta)
        met = (self.bars + 4 * variance) * variance <= self.level - paid - fitted
        return np.asarray(self.alive & met, dtype=np.bool_)

    def step(self) -> None:
        """Exchange the pivot and walk to the next breakpoint."""
        at: Index = (*self.lead, self.pivot)
        leaves, side = self.active[at], self.side
        joins = 1.0 - leaves
        turn: Index = (*at, -1)
        self.tableau[turn] += joins * side
        self._sweep(at)
        self.tableau[turn] -= leaves * side
        self.active[at] = joins
        self.signs[at] = joins * side
        first: Index = (*self.lead, 0, self.pivot)
        second: Index = (*self.lead, 1, self.pivot)
        self.offsets[first] = leaves
        self.offsets[second] = _SECOND[np.asarray(leaves, dtype=np.int64)]
        self._next_event((*self.lead, np.asarray(leaves * side < 0, dtype=np.int64), self.pivot))

    def _sweep(self, at: Index) -> None:
        tableau = self.tableau
        down: Index = (*self.lead, slice(None), self.pivot)
        corner = tableau[(*at, self.pivot)][..., None]
        row = tableau[at] / corner
        column = tableau[down] + 0.0
        tableau -= column[..., :, None] * row[..., None, :]
        tableau[at] = row
        tableau[down] = column / -corner
        tableau[(*at, self.pivot)] = 1 / corner[..., 0]

    def _next_event(self, stands: Index) -> None:
        """Find the next row to reach zero or an end of the penalty; the pivot stands on its own, `stands`, already."""
        size = self.active.shape[-1]
        events = self.tableau[..., None, :, -2] / (self.tableau[..., None, :, -1] + self.offsets)
        events[stands] = 0.0
        ahead = np.where(events <= self.penalty[..., None, None] * _ROUNDING, events, 0.0)
        flat = ahead.reshape(*ahead.shape[:-2], 2 * size)
        event = flat.argmax(axis=-1)
        self.penalty = np.maximum(flat[(*self.lead, event)], 0.0)
        self.pivot = event % size
        at: Index = (*self.lead, self.pivot)
        self.side = np.where(self.active[at] > 0, self.signs[at], np.where(event < size, 1.0, -1.0))

    def retire(self, ended: Flags) -> bool:
        """Forget the problems that have ended, as soon as that saves more than the copying costs; whether all have."""
        self.alive = self.alive & ~ended
        left = int(self.alive.sum())
        if self.lead and 0 < left < _LIVE_SHARE * len(self.rows):
            keep = self.alive
            for name in _PER_PROBLEM:
                setattr(self, name, getattr(self, name)[keep])
            self.lead = (np.arange(left),)
        return left == 0


_PER_PROBLEM = tuple(field.name for field in fields(_Walk) if field.name not in {"tau", "lead"})
_SECOND = np.array([np.nan, -1.0])  # the second offset of a row that joins, and of one that leaves


def _begin(problem: Reduced, variance: Floats) -> _Walk:
    hessian, linear, level = profile(problem, variance)
    count, size = linear.shape
    rows = np.arange(count)
    pivot = np.abs(linear).argmax(axis=1)
    weights = variance[:, None] / (problem.squares + variance[:, None])
    offsets = np.empty((count, 2, size))
    offsets[:, 0], offsets[:, 1] = 1.0, -1.0
    walk = _Walk(
        tau=problem.tau,
        lead=(rows,),
        rows=rows,
        alive=np.ones(count, dtype=np.bool_),
        tableau=np.concatenate([hessian, linear[:, :, None], np.zeros((count, size, 1))], axis=2),
        linear=linear,
        level=level,
        along=problem.along,
        cross=problem.cross,
        bars=problem.bars,
        spread=weights * (1 - weights),
        penalty=np.abs(linear[rows, pivot]),
        offsets=offsets,
        active=np.zeros((count, size)),
        signs=np.zeros((count, size)),
        pivot=pivot,
        side=np.sign(linear[rows, pivot]),
    )
    if count == 1:
        walk.lead = ()
        for name in _PER_PROBLEM:
            setattr(walk, name, getattr(walk, name)[0])
    return walk
