"""Closes as plain arrays: the same numbers as a DataFrame, without pandas."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from openbell.forecasting.batch import forecast_closes, forecast_many
from openbell.forecasting.closes import Closes, read_columns
from openbell.forecasting.options import ForecastOptions
from openbell.snapshot import read_closes, write_closes
from tests.unit.forecasting.series import closes_until, frame_of


def test_a_snapshots_columns_are_read_bit_by_bit_as_pandas_reads_them() -> None:
    frame = closes_until("2022-06-15", 300)
    frame.iloc[10:13, 2] = np.nan
    frame.iloc[5, 0] = 1 / 3 * 1e5
    content = write_closes(frame)
    read = read_columns(content, ("KO", "AAPL", "BAC"))
    expected = read_closes(content, ("KO", "AAPL", "BAC"))[["KO", "AAPL", "BAC"]]
    assert read.tickers == ("KO", "AAPL", "BAC")
    np.testing.assert_array_equal(read.prices, expected.to_numpy())
    np.testing.assert_array_equal(read.days, Closes.from_frame(expected).days)


def test_a_ticker_that_the_snapshot_has_not_is_named() -> None:
    with pytest.raises(ValueError, match="the snapshot has no closes of ZZ"):
        read_columns(write_closes(frame_of(AB=np.arange(1.0, 9))), ("AB", "ZZ"))


def test_a_snapshot_without_sessions_is_no_forecast_but_a_reason() -> None:
    empty = read_columns(write_closes(frame_of(AB=np.arange(1.0, 9)).iloc[:0]), ("AB",))
    assert empty.prices.shape == (0, 1)
    assert "only 0 bars" in forecast_closes(empty, ForecastOptions()).failed["AB"]


def test_arrays_give_the_forecast_of_the_frame() -> None:
    frame = closes_until("2022-06-15", 756, "AAPL", "KO")
    by_frame = forecast_many(frame, ForecastOptions())
    by_arrays = forecast_closes(Closes.from_frame(frame), ForecastOptions())
    for ticker, made in by_frame.made.items():
        np.testing.assert_array_equal(made.yhat, by_arrays.made[ticker].yhat)
        assert made.sessions == by_arrays.made[ticker].sessions


def test_the_last_bars_and_one_ticker_can_be_had() -> None:
    closes = Closes.from_frame(frame_of(AB=np.arange(1.0, 9), CD=np.arange(11.0, 19)))
    assert closes.last(2).of("CD").tolist() == [17.0, 18.0]
    assert closes.last(2).days.tolist() == closes.days.tolist()[-2:]


def test_a_frame_without_dates_is_refused() -> None:
    with pytest.raises(ValueError, match="the index must hold tz-naive session dates"):
        Closes.from_frame(pd.DataFrame({"AB": [1.0, 2.0]}))


def test_the_forecast_function_imports_forecasts_alone() -> None:
    """Neither pandas nor Prophet, nor what the platform knows of orders, runs and their configuration."""
    not_needed = {"pandas", "prophet", "cmdstanpy", "matplotlib"}
    not_needed |= {f"openbell.{name}" for name in ("model", "config", "ports", "runs", "events", "accuracy")}
    code = (
        "import sys, openbell.bootstrap, openbell.lambdas, openbell.workflow.forecast;"
        "import openbell.adapters.dynamo.forecasts, openbell.adapters.s3_archive;"
        f"print(sorted(sys.modules.keys() & {not_needed}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
