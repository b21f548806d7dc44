"""The exact engine: against Stan by Prophet's own objective, and against the conditions of an optimum."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prophet import Prophet

from openbell.forecasting.arrays import Floats
from openbell.forecasting.map_problem import Parameters, factorise, negative_log_posterior
from openbell.forecasting.map_solver import _solve_systems, solve
from tests.unit.forecasting.series import closes_until, frame_of, prophet_frame, sample_closes, walk


class Problem:
    """What Prophet would hand to Stan for a price series, and both answers."""

    def __init__(self, series: Any, **arguments: Any) -> None:
        self.model = Prophet(**arguments)
        inputs: Any = self.model.preprocess(prophet_frame(series))
        self.inputs = inputs
        self.y = inputs.y.to_numpy()
        self.t = inputs.t.to_numpy()
        self.ramps = np.maximum(self.t[:, None] - inputs.t_change, 0.0)
        self.features = inputs.X.to_numpy()
        self.scales = np.asarray(inputs.sigmas, dtype=np.float64)
        self.flat = inputs.trend_indicator == 2

    def exact(self) -> Parameters:
        factors = factorise(self.t, self.ramps, self.features, self.scales, flat=self.flat)
        return solve(factors, self.y[:, None], self.inputs.tau)

    def stan(self, **how: Any) -> dict[str, Floats]:
        start = self.model.calculate_initial_params(self.inputs.K)
        backend: Any = self.model.stan_backend
        fit: dict[str, Floats] = backend.fit(dataclasses.asdict(start), dataclasses.asdict(self.inputs), **how)
        return fit

    def fitted(self, k: Floats, m: Floats, delta: Floats, beta: Floats) -> Floats:
        """yhat of the scaled series."""
        return np.asarray(k.ravel() * self.t + m.ravel() + self.ramps @ delta[0] + self.features @ beta[0])

    def objective(self, k: float, m: float, delta: Floats, beta: Floats, sigma: float) -> float:
        """The negative log posterior as prophet.stan writes it, without constants; sigma ~ normal(0, 0.5)."""
        trend = m if self.flat else k * self.t + m + self.ramps @ delta
        residuals = self.y - trend - self.features @ beta
        likelihood = len(self.y) * np.log(sigma) + residuals @ residuals / (2 * sigma**2)
        priors = (k**2 + m**2) / (2 * 5**2) + np.abs(delta).sum() / self.inputs.tau + sigma**2 / (2 * 0.5**2)
        return float(likelihood + priors + ((beta / self.scales) ** 2).sum() / 2)

    def of_exact(self, fit: Parameters) -> float:
        delta = fit.delta[0] if fit.delta.size else np.zeros(len(self.inputs.t_change))
        return self.objective(float(fit.k[0]), float(fit.m[0]), delta, fit.beta[0], float(fit.sigma[0]))

    def of_stan(self, fit: dict[str, Floats]) -> float:
        k, m, sigma = (float(fit[name][0, 0]) for name in ("k", "m", "sigma_obs"))
        return self.objective(k, m, fit["delta"][0], fit["beta"][0], sigma)


def made_series(kind: str) -> Any:
    prices = walk(400, seed=5)
    if kind == "step":
        prices[200:] *= 1.6
    if kind == "outlier":
        prices[300] *= 4
    if kind == "line":
        prices = np.linspace(50, 80, 400) + np.random.default_rng(1).normal(0, 0.01, 400)
    if kind == "sine":
        prices = 100 + 10 * np.sin(np.arange(400) / 5) + walk(400, seed=6, volatility=0.002)
    return frame_of(X=prices)["X"]


REAL = [
    ("AAPL", "2022-12-28", 252, {}),
    ("AMD", "2009-03-09", 504, {}),
    ("RRC", "2016-02-01", 1008, {}),
    ("KO", "2001-09-21", 504, {"changepoint_prior_scale": 0.5}),
    ("XOM", "2020-03-23", 756, {"changepoint_prior_scale": 0.005, "changepoint_range": 0.95}),
    ("JPM", "2012-06-01", 60, {"weekly_seasonality": False}),
    ("MRK", "2018-06-01", 300, {"growth": "flat"}),
    ("GE", "1999-06-01", 300, {"n_changepoints": 0}),
]


@pytest.mark.parametrize(("ticker", "end", "bars", "arguments"), REAL)
def test_the_posterior_is_never_below_stans_on_real_prices(
    ticker: str, end: str, bars: int, arguments: dict[str, Any]
) -> None:
    problem = Problem(closes_until(end, bars, ticker)[ticker], **arguments)
    exact, stan = problem.exact(), problem.stan()
    assert exact.converged[0]
    ours, theirs = problem.of_exact(exact), problem.of_stan(stan)
    assert theirs - ours >= -1e-6 * abs(theirs)
    assert problem.of_stan(stan) == pytest.approx(-stan["lp__"][0, 0], rel=1e-6)  # the formula is Stan's


@pytest.mark.parametrize(("place", "ticker"), list(enumerate(sample_closes().columns)))
def test_the_posterior_is_never_below_stans_for_any_ticker(place: int, ticker: str) -> None:
    bars = (60, 120, 252, 504)[place % 4]
    end = f"{1995 + place}-0{1 + place % 9}-15"  # another year and season for each
    problem = Problem(closes_until(end, bars, ticker)[ticker])
    exact = problem.exact()
    theirs = problem.of_stan(problem.stan())
    assert exact.converged[0]
    assert theirs - problem.of_exact(exact) >= -1e-6 * abs(theirs)


@pytest.mark.parametrize(("ticker", "end", "bars"), [("AAPL", "2022-12-28", 252), ("PEP", "2015-03-02", 400)])
def test_yhat_is_stans_where_stan_is_given_the_time_to_converge(ticker: str, end: str, bars: int) -> None:
    """Level and weekly season share a constant, so single parameters differ; what they add up to does not.

    Stan's default optimiser stops early, up to 0.014 of the largest price away; its Newton method comes close.
    """
    problem = Problem(closes_until(end, bars, ticker)[ticker])
    exact, stan = problem.exact(), problem.stan(algorithm="Newton")
    ours = problem.fitted(exact.k, exact.m, exact.delta, exact.beta)
    theirs = problem.fitted(stan["k"], stan["m"], stan["delta"], stan["beta"])
    np.testing.assert_allclose(ours, theirs, atol=2e-3)  # of a series scaled to 1


@pytest.mark.parametrize("kind", ["walk", "step", "outlier", "line", "sine"])
def test_the_posterior_is_never_below_stans_on_made_series(kind: str) -> None:
    problem = Problem(made_series(kind))
    exact = problem.exact()
    theirs = problem.of_stan(problem.stan())
    assert exact.converged[0]
    assert theirs - problem.of_exact(exact) >= -1e-6 * abs(theirs)


def test_no_nearby_parameters_have_a_higher_posterior() -> None:
    problem = Problem(closes_until("2022-12-28", 504, "PG")["PG"])
    fit = problem.exact()
    best = problem.of_exact(fit)
    random = np.random.default_rng(3)
    for size in (1e-5, 1e-4, 1e-3):
        for _ in range(40):
            moved = problem.objective(
                k=float(fit.k[0] + size * random.normal()),
                m=float(fit.m[0] + size * random.normal()),
                delta=fit.delta[0] + size * random.normal(size=25) * random.integers(0, 2, 25),
                beta=fit.beta[0] + size * random.normal(size=len(fit.beta[0])),
                sigma=float(fit.sigma[0] * np.exp(size * random.normal())),
            )
            assert moved >= best


def test_our_objective_is_the_one_that_the_engine_reports() -> None:
    problem = Problem(closes_until("2022-12-28", 252, "PG")["PG"])
    fit = problem.exact()
    fitted = fit.k * problem.t[:, None] + fit.m + problem.ramps @ fit.delta.T + problem.features @ fit.beta.T
    reported = negative_log_posterior(problem.y[:, None], fitted, fit, problem.scales, problem.inputs.tau)
    assert reported[0] == pytest.approx(problem.of_exact(fit), rel=1e-12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    bars=st.integers(30, 300),
    knots=st.integers(0, 25),
    columns=st.integers(1, 6),
    tau=st.sampled_from([0.001, 0.01, 0.05, 0.5]),
    roughness=st.floats(0.01, 0.3),
    seed=st.integers(0, 10_000),
)
def test_random_problems_end_at_an_optimum(
    bars: int, knots: int, columns: int, tau: float, roughness: float, seed: int
) -> None:
    """Conditions computed here from scratch: the gradient in every smooth parameter and the subgradient in delta."""
    random = np.random.default_rng(seed)
    t = np.linspace(0, 1, bars)
    ramps = np.maximum(t[:, None] - np.linspace(0.05, 0.8, knots), 0.0)
    features = random.normal(size=(bars, columns))
    scales = random.uniform(0.1, 10, columns)
    y = np.cumsum(random.normal(0, roughness / np.sqrt(bars), (bars, 3)), axis=0) + random.normal(0, 0.02, (bars, 3))
    fit = solve(factorise(t, ramps, features, scales, flat=False), y, tau)
    assert fit.converged.all()
    residuals = y - fit.k * t[:, None] - fit.m - ramps @ fit.delta.T - features @ fit.beta.T
    pull = residuals / fit.sigma**2
    np.testing.assert_allclose(t @ pull, fit.k / 25, atol=1e-5)
    np.testing.assert_allclose(pull.sum(axis=0), fit.m / 25, atol=1e-5)
    np.testing.assert_allclose(features.T @ pull, fit.beta.T / scales[:, None] ** 2, atol=1e-5)
    slopes = tau * (ramps.T @ pull).T
    assert (np.abs(slopes) <= 1 + 1e-5).all()
    np.testing.assert_allclose(slopes[fit.delta != 0], np.sign(fit.delta[fit.delta != 0]), atol=1e-5)
    squares = (residuals**2).sum(axis=0)
    np.testing.assert_allclose(squares / fit.sigma**2, bars + 4 * fit.sigma**2, rtol=1e-6)


def test_with_equal_and_empty_ramps_a_fit_is_right_or_not_called_converged() -> None:
    t = np.linspace(0, 1, 120)
    ramps = np.maximum(t[:, None] - np.repeat([0.2, 0.4, 0.6, 0.8, 1.0], 3), 0.0)
    y = np.column_stack([walk(120, seed=seed) for seed in range(60)])
    y /= y.max(axis=0)
    thrice = solve(factorise(t, ramps, np.zeros((120, 1)), np.ones(1), flat=False), y, 0.05)
    once = solve(factorise(t, ramps[:, :12:3], np.zeros((120, 1)), np.ones(1), flat=False), y, 0.05)
    assert once.converged.all()
    proven = thrice.converged
    assert proven.mean() > 0.5
    np.testing.assert_allclose(thrice.sigma[proven], once.sigma[proven], rtol=1e-6)


def test_a_singular_system_leaves_the_others_solved() -> None:
    matrices = np.array([[[1.0, 1.0], [1.0, 1.0]], [[2.0, 0.0], [0.0, 4.0]]])
    right = np.array([[[2.0], [2.0]], [[2.0], [4.0]]])
    np.testing.assert_allclose(_solve_systems(matrices, right), np.ones((2, 2, 1)))


def test_series_solved_together_get_the_answers_of_series_solved_alone() -> None:
    closes = closes_until("2015-06-30", 504)
    problem = Problem(closes["AAPL"])
    factors = factorise(problem.t, problem.ramps, problem.features, problem.scales, flat=False)
    y = closes.to_numpy() / closes.to_numpy().max(axis=0)
    together = solve(factors, y, 0.05)
    for column in range(y.shape[1]):
        alone = solve(factors, y[:, [column]], 0.05)
        np.testing.assert_allclose(together.delta[column], alone.delta[0], atol=1e-9)
        np.testing.assert_allclose(together.sigma[column], alone.sigma[0], rtol=1e-10)


def test_an_interpolating_fit_is_not_called_converged() -> None:
    """Thirty bars and a loose prior: the noise runs to zero and there is no optimum to prove."""
    y = np.column_stack([walk(30, seed=seed) for seed in range(40)])
    t = np.linspace(0, 1, 30)
    ramps = np.maximum(t[:, None] - np.linspace(0.02, 0.97, 28), 0.0)
    fit = solve(factorise(t, ramps, np.zeros((30, 1)), np.ones(1), flat=False), y / y.max(axis=0), 50.0)
    assert not fit.converged.all()
