"""Prophet's own methods on top of exact fits, and the private names of Prophet that this rests on."""

import inspect
import logging
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import prophet
import pytest
from prophet import Prophet
from prophet.diagnostics import cross_validation
from prophet.metrics import performance_metrics
from prophet.models import CmdStanPyBackend, IStanBackend, ModelInputData, TrendIndicator
from prophet.serialize import model_from_json, model_to_json

from openbell.forecasting.prophet_backend import ExactProphet
from tests.unit.forecasting.series import closes_until, frame_of, prophet_frame, walk

mpl.use("Agg")


def history(bars: int = 504) -> pd.DataFrame:
    return prophet_frame(closes_until("2022-12-28", bars, "AAPL")["AAPL"])


def future_of(model: Prophet, days: int = 10) -> pd.DataFrame:
    return model.make_future_dataframe(days, include_history=False)


def test_a_fit_has_prophets_parameters_and_says_its_engine() -> None:
    stock, exact = Prophet().fit(history()), ExactProphet().fit(history())
    assert exact.engine == "exact"
    for name in ("k", "m", "delta", "beta", "sigma_obs"):
        assert exact.params[name].shape == stock.params[name].shape
    np.testing.assert_allclose(exact.predict()["yhat"], stock.predict()["yhat"], rtol=0.05)


def test_prophets_plots_draw_the_forecast() -> None:
    model = ExactProphet().fit(history())
    forecast = model.predict(future_of(model))
    assert len(model.plot(forecast).axes) == 1
    assert len(model.plot_components(forecast).axes) == 2  # trend and weekly


def test_prophets_cross_validation_refits_with_the_exact_engine() -> None:
    table: Any = cross_validation(
        ExactProphet().fit(history()), initial="500 days", period="90 days", horizon="10 days", disable_tqdm=True
    )
    assert table["cutoff"].nunique() == 3
    metrics: Any = performance_metrics(table, rolling_window=1)
    assert 0 <= metrics["coverage"].iloc[0] <= 1


def test_a_model_survives_serialisation() -> None:
    model = ExactProphet().fit(history())
    again = model_from_json(model_to_json(model))
    np.testing.assert_allclose(again.predict(future_of(model))["yhat"], model.predict(future_of(model))["yhat"])


def test_regressors_holidays_and_custom_seasonalities_are_fitted_exactly() -> None:
    frame = history()
    frame["volume"] = np.random.default_rng(1).normal(size=len(frame))
    frame["y"] += 3 * frame["volume"]
    days = pd.DataFrame({"holiday": "split", "ds": frame["ds"].iloc[[100, 300]], "lower_window": 0, "upper_window": 2})
    model = ExactProphet(holidays=days, n_changepoints=5)
    model.add_regressor("volume").add_seasonality("monthly", 30.5, 3).fit(frame)
    ahead = future_of(model).assign(volume=[0.0] * 9 + [1.0])
    forecast = model.predict(ahead)
    assert model.engine == "exact"
    assert forecast["volume"].iloc[-1] - forecast["volume"].iloc[0] == pytest.approx(3, rel=0.2)


def test_changepoints_given_twice_do_no_harm() -> None:
    frame = history()
    twice = ExactProphet(changepoints=frame["ds"].iloc[[100, 100, 300, 300, 301]]).fit(frame)
    once = ExactProphet(changepoints=frame["ds"].iloc[[100, 300, 301]]).fit(frame)
    np.testing.assert_allclose(twice.predict()["yhat"], once.predict()["yhat"], rtol=1e-6)


def test_without_changepoints_the_dummy_is_folded_into_the_rate_as_prophet_does() -> None:
    stock, exact = (kind(n_changepoints=0, weekly_seasonality=False).fit(history()) for kind in (Prophet, ExactProphet))
    assert exact.params["delta"].sum() == 0
    np.testing.assert_allclose(exact.predict()["trend"], stock.predict()["trend"], rtol=0.01)


@pytest.mark.parametrize(
    ("bars", "arguments", "reason"),
    [
        (60, {"growth": "logistic"}, "logistic growth"),
        (60, {"seasonality_mode": "multiplicative"}, "multiplicative terms"),
        (20, {}, "fewer than 25 bars"),
    ],
)
def test_other_models_go_to_stan_and_the_log_says_why(
    bars: int, arguments: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    frame = prophet_frame(frame_of(A=walk(bars))["A"]).assign(cap=500.0)
    with caplog.at_level(logging.WARNING):
        exact = ExactProphet(**arguments).fit(frame)
    stock = Prophet(**arguments).fit(frame)
    assert exact.engine == "stan"
    assert f"a series of {bars} bars goes to Stan: {reason}" in caplog.text
    np.testing.assert_array_equal(exact.params["delta"], stock.params["delta"])


def test_sampling_is_stans() -> None:
    model = ExactProphet(mcmc_samples=20, n_changepoints=2)
    model.fit(prophet_frame(frame_of(A=walk(60))["A"]), chains=1, show_progress=False)
    assert model.engine == "stan"
    assert model.params["k"].shape[0] == 10


def test_a_constant_series_keeps_prophets_own_answer() -> None:
    model = ExactProphet().fit(prophet_frame(frame_of(A=np.full(60, 5.0))["A"]))
    np.testing.assert_allclose(model.predict(future_of(model))["yhat"], 5.0)
    assert model.engine == ""


class TestPrivateNamesOfProphet:
    """Canaries: each fails clearly when a name that the backend rests on has moved."""

    def test_the_version_is_the_one_that_was_read(self) -> None:
        assert prophet.__version__ == "1.5.0"

    def test_the_constructor_loads_its_backend_through_one_method(self) -> None:
        assert list(inspect.signature(Prophet._load_stan_backend).parameters) == ["self", "stan_backend"]
        assert "self._load_stan_backend(stan_backend)" in inspect.getsource(Prophet.__init__)

    def test_a_backend_has_these_methods(self) -> None:
        assert IStanBackend.__abstractmethods__ == {"get_type", "load_model", "fit", "sampling"}
        assert list(inspect.signature(CmdStanPyBackend.fit).parameters) == ["self", "stan_init", "stan_data", "kwargs"]
        assert "newton_fallback" in inspect.getsource(IStanBackend.__init__)

    def test_a_fit_is_handed_these_data(self) -> None:
        names = {"T", "S", "K", "tau", "trend_indicator", "y", "t", "cap", "t_change", "s_a", "s_m", "X", "sigmas"}
        assert set(ModelInputData.__dataclass_fields__) == names
        assert {one.name: one.value for one in TrendIndicator} == {"LINEAR": 0, "LOGISTIC": 1, "FLAT": 2}
