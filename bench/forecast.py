"""How much faster, and how exact: our forecasts beside stock Prophet's, in one run on one core.

    python -m bench.forecast [--no-peers]

Prints tables; the last line is one JSON object. Real closes of 20 large US stocks, medians over the tickers.
"""

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from prophet import Prophet

from bench.forecast_data import on_one_core, sample_closes, table
from bench.forecast_import import compare_imports
from bench.forecast_peers import compare_peers
from openbell.forecasting.batch import forecast_many
from openbell.forecasting.map_problem import Parameters, factorise, negative_log_posterior
from openbell.forecasting.map_solver import solve
from openbell.forecasting.options import ForecastOptions

LENGTHS = (252, 504, 1008, 2520)
HORIZON = 15
_REPEATS = 5
RAW = ForecastOptions.preset("raw", horizon=HORIZON)
CALIBRATED = ForecastOptions(horizon=HORIZON)


@dataclass(frozen=True)
class SolverRun:
    """One series, both solvers: seconds, and how much lower our negative log posterior is, relative to Stan's."""

    stan_seconds: float
    exact_seconds: float
    gap: float


def main() -> None:
    """Measure, print, and end with the JSON line."""
    on_one_core("bench.forecast")
    closes = sample_closes()
    forecast_many(closes.iloc[-756:], CALIBRATED)
    solver = {bars: [_solve_both(series_of(closes, i, bars)) for i in range(20)] for bars in LENGTHS}
    _print_solver(solver)
    paths = {bars: [_forecast_both(series_of(closes, i, bars)) for i in range(20)] for bars in LENGTHS}
    stock, raw, calibrated = (
        {bars: float(np.median([run[part] for run in paths[bars]])) for bars in LENGTHS} for part in range(3)
    )
    _print_paths(stock, raw, calibrated)
    universe = {
        name: _universe_seconds(closes, options) for name, options in (("raw", RAW), ("calibrated", CALIBRATED))
    }
    batch_ratio = {name: stock[504] / (seconds / 500) for name, seconds in universe.items()}
    table(
        "500 tickers x 504 bars, fit + predict, everything included (calibrated adds 252 scored past bars)",
        ("preset", "seconds", "per ticker ms", "stock per ticker ms", "ratio"),
        [
            (name, f"{seconds:.2f}", f"{seconds * 2:.2f}", f"{stock[504] * 1e3:.0f}", f"{batch_ratio[name]:.0f}x")
            for name, seconds in universe.items()
        ],
    )
    handler = compare_imports()
    peers = None if "--no-peers" in sys.argv else compare_peers(closes)
    answer = {
        "solver_ratio": {
            bars: _ratio([r.stan_seconds for r in runs], [r.exact_seconds for r in runs])
            for bars, runs in solver.items()
        },
        "fit_predict_ratio": {bars: round(stock[bars] / raw[bars], 1) for bars in LENGTHS},
        "fit_predict_ratio_calibrated": {bars: round(stock[bars] / calibrated[bars], 1) for bars in LENGTHS},
        "batch_ratio": {name: round(ratio) for name, ratio in batch_ratio.items()},
        "worst_logp_gap": min(run.gap for runs in solver.values() for run in runs),
        "universe_500_seconds": {name: round(seconds, 3) for name, seconds in universe.items()},
        "handler_import": handler,
        "peers": peers,
    }
    print(json.dumps(answer))


def series_of(closes: pd.DataFrame, column: int, bars: int) -> pd.DataFrame:
    """The last bars of one ticker; each ticker ends on another date, so that the series differ."""
    end = len(closes) - 97 * column
    return closes.iloc[end - bars : end, [column]]


