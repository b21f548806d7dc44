"""From closes to forecasts: equal to Prophet where it should be, and alone in failure."""

import subprocess
import sys
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbell.forecasting.batch import ForecastResult, forecast_many
from openbell.forecasting.options import ForecastOptions, Holiday
from openbell.forecasting.prophet_backend import ExactProphet
from tests.unit.forecasting.series import closes_until, frame_of, prophet_frame, walk

RAW = ForecastOptions.preset("raw")
CALIBRATED = ForecastOptions()
BOTH = pytest.mark.parametrize("options", [RAW, CALIBRATED], ids=["raw", "calibrated"])


def arrays_of(result: ForecastResult) -> Any:
    return np.stack([result.yhat, result.yhat_lower, result.yhat_upper, result.trend])


def future_of(result: ForecastResult) -> pd.DataFrame:
    return pd.DataFrame({"ds": pd.to_datetime(list(result.sessions))})


@pytest.mark.parametrize(
    ("ticker", "end", "bars", "settings"),
    [
        ("AAPL", "2022-12-28", 252, {}),
        ("XOM", "2020-06-30", 504, {}),
        ("HD", "2011-03-31", 1008, {"changepoint_prior_scale": 0.5, "n_changepoints": 40}),
        ("PEP", "2006-10-02", 504, {"growth": "flat", "yearly_seasonality": 3}),
        ("BBY", "2014-02-14", 504, {"n_changepoints": 0, "weekly_seasonality": 0}),
    ],
)
def test_raw_forecasts_are_what_prophet_predicts_from_the_same_parameters(
    ticker: str, end: str, bars: int, settings: dict[str, Any]
) -> None:
    closes = closes_until(end, bars, ticker)
    result = forecast_many(closes, ForecastOptions.preset("raw", **settings)).made[ticker]
    model = ExactProphet(uncertainty_samples=4000, **settings).fit(prophet_frame(closes[ticker]))
    np.random.seed(1)
    theirs = model.predict(future_of(result))
    assert (result.engine, model.engine) == ("exact", "exact")
    np.testing.assert_allclose(result.yhat, theirs["yhat"], rtol=1e-9)
    np.testing.assert_allclose(result.trend, theirs["trend"], rtol=1e-9)
    np.testing.assert_allclose(result.yhat_upper - result.yhat, theirs["yhat_upper"] - theirs["yhat"], rtol=0.08)
    np.testing.assert_allclose(result.yhat - result.yhat_lower, theirs["yhat"] - theirs["yhat_lower"], rtol=0.08)
    assert result.last_trend == pytest.approx(model.predict(prophet_frame(closes[ticker])[["ds"]])["trend"].iloc[-1])


def test_holidays_ahead_are_seen_as_prophet_sees_them() -> None:
    closes = closes_until("2022-12-15", 504, "WMT")
    days = (date(2021, 12, 24), date(2022, 12, 23))
    options = ForecastOptions.preset("raw", holidays=(Holiday("eve", days, -1, 1),))
    result = forecast_many(closes, options).made["WMT"]
    stock = pd.DataFrame({"holiday": "eve", "ds": pd.to_datetime(list(days)), "lower_window": -1, "upper_window": 1})
    model = ExactProphet(holidays=stock).fit(prophet_frame(closes["WMT"]))
    np.testing.assert_allclose(result.yhat, model.predict(future_of(result))["yhat"], rtol=1e-9)


@BOTH
def test_the_same_closes_give_the_same_forecast(options: ForecastOptions) -> None:
    closes = closes_until("2022-12-28", 504, "AAPL", "KO")
    first, second = forecast_many(closes, options), forecast_many(closes, options)
    for ticker in first.made:
        np.testing.assert_array_equal(arrays_of(first.made[ticker]), arrays_of(second.made[ticker]))


@BOTH
def test_the_order_of_the_tickers_has_no_effect(options: ForecastOptions) -> None:
    closes = closes_until("2019-08-30", 504)
    forward = forecast_many(closes, options)
    backward = forecast_many(closes[closes.columns[::-1]], options)
    assert list(forward.made) == list(backward.made) == sorted(closes.columns)
    for ticker in forward.made:
        np.testing.assert_array_equal(arrays_of(forward.made[ticker]), arrays_of(backward.made[ticker]))


