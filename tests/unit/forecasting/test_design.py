"""Features, changepoints and scaled time against Prophet's own, column by column."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from prophet import Prophet

from openbell.forecasting.design import build_design
from openbell.forecasting.options import ForecastOptions, Holiday
from tests.unit.forecasting.series import closes_until, prophet_frame

EARNINGS = Holiday("earnings", (date(2021, 7, 27), date(2021, 10, 28), date(2022, 1, 27), date(2023, 1, 4)), -1, 2, 3.0)
CRISIS = Holiday("crisis", (date(2022, 2, 24),))


def days_of(dates: pd.Index) -> Any:
    return dates.to_numpy().astype("datetime64[D]").astype(np.int64)


def stock_holidays(*holidays: Holiday) -> pd.DataFrame:
    rows = [
        {"holiday": h.name, "ds": pd.Timestamp(day), "lower_window": h.lower_window, "upper_window": h.upper_window}
        | {"prior_scale": 10.0 if h.prior_scale is None else h.prior_scale}
        for h in holidays
        for day in h.dates
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("bars", [15, 252, 503, 504, 1008])
def test_history_features_equal_prophets_bit_by_bit(bars: int) -> None:
    closes = closes_until("2022-12-28", bars, "AAPL")
    design = build_design(days_of(closes.index), ForecastOptions.preset("raw"))
    stock = Prophet().preprocess(prophet_frame(closes["AAPL"]))
    np.testing.assert_array_equal(design.t, stock.t)
    np.testing.assert_array_equal(design.changepoints, stock.t_change)
    np.testing.assert_array_equal(design.features, stock.X)
    np.testing.assert_array_equal(design.scales, stock.sigmas)


@pytest.mark.parametrize(
    "settings",
    [
        {"yearly_seasonality": 4, "weekly_seasonality": 2},
        {"yearly_seasonality": True, "weekly_seasonality": False},
        {"n_changepoints": 7, "changepoint_range": 1.0},
        {"n_changepoints": 0},
        {"changepoint_range": 0.0},
        {"seasonality_prior_scale": 2.5},
    ],
)
def test_settings_change_the_features_as_they_change_prophets(settings: dict[str, Any]) -> None:
    closes = closes_until("2020-05-14", 700, "KO")
    ours = {name: 10 if value is True else 0 if value is False else value for name, value in settings.items()}
    design = build_design(days_of(closes.index), ForecastOptions.preset("raw", **ours))
    stock = Prophet(**settings).preprocess(prophet_frame(closes["KO"]))
    np.testing.assert_array_equal(design.changepoints, stock.t_change)
    np.testing.assert_array_equal(design.features, stock.X)
    np.testing.assert_array_equal(design.scales, stock.sigmas)


def test_holiday_windows_equal_prophets_in_history_and_future() -> None:
    closes = closes_until("2022-12-28", 504, "MSFT")
    options = ForecastOptions.preset("raw", holidays=(EARNINGS, CRISIS))
    design = build_design(days_of(closes.index), options)
    stock = Prophet(holidays=stock_holidays(EARNINGS, CRISIS))
    inputs = stock.preprocess(prophet_frame(closes["MSFT"]))
    np.testing.assert_array_equal(design.features, inputs.X)
    np.testing.assert_array_equal(design.scales, inputs.sigmas)
    future = pd.bdate_range("2022-12-29", periods=10)
    frame = stock.setup_dataframe(pd.DataFrame({"ds": future}))
    np.testing.assert_array_equal(design.features_at(days_of(future)), stock.make_all_seasonality_features(frame)[0])
    np.testing.assert_array_equal(design.scaled_time(days_of(future)), frame["t"])
    assert design.features_at(days_of(future)).any(axis=0)[-5:].any()  # the holiday of 2023-01-04 is seen ahead


def test_a_ramp_rises_by_one_a_unit_of_time_from_its_changepoint_on() -> None:
    design = build_design(np.arange(11), ForecastOptions.preset("raw", n_changepoints=2, changepoint_range=0.9))
    assert design.changepoints.tolist() == [0.4, 0.8]
    np.testing.assert_allclose(design.ramps[:, 1], [0] * 9 + [0.1, 0.2])
