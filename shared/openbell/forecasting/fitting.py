"""Fits of many windows of history: the exact engine where it applies and can prove its answer, Stan elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from openbell.forecasting.arrays import Days, Floats
from openbell.forecasting.design import Design, build_design
from openbell.forecasting.map_problem import Parameters, Reduced, factorise, recover, reduce
from openbell.forecasting.map_solver import CHUNK, solve_reduced, stack
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.stan import StanFailed, StanMissing, fit_with_stan

FEWEST_EXACT_BARS = 25  # with fewer the posterior has several modes
_CONSTANT_SIGMA = 1e-9  # Prophet's


@dataclass(frozen=True)
class Window:
    """A stretch of history of `B` series, scaled: `y = (series - offset) / scale`, `(n, B)`."""

    design: Design
    y: Floats
    offset: Floats
    scale: Floats


@dataclass(frozen=True)
class Fit:
    """Parameters of a window's series, the engine of each, and by position why a series has no usable fit."""

    window: Window
    parameters: Parameters
    engines: tuple[str, ...]
    faults: dict[int, str]

    def rescale(self, values: Floats) -> Floats:
        """Values of the scaled series, `(B, ...)`, in the series' own units."""
        shape = (-1,) + (1,) * (values.ndim - 1)
        return values * self.window.scale.reshape(shape) + self.window.offset.reshape(shape)


def open_window(days: Days, series: Floats, options: ForecastOptions) -> Window:
    """Scale `series` `(n, B)` as Prophet does, by the largest absolute value; logarithms are centred first."""
    offset = series.mean(axis=0) if options.log_prices else np.zeros(series.shape[1])
    size = np.abs(series - offset).max(axis=0)
    scale = np.where(size == 0, 1.0, size)
    return Window(build_design(days, options), (series - offset) / scale, offset, scale)


def fit_windows(windows: Sequence[Window]) -> list[Fit]:
    """Fit every series of every window. The windows have the same options and hold the same series."""
    exact = [window for window in windows if not _needs_stan(window.design)]
    solved = {id(window): parameters for window, parameters in zip(exact, _solve_all(exact), strict=True)}
    return [_complete(window, solved.get(id(window))) for window in windows]


def _needs_stan(design: Design) -> str:
    options = design.options
    if options.engine == "stan":
        return "the engine asked for"
    if options.seasonality_mode == "multiplicative":
        return "multiplicative seasonality"
    if len(design.days) < FEWEST_EXACT_BARS:
        return f"fewer than {FEWEST_EXACT_BARS} bars"
    return ""


def _solve_all(windows: Sequence[Window]) -> Iterator[Parameters]:
    """Parameters of each window; small windows of one shape are solved as one batch."""
    factors = [
        factorise(design.t, design.ramps, design.features, design.scales, flat=design.flat)
        for design in (window.design for window in windows)
    ]
    problems = [
        reduce(factor, window.y, window.design.options.changepoint_prior_scale)
        for factor, window in zip(factors, windows, strict=True)
    ]
    for batch in _batches(problems):
        delta, variance = solve_reduced(stack([problems[i] for i in batch]))
        first = 0
        for i in batch:
            rows = slice(first, first + windows[i].y.shape[1])
            first = rows.stop
            yield recover(factors[i], windows[i].y, problems[i].tau, delta[rows], variance[rows])


def _batches(problems: Sequence[Reduced]) -> Iterator[list[int]]:
    """Positions of neighbouring problems of one shape, up to a chunk of series together."""
    batch: list[int] = []
    held = 0
    for i, problem in enumerate(problems):
        size = len(problem.energy)
        if batch and (held + size > CHUNK or problem.cross.shape[1:] != problems[batch[0]].cross.shape[1:]):
            yield batch
            batch, held = [], 0
        batch.append(i)
        held += size
    if batch:
        yield batch


def _complete(window: Window, solved: Parameters | None) -> Fit:
    """Give constant series Prophet's answer and unproven ones to Stan."""
    count = window.y.shape[1]
    constant = window.y.min(axis=0) == window.y.max(axis=0)
    lines = _constants(window)
    parameters = lines if solved is None else solved.replaced(np.flatnonzero(constant), lines.take(constant))
    reason = _needs_stan(window.design) or "the exact fit could not be verified"
    engines = ["exact"] * count
    faults: dict[int, str] = {}
    for b in np.flatnonzero(~constant & ((solved is None) | ~parameters.converged)):
        engines[b] = "stan"
        try:
            fit = fit_with_stan(window.design, window.y[:, b], reason)
            parameters = parameters.replaced(np.array([b]), fit)
        except (StanMissing, StanFailed) as error:
            faults[int(b)] = f"{reason}: {error}"
    return Fit(window, parameters, tuple(engines), faults)


def _constants(window: Window) -> Parameters:
    """What Prophet takes for a constant series: its value, and next to no noise."""
    count = window.y.shape[1]
    return Parameters(
        k=np.zeros(count),
        m=window.y[0].copy(),
        delta=np.zeros((count, 0 if window.design.flat else len(window.design.changepoints))),
        beta=np.zeros((count, window.design.features.shape[1])),
        sigma=np.full(count, _CONSTANT_SIGMA),
        converged=np.ones(count, dtype=np.bool_),
    )
