"""Prophet's own optimiser, for what the exact one does not solve. Prophet is imported only when this is used."""

import logging
from functools import cache
from typing import Any

import numpy as np

from openbell.forecasting.arrays import Floats
from openbell.forecasting.design import Design
from openbell.forecasting.map_problem import Parameters

_LOG = logging.getLogger(__name__)


class StanMissing(RuntimeError):
    """Prophet's compiled model is not installed here."""


class StanFailed(RuntimeError):
    """Stan's optimiser gave up on a series; the message is its own."""


def fit_with_stan(design: Design, y: Floats, reason: str) -> Parameters:
    """Fit one scaled series `y` `(n,)` with Stan; `reason` says why, for the log. Raises StanMissing or StanFailed."""
    _LOG.warning("a series of %d bars goes to Stan: %s", len(y), reason)
    fit = _fit(_backend(), design, y)
    return Parameters(
        k=fit["k"][0],
        m=fit["m"][0],
        delta=fit["delta"][:, :0] if design.flat else fit["delta"],
        beta=fit["beta"],
        sigma=fit["sigma_obs"][0],
        converged=np.ones(1, dtype=np.bool_),
    )


@cache
def _backend() -> Any:
    # Without a handler of its own cmdstanpy prints two lines for every fit.
    logging.getLogger("cmdstanpy").addHandler(logging.NullHandler())
    logging.getLogger("cmdstanpy").setLevel(logging.WARNING)
    try:
        from prophet.models import CmdStanPyBackend  # noqa: PLC0415  the direct path must not import Prophet

        backend = CmdStanPyBackend()
    except (ImportError, ValueError, OSError) as error:
        raise StanMissing(
            f"this fit needs Stan, which is not in this bundle ({error}); install prophet with its compiled model, "
            "or use linear or flat growth with additive seasonality and at least 25 bars"
        ) from error
    return backend


def _fit(backend: Any, design: Design, y: Floats) -> dict[str, Floats]:
    import pandas as pd  # noqa: PLC0415  Prophet, which needs it too, is imported by now

    count = design.features.shape[1]
    multiplicative = float(design.options.seasonality_mode == "multiplicative")
    rate = 0.0 if design.flat else float(y[-1] - y[0])  # scaled time runs from 0 to 1
    start = {
        "k": rate,
        "m": float(y.mean()) if design.flat else float(y[0]),
        "delta": np.zeros(len(design.changepoints)),
        "beta": np.zeros(count),
        "sigma_obs": 1.0,
    }
    data = {
        "T": len(y),
        "S": len(design.changepoints),
        "K": count,
        "tau": design.options.changepoint_prior_scale,
        "trend_indicator": 2 if design.flat else 0,
        "y": y,
        "t": design.t,
        "cap": np.zeros(len(y)),
        "t_change": design.changepoints,
        "s_a": np.full(count, 1.0 - multiplicative),
        "s_m": np.full(count, multiplicative),
        "X": pd.DataFrame(design.features),
        "sigmas": design.scales.tolist(),
    }
    try:
        fit: dict[str, Floats] = backend.fit(start, data)
    except RuntimeError as error:
        raise StanFailed(f"Stan's optimiser gave up: {str(error).splitlines()[0]}") from error
    return fit