@BOTH
def test_a_ticker_gets_the_same_forecast_alone_and_in_company(options: ForecastOptions) -> None:
    closes = closes_until("2019-08-30", 504)
    together = forecast_many(closes, options).made
    for ticker in ("AAPL", "RRC"):
        alone = forecast_many(closes[[ticker]], options).made[ticker]
        np.testing.assert_allclose(arrays_of(together[ticker]), arrays_of(alone), rtol=1e-8)


@BOTH
@settings(max_examples=15, deadline=None)
@given(factor=st.floats(0.01, 500), seed=st.integers(0, 50))
def test_scaling_the_closes_scales_the_forecast(options: ForecastOptions, factor: float, seed: int) -> None:
    """On log prices this is a shift of the fitted series."""
    prices = walk(300, seed=seed)
    batch = forecast_many(frame_of(A=prices, B=factor * prices), options).made
    np.testing.assert_allclose(arrays_of(batch["B"]), factor * arrays_of(batch["A"]), rtol=1e-6)


@settings(max_examples=15, deadline=None)
@given(power=st.floats(0.3, 3), seed=st.integers(0, 50))
def test_scaling_the_log_prices_scales_the_calibrated_forecast(power: float, seed: int) -> None:
    prices = walk(300, seed=seed)
    batch = forecast_many(frame_of(A=prices, B=prices**power), CALIBRATED).made
    np.testing.assert_allclose(np.log(arrays_of(batch["B"])), power * np.log(arrays_of(batch["A"])), rtol=1e-6)


def test_the_calibrated_forecast_starts_at_the_last_close() -> None:
    for result in forecast_many(closes_until("2022-12-28", 756), CALIBRATED).made.values():
        assert abs(result.yhat[0] / result.last_close - 1) < 0.005
        assert (result.yhat_lower < result.yhat).all()
        assert (result.yhat < result.yhat_upper).all()
        assert result.skill is not None
        assert 0 <= result.trend_weight <= 1


def broken(kind: str) -> Any:
    prices = walk(300)
    if kind == "constant":
        return np.full(300, 7.0)
    if kind == "negative":
        prices[40] = -1.0
    elif kind == "zero":
        prices[40] = 0.0
    elif kind == "infinite":
        prices[40] = np.inf
    elif kind == "two bars":
        prices[:-2] = np.nan
    elif kind == "block":
        prices[100:120] = np.nan
    elif kind == "holes":
        prices[50:250:4] = np.nan
    elif kind == "stale":
        prices[-1] = np.nan
    elif kind == "empty":
        prices[:] = np.nan
    return prices


@BOTH
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("constant", "the price is 7 on every bar; a constant cannot be forecast"),
        ("negative", "price -1 on 2021-12-30; prices must be finite and above 0"),
        ("zero", "price 0 on 2021-12-30; prices must be finite and above 0"),
        ("infinite", "price inf on 2021-12-30"),
        ("two bars", "only 2 bars; at least 10 are needed"),
        ("block", "20 bars in a row are missing; at most 5 may be"),
        ("holes", "50 of 300 bars are missing; at most 5% may be"),
        ("stale", "no bar for the last session 2022-12-28; the last one is of 2022-12-27"),
        ("empty", "only 0 bars"),
    ],
)
def test_a_bad_ticker_fails_alone_with_its_reason(options: ForecastOptions, kind: str, reason: str) -> None:
    batch = forecast_many(frame_of(GOOD=walk(300, seed=2), BAD=broken(kind)), options)
    assert list(batch.made) == ["GOOD"]
    assert batch.failed["BAD"].startswith(f"BAD: {reason}")


def awkward() -> dict[str, Any]:
    """Prices that are legal and strange."""
    bar = np.arange(400)
    return {
        "TINY": walk(400) * 1e-8,
        "HUGE": walk(400) * 1e9,
        "STEP": np.where(bar < 300, 10.0, 20.0),
        "TURNS": np.where(bar % 2 == 0, 10.0, 10.5),
        "LINE": 50 + 0.1 * bar,
        "GROWTH": 50 * np.exp(0.001 * bar),
        "SPIKE": np.where(bar == 350, 1e6, walk(400)),
        "ONCE": np.where(bar == 200, 10.01, 10.0),
    }


