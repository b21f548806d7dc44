"""The problem whose optimum is Prophet's fit, and what fits on the same dates share.

Prophet 1.5.0 (its prophet.stan) minimises over rate k, offset m, rate changes delta, coefficients beta and noise s

    T log s + RSS / (2 s^2) + (k^2 + m^2) / 50 + |delta|_1 / tau + 2 s^2 + sum (beta / scale)^2 / 2.

Given v = s^2, the normal priors on phi = (k / 5, m / 5, beta / scale) make these a ridge regression that is
eliminated in closed form: with the thin SVD `U diag(s) V'` of the scaled columns, a residual keeps all of its part
outside U and the fraction v / (s^2 + v) of its part along each column of U. What is left is a LASSO in delta.
"""

from dataclasses import dataclass, fields

import numpy as np

from openbell.forecasting.arrays import Flags, Floats, Ints

PRIOR_SCALE = 5.0  # of k and m
# Largest violations of the optimality conditions. The objective's curvature along phi is at least 1, so a gradient of
# 1e-3 is worth 1e-6 at most; rounding alone gives 1e-5 where the noise is a ten-thousandth of the price.
_SLACK_RIDGE = 1e-3
_SLACK_KINK = 1e-5
_SLACK_NOISE = 1e-6


@dataclass(frozen=True)
class Factors:
    """The factorised design of one date grid: `n` bars, `S` ramps, `P` ridge columns (1 or 2, then the features).

    `ridge`: columns divided by their priors' precision, `(n, P)`. `u`: orthonormal basis of its columns, `(n, P)`.
    `squares`: squared singular values, `(P,)`. `back`: from coordinates along `u` to phi, `(P, P)`. `cross`: `u'` times
    the ramps, `(P, S)`. `rest`: the ramps without their part along `u`, `(n, S)`. `gram`: `rest' rest`.
    """

    ridge: Floats
    ramps: Floats
    scales: Floats
    u: Floats
    squares: Floats
    back: Floats
    cross: Floats
    rest: Floats
    gram: Floats
    flat: bool


@dataclass(frozen=True)
class Reduced:
    """A batch of `B` problems in the coordinates of their factors; arrays of shared factors are broadcast views.

    `gram` `(B, S, S)`, `cross` `(B, P, S)`, `squares` `(B, P)`, `rest_y` `(B, S)`, `along` = `U' y` `(B, P)`,
    `energy` = squared length of y outside U `(B,)`, `bars` `(B,)`, `tau`: scale of the Laplace prior on delta.
    """

    gram: Floats
    cross: Floats
    squares: Floats
    rest_y: Floats
    along: Floats
    energy: Floats
    bars: Floats
    tau: float