def _solve_both(closes: pd.DataFrame) -> SolverRun:
    """Stan's optimise call as Prophet makes it, and ours from the same matrices."""
    model = Prophet()
    inputs: Any = model.preprocess(_frame(closes))
    start = dataclasses.asdict(model.calculate_initial_params(inputs.K))
    data = dataclasses.asdict(inputs)
    backend: Any = model.stan_backend
    stan_seconds, fit = _timed(lambda: backend.fit(start, data))
    t, y, features = (np.asarray(part, dtype=np.float64) for part in (inputs.t, inputs.y, inputs.X))
    ramps, scales = np.maximum(t[:, None] - inputs.t_change, 0.0), np.asarray(inputs.sigmas, dtype=np.float64)

    def ours() -> Parameters:
        return solve(factorise(t, ramps, features, scales, flat=False), y[:, None], inputs.tau)

    exact_seconds, exact = _timed(ours, _REPEATS)
    stan = Parameters(fit["k"][0], fit["m"][0], fit["delta"], fit["beta"], fit["sigma_obs"][0], np.ones(1, dtype=bool))
    objectives = [
        negative_log_posterior(y[:, None], _fitted(one, t, ramps, features), one, scales, inputs.tau)[0]
        for one in (stan, exact)
    ]
    return SolverRun(stan_seconds, exact_seconds, float((objectives[0] - objectives[1]) / abs(objectives[0])))


def _fitted(parameters: Parameters, t: Any, ramps: Any, features: Any) -> Any:
    return parameters.k * t[:, None] + parameters.m + ramps @ parameters.delta.T + features @ parameters.beta.T


def _forecast_both(closes: pd.DataFrame) -> tuple[float, float, float]:
    """Seconds from closes to a forecast of 15 bars: stock Prophet, our raw and our calibrated preset."""
    future = pd.DataFrame({"ds": pd.bdate_range(closes.index[-1], periods=HORIZON + 1)[1:]})
    stock, _ = _timed(lambda: Prophet().fit(_frame(closes)).predict(future))
    raw, made = _timed(lambda: forecast_many(closes, RAW), _REPEATS)
    calibrated, calibrated_made = _timed(lambda: forecast_many(closes, CALIBRATED), _REPEATS)
    if made.failed or calibrated_made.failed:
        raise SystemExit(f"no forecast: {made.failed} {calibrated_made.failed}")
    return stock, raw, calibrated


def _universe_seconds(closes: pd.DataFrame, options: ForecastOptions) -> float:
    """Seconds for 500 tickers on one date grid: 25 stretches of 20 stocks; the calibrated preset gets its 252 more."""
    bars = 504 + options.calibration
    prices = np.concatenate([closes.to_numpy()[230 * i : 230 * i + bars] for i in range(25)], axis=1)
    frame = pd.DataFrame(prices, index=closes.index[-bars:], columns=[f"T{i:03d}" for i in range(500)])
    seconds, batch = _timed(lambda: forecast_many(frame, options), _REPEATS)
    if batch.failed:
        raise SystemExit(f"no forecast: {batch.failed}")
    return seconds


def _frame(closes: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"ds": closes.index, "y": closes.iloc[:, 0].to_numpy()})


def _timed[Result](work: Callable[[], Result], repeats: int = 1) -> tuple[float, Result]:
    """Seconds and result of `work`; what takes a millisecond is repeated, and the median counts."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), result


def _ratio(slow: list[float], fast: list[float]) -> float:
    return round(float(np.median(slow) / np.median(fast)), 1)


def _print_solver(solver: dict[int, list[SolverRun]]) -> None:
    rows = []
    for bars, runs in solver.items():
        stan, exact = np.median([run.stan_seconds for run in runs]), np.median([run.exact_seconds for run in runs])
        gaps = [run.gap for run in runs]
        rows.append(
            (
                bars,
                f"{stan * 1e3:.1f}",
                f"{exact * 1e3:.2f}",
                f"{stan / exact:.0f}x",
                f"{min(gaps):.1e}",
                f"{np.median(gaps):.1e}",
            )
        )
    heads = ("bars", "Stan ms", "exact ms", "ratio", "worst gain in log posterior", "median gain")
    table("Solver alone, one series (median of 20; gain relative to Stan's log posterior, never negative)", heads, rows)


def _print_paths(stock: dict[int, float], raw: dict[int, float], calibrated: dict[int, float]) -> None:
    rows = [
        (
            bars,
            f"{stock[bars] * 1e3:.0f}",
            f"{raw[bars] * 1e3:.2f}",
            f"{stock[bars] / raw[bars]:.0f}x",
            f"{calibrated[bars] * 1e3:.2f}",
            f"{stock[bars] / calibrated[bars]:.0f}x",
        )
        for bars in stock
    ]
    heads = ("bars", "stock ms", "raw ms", "ratio", "calibrated ms", "ratio")
    table("One ticker, from closes to a forecast of 15 bars (median of 20)", heads, rows)


if __name__ == "__main__":
    main()
