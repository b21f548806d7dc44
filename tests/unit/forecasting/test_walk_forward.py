"""Forecasts of the past: what was known then, and what came."""

import numpy as np
import pandas as pd
import pytest

from openbell.forecasting.batch import forecast_many
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.record import to_forecast
from openbell.forecasting.walk_forward import Step, walk_forward
from tests.unit.forecasting.series import closes_until

CALIBRATED = ForecastOptions(horizon=5)
BARS = CALIBRATED.calibration + 504


def test_a_step_is_the_forecast_from_the_bars_up_to_its_row() -> None:
    prices = closes_until("2022-06-15", 400, "AAPL", "KO", "XOM").copy()
    (step,) = walk_forward(prices, [300], CALIBRATED, 200)
    known, coming = prices.iloc[101:301], prices.iloc[301:306]  # 200 bars, the row's own the last of them
    sessions = [stamp.date() for stamp in coming.index]
    direct = forecast_many(known, CALIBRATED, sessions=sessions).made
    assert step.row == 300
    assert len(step.scores) == 5 * prices.shape[1]
    for one in step.scores:
        close = coming[one.symbol].iloc[one.horizon - 1]
        scale = np.abs(np.diff(known[one.symbol])).mean()  # fewer than 252 bars: all of them
        error = abs(close - direct[one.symbol].yhat[one.horizon - 1])
        assert one.session == sessions[one.horizon - 1]
        assert one.scaled_error == pytest.approx(error / scale, rel=1e-4)


def test_later_bars_change_no_earlier_forecast() -> None:
    prices = closes_until("2022-06-15", 400, "AAPL", "KO", "XOM").copy()
    changed = prices.copy()
    changed.iloc[301:] *= 1.5
    rows = [280, 290, 295]  # 295 + 5 bars ahead is 300
    assert list(walk_forward(prices, rows, CALIBRATED, BARS)) == list(walk_forward(changed, rows, CALIBRATED, BARS))


def test_a_close_that_never_came_is_not_scored() -> None:
    prices = closes_until("2022-06-15", 400, "AAPL", "KO", "XOM").copy()
    ticker = str(prices.columns[0])
    prices.iloc[302, 0] = np.nan
    (step,) = walk_forward(prices, [300], CALIBRATED, BARS)
    assert [one.horizon for one in step.scores if one.symbol == ticker] == [1, 3, 4, 5]


def test_a_ticker_without_bars_fails_alone_and_says_why() -> None:
    prices = closes_until("2022-06-15", 400, "AAPL", "KO", "XOM").copy()
    prices.iloc[:290, 0] = np.nan
    step: Step
    (step,) = walk_forward(prices, [300], CALIBRATED, BARS)
    ticker = str(prices.columns[0])
    assert set(step.failed) == {ticker}
    assert "only 11 bars" in step.failed[ticker]
    assert {one.symbol for one in step.scores} == {str(name) for name in prices.columns[1:]}


def test_a_price_that_stands_still_has_no_scale_and_no_score() -> None:
    days = pd.bdate_range("2020-01-01", periods=60)
    flat = pd.DataFrame({"AB": [5.0] * 20 + [5.0 + 0.1 * i for i in range(40)]}, index=days)
    raw = ForecastOptions.preset("raw", horizon=2)
    made = forecast_many(flat, raw).made["AB"]
    assert to_forecast("AB", made, flat["AB"].to_numpy()[:20]).naive_scale is None
    # (39 * 0.1 + 20 * 0) / 59 = 0.066102
    assert to_forecast("AB", made, flat["AB"].to_numpy()).naive_scale == 0.066102
