"""Prophet itself, with its fit replaced by the exact one where that applies.

    model = ExactProphet().fit(frame)

Prediction, components, plots, diagnostics and serialisation are Prophet's own. What the exact engine does not solve
(logistic growth, multiplicative terms, fewer than 25 bars, sampling) is Stan's, as in Prophet; `model.engine` tells
which of them made the fit. The only private name of Prophet used here is `Prophet._load_stan_backend`.
"""

import logging
from typing import Any

import numpy as np
from prophet import Prophet
from prophet.models import CmdStanPyBackend, IStanBackend, TrendIndicator

from openbell.forecasting.design import ramps_at
from openbell.forecasting.fitting import FEWEST_EXACT_BARS
from openbell.forecasting.map_problem import Parameters, factorise
from openbell.forecasting.map_solver import solve

_LOG = logging.getLogger(__name__)


class ExactBackend(IStanBackend):
    """The backend that Prophet calls to fit: `engine` is `exact` or `stan` after each fit."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = ""
        self._stan: CmdStanPyBackend | None = None

    @staticmethod
    def get_type() -> str:
        """The name under which Prophet's diagnostics ask for this backend in the models they make."""
        return "EXACT"

    def load_model(self) -> None:
        """Nothing to load: Stan is loaded when a fit needs it."""

    def fit(self, stan_init: dict[str, Any], stan_data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """The parameters of one series, each `(1, size)`; `kwargs` are for Stan."""
        reason = _why_stan(stan_data)
        if not reason:
            parameters = _solve(stan_data)
            if parameters.converged[0]:
                self.engine = "exact"
                return _as_prophet_keeps_them(parameters, stan_data)
            reason = "the exact fit could not be verified"
        _LOG.warning("a series of %d bars goes to Stan: %s", stan_data["T"], reason)
        return dict(self._with_stan().fit(stan_init, stan_data, **kwargs))

    def sampling(
        self, stan_init: dict[str, Any], stan_data: dict[str, Any], samples: int, **kwargs: Any
    ) -> dict[str, Any]:
        """Samples of the posterior, always Stan's."""
        return dict(self._with_stan().sampling(stan_init, stan_data, samples, **kwargs))

    def cleanup(self) -> None:
        """Remove the files of a fit that was Stan's."""
        if self._stan is not None:
            self._stan.cleanup()

    def _with_stan(self) -> Any:
        self.engine = "stan"
        self._stan = self._stan or CmdStanPyBackend()
        self._stan.newton_fallback = self.newton_fallback
        return self._stan


class ExactProphet(Prophet):
    """Prophet with exact fits: same arguments, same methods."""

    @property
    def engine(self) -> str:
        """Which engine made the fit, `exact` or `stan`; empty before it, for a constant and after deserialisation."""
        return str(getattr(self.stan_backend, "engine", ""))

    def _load_stan_backend(self, stan_backend: str | None) -> None:  # noqa: ARG002  there is only one
        self.stan_backend = ExactBackend()


def _why_stan(data: dict[str, Any]) -> str:
    """Why the problem is not one for the exact engine; empty if it is."""
    if data["trend_indicator"] == TrendIndicator.LOGISTIC.value:
        return "logistic growth"
    if np.any(np.asarray(data["s_m"])):
        return "multiplicative terms"
    if data["T"] < FEWEST_EXACT_BARS:
        return f"fewer than {FEWEST_EXACT_BARS} bars"
    return ""


def _solve(data: dict[str, Any]) -> Parameters:
    t = np.asarray(data["t"], dtype=np.float64)
    factors = factorise(
        t,
        ramps_at(t, np.asarray(data["t_change"], dtype=np.float64)),
        np.asarray(data["X"], dtype=np.float64) * np.asarray(data["s_a"], dtype=np.float64),
        np.asarray(data["sigmas"], dtype=np.float64),
        flat=data["trend_indicator"] == TrendIndicator.FLAT.value,
    )
    return solve(factors, np.asarray(data["y"], dtype=np.float64)[:, None], float(data["tau"]))


def _as_prophet_keeps_them(parameters: Parameters, data: dict[str, Any]) -> dict[str, Any]:
    """The dictionary that Prophet calls params, in Stan's order; a flat trend has no rate changes."""
    delta = parameters.delta if parameters.delta.size else np.zeros((1, len(data["t_change"])))
    return {
        "k": parameters.k.reshape(1, 1),
        "m": parameters.m.reshape(1, 1),
        "delta": delta,
        "sigma_obs": parameters.sigma.reshape(1, 1),
        "beta": parameters.beta,
    }
