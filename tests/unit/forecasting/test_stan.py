"""What the exact engine leaves to Stan, and what happens without it."""

import logging
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from prophet import Prophet

from openbell.forecasting import stan
from openbell.forecasting.batch import forecast_many
from openbell.forecasting.options import ForecastOptions
from tests.unit.forecasting.series import closes_until, frame_of, prophet_frame, walk


@pytest.fixture
def _no_prophet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bundle that ships without Prophet."""
    stan._backend.cache_clear()
    monkeypatch.setitem(sys.modules, "prophet.models", None)
    yield
    stan._backend.cache_clear()


def test_multiplicative_seasonality_is_fitted_and_predicted_as_stock_prophet_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closes = closes_until("2022-12-28", 252, "KO")
    options = ForecastOptions.preset("raw", seasonality_mode="multiplicative", horizon=5)
    with caplog.at_level(logging.WARNING):
        result = forecast_many(closes, options).made["KO"]
    stock = Prophet(seasonality_mode="multiplicative", uncertainty_samples=4000).fit(prophet_frame(closes["KO"]))
    np.random.seed(2)
    theirs = stock.predict(pd.DataFrame({"ds": pd.to_datetime(list(result.sessions))}))
    assert result.engine == "stan"
    np.testing.assert_allclose(result.yhat, theirs["yhat"], rtol=1e-6)
    np.testing.assert_allclose(result.yhat_upper, theirs["yhat_upper"], rtol=0.01)
    assert "a series of 252 bars goes to Stan: multiplicative seasonality" in caplog.text


def test_few_bars_go_to_stan() -> None:
    result = forecast_many(frame_of(NEW=walk(20)), ForecastOptions.preset("raw", horizon=3)).made["NEW"]
    assert result.engine == "stan"
    assert np.isfinite(result.yhat).all()


def test_stan_can_be_asked_for() -> None:
    closes = closes_until("2022-12-28", 252, "KO")
    asked = forecast_many(closes, ForecastOptions.preset("raw", engine="stan")).made["KO"]
    exact = forecast_many(closes, ForecastOptions.preset("raw")).made["KO"]
    assert (asked.engine, exact.engine) == ("stan", "exact")
    np.testing.assert_allclose(asked.yhat, exact.yhat, rtol=0.02)  # Stan stops a little short of the optimum


@pytest.mark.usefixtures("_no_prophet")
def test_without_stan_a_series_that_needs_it_fails_with_a_clear_reason() -> None:
    options = ForecastOptions.preset("raw", horizon=3)
    prices = walk(60)
    young = prices.copy()
    young[:-20] = np.nan
    batch = forecast_many(frame_of(OLD=prices, YOUNG=young), options)
    assert list(batch.made) == ["OLD"]
    assert batch.failed["YOUNG"].startswith(
        "YOUNG: fewer than 25 bars: this fit needs Stan, which is not in this bundle"
    )
    assert "at least 25 bars" in batch.failed["YOUNG"]