@dataclass(frozen=True)
class Parameters:
    """Fits of `B` series, in the units of the scaled series.

    `k`, `m`, `sigma` `(B,)`, `delta` `(B, S)`, `beta` `(B, K)`. `converged`: whether the optimality conditions of each
    fit were verified, `(B,)`.
    """

    k: Floats
    m: Floats
    delta: Floats
    beta: Floats
    sigma: Floats
    converged: Flags

    def take(self, rows: Flags) -> "Parameters":
        """The parameters of the series that `rows` `(B,)` marks."""
        return Parameters(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def replaced(self, rows: Ints, other: "Parameters") -> "Parameters":
        """These parameters with the series `rows` taken from `other`, in its order."""
        changed = {}
        for field in fields(self):
            values = getattr(self, field.name).copy()
            values[rows] = getattr(other, field.name)
            changed[field.name] = values
        return Parameters(**changed)


def factorise(t: Floats, ramps: Floats, features: Floats, scales: Floats, *, flat: bool) -> Factors:
    """The factors of a design: scaled time `(n,)`, ramps `(n, S)`, features `(n, K)` with prior scales `(K,)`.

    A flat trend has neither rate nor ramps. QR before the SVD keeps the cost at `n P^2`; neither squares the condition
    number, which matters because weekly terms on weekdays span a constant exactly.
    """
    lead = np.ones((len(t), 1)) if flat else np.column_stack([t, np.ones(len(t))])
    all_scales = np.concatenate([np.full(lead.shape[1], PRIOR_SCALE), scales])
    ridge = np.hstack([lead, features]) * all_scales
    q, r = np.linalg.qr(ridge)
    left, singular, right = np.linalg.svd(r)
    u = q @ left
    used = ramps[:, :0] if flat else ramps
    cross = u.T @ used
    rest = used - u @ cross
    return Factors(
        ridge=ridge,
        ramps=used,
        scales=all_scales,
        u=u,
        squares=singular * singular,
        back=right.T * singular,
        cross=cross,
        rest=rest,
        gram=rest.T @ rest,
        flat=flat,
    )


def reduce(factors: Factors, y: Floats, tau: float) -> Reduced:
    """The problems of the scaled series `y`, `(n, B)`, on one date grid."""
    along = factors.u.T @ y
    outside = y - factors.u @ along
    count = y.shape[1]
    return Reduced(
        gram=np.broadcast_to(factors.gram, (count, *factors.gram.shape)),
        cross=np.broadcast_to(factors.cross, (count, *factors.cross.shape)),
        squares=np.broadcast_to(factors.squares, (count, len(factors.squares))),
        rest_y=(factors.rest.T @ y).T,
        along=along.T,
        energy=np.einsum("nb,nb->b", outside, outside),
        bars=np.full(count, float(len(y))),
        tau=tau,
    )


def recover(factors: Factors, y: Floats, tau: float, delta: Floats, variance: Floats) -> Parameters:
    """Parameters of the series `y` `(n, B)` from their deltas `(B, S)` and variances `(B,)`, conditions verified."""
    detrended = y - factors.ramps @ delta.T
    phi = factors.back @ ((factors.u.T @ detrended) / (factors.squares[:, None] + variance))
    residuals = detrended - factors.ridge @ phi
    theta = phi * factors.scales[:, None]
    lead = 1 if factors.flat else 2
    return Parameters(
        k=np.zeros(y.shape[1]) if factors.flat else theta[0],
        m=theta[lead - 1],
        delta=delta,
        beta=theta[lead:].T,
        sigma=np.sqrt(variance),
        converged=_optimal(factors, residuals, phi, delta, variance, tau),
    )


def _optimal(factors: Factors, residuals: Floats, phi: Floats, delta: Floats, variance: Floats, tau: float) -> Flags:
    """Whether the gradient vanishes: along phi (curvature there is at least 1), along delta, along the variance."""
    ridge = np.abs(factors.ridge.T @ residuals / variance - phi).max(axis=0)
    pull = (factors.ramps.T @ residuals).T * (tau / variance[:, None])
    kink = np.where(delta == 0, np.maximum(np.abs(pull) - 1, 0), np.abs(pull - np.sign(delta)))
    squares = np.einsum("nb,nb->b", residuals, residuals)
    noise = np.abs(1 + (4 * variance - squares / variance) / len(residuals))
    good = (ridge <= _SLACK_RIDGE) & (kink.max(axis=1, initial=0.0) <= _SLACK_KINK) & (noise <= _SLACK_NOISE)
    return np.asarray(good, dtype=np.bool_)


def negative_log_posterior(y: Floats, fitted: Floats, parameters: Parameters, scales: Floats, tau: float) -> Floats:
    """Prophet's objective without constants, for series `y` and their fits `fitted`, both `(n, B)`: `(B,)`."""
    variance = parameters.sigma**2
    residuals = y - fitted
    squares = np.einsum("nb,nb->b", residuals, residuals)
    priors = (parameters.k**2 + parameters.m**2) / (2 * PRIOR_SCALE**2) + np.abs(parameters.delta).sum(axis=1) / tau
    priors = priors + 2 * variance + ((parameters.beta / scales) ** 2).sum(axis=1) / 2
    return np.asarray(len(y) * np.log(parameters.sigma) + squares / (2 * variance) + priors, dtype=np.float64)