@BOTH
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_strange_prices_leave_their_neighbours_alone(options: ForecastOptions) -> None:
    good = walk(400, seed=2)
    batch = forecast_many(frame_of(GOOD=good, **awkward()), options)
    assert not batch.failed
    for result in batch.made.values():
        assert np.isfinite(arrays_of(result)).all()
        assert (result.yhat_lower < result.yhat_upper).all()
    alone = forecast_many(frame_of(GOOD=good), options)
    np.testing.assert_allclose(arrays_of(batch.made["GOOD"]), arrays_of(alone.made["GOOD"]), rtol=1e-8)


def test_a_price_that_never_moved_before_gets_no_interval() -> None:
    prices = np.full(400, 10.0)
    prices[-1] = 11.0
    batch = forecast_many(frame_of(GOOD=walk(400), WOKE=prices), CALIBRATED)
    assert list(batch.made) == ["GOOD"]
    assert batch.failed["WOKE"].startswith("WOKE: the price moved on too few of the scored bars")


def test_a_horizon_beyond_the_history_fails_with_ticker_option_and_bound() -> None:
    prices = walk(60)
    prices[:20] = np.nan
    batch = forecast_many(frame_of(NEW=prices), ForecastOptions.preset("raw", horizon=41))
    assert batch.failed["NEW"] == (
        "NEW: option horizon: 41 is not allowed; expected at most the 40 bars of the history"
    )


def test_too_few_bars_to_calibrate_is_said_so() -> None:
    batch = forecast_many(frame_of(NEW=walk(100)), CALIBRATED)
    assert batch.failed["NEW"].startswith("NEW: only 100 bars; at least 118 are needed to score past forecasts")
    assert list(forecast_many(frame_of(NEW=walk(118)), CALIBRATED).made) == ["NEW"]


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (pd.DatetimeIndex(["2022-01-03", "2022-01-04"] * 60), "occurs more than once"),
        (pd.bdate_range("2022-01-03", periods=120)[::-1], "sessions are not in ascending order"),
        (pd.bdate_range("2022-01-03", periods=120, tz="UTC"), "tz-naive session dates"),
        (pd.bdate_range("2022-01-03", periods=120) + pd.Timedelta(hours=16), "without a time of day"),
        (pd.RangeIndex(120), "tz-naive session dates"),
    ],
)
def test_bad_dates_fail_every_ticker_with_the_reason(index: pd.Index, reason: str) -> None:
    batch = forecast_many(pd.DataFrame({"A": walk(120), "B": walk(120, seed=2)}, index=index), RAW)
    assert not batch.made
    assert [name for name, text in batch.failed.items() if text.startswith(f"{name}: ") and reason in text] == [
        "A",
        "B",
    ]


def test_a_ticker_that_names_two_columns_fails() -> None:
    closes = frame_of(A=walk(120), B=walk(120, seed=2)).rename(columns={"B": "A"})
    assert forecast_many(closes, RAW).failed == {"A": "A: the ticker names more than one column"}


def test_a_missing_bar_is_left_out_as_prophet_leaves_it_out() -> None:
    prices = walk(300)
    prices[[50, 51, 200]] = np.nan
    closes = frame_of(A=prices)
    result = forecast_many(closes, RAW).made["A"]
    model = ExactProphet().fit(prophet_frame(closes["A"]))
    np.testing.assert_allclose(result.yhat, model.predict(future_of(result))["yhat"], rtol=1e-9)


def test_bars_ahead_are_the_next_weekdays_unless_given() -> None:
    closes = frame_of(date(2022, 12, 29), A=walk(60))
    options = ForecastOptions.preset("raw", horizon=3)
    weekdays = (date(2022, 12, 30), date(2023, 1, 2), date(2023, 1, 3))
    given_dates = (date(2022, 12, 30), date(2023, 1, 3), date(2023, 1, 4))
    assert forecast_many(closes, options).made["A"].sessions == weekdays
    assert forecast_many(closes, options, sessions=given_dates).made["A"].sessions == given_dates
    with pytest.raises(ValueError, match="expected 3 ascending dates after 2022-12-29, got 2022-12-29, 2022-12-30"):
        forecast_many(closes, options, sessions=(date(2022, 12, 29), *given_dates))


def test_no_tickers_give_no_forecasts() -> None:
    batch = forecast_many(frame_of(A=walk(60)).drop(columns="A"), RAW)
    assert (dict(batch.made), dict(batch.failed)) == ({}, {})


def test_the_direct_path_imports_neither_prophet_nor_aws() -> None:
    code = (
        "import sys, openbell.forecasting.batch, openbell.forecasting.scoring;"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'prophet', 'cmdstanpy', 'boto3', 'matplotlib'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
