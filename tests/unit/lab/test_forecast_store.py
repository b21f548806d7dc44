"""Forecasts are kept on disk by what they are made from."""

from pathlib import Path

import numpy as np
import pandas as pd

from lab.forecasts import ForecastMemory, ForecastStore
from openbell.forecasts import ForecastConfig
from tests.integration.workflow.stage import sample

_SPEC = ForecastConfig(horizon=5, history=100, preset="raw")


def closes() -> pd.DataFrame:
    days = pd.DatetimeIndex(sample().sessions[-200:])
    return pd.DataFrame(sample().bars.close[-200:, :3], days, ["AAPL", "AMD", "BAC"])


def test_a_second_backtest_reads_what_the_first_has_made(tmp_path: Path) -> None:
    first, second = ForecastStore(tmp_path), ForecastStore(tmp_path)
    made = first.get(closes(), ["AAPL", "BAC"], _SPEC)
    assert second.get(closes(), ["AAPL", "BAC"], _SPEC) == made
    assert (first.made, first.read) == (2, 0)
    assert (second.made, second.read) == (0, 2)
    assert set(made.made) == {"AAPL", "BAC"}


def test_other_closes_or_options_are_other_forecasts(tmp_path: Path) -> None:
    store = ForecastStore(tmp_path)
    store.get(closes(), ["AAPL"], _SPEC)
    changed = closes()
    changed.loc[changed.index[-1], "AAPL"] = 1.0
    store.get(changed, ["AAPL"], _SPEC)
    store.get(closes(), ["AAPL"], ForecastConfig(horizon=6, history=100, preset="raw"))
    assert store.made == 3


def test_bars_before_those_that_are_used_make_no_difference(tmp_path: Path) -> None:
    store = ForecastStore(tmp_path)
    store.get(closes(), ["AAPL"], _SPEC)
    changed = closes()
    changed.loc[changed.index[0], "AAPL"] = 1.0
    store.get(changed, ["AAPL"], _SPEC)
    assert (store.made, store.read) == (1, 1)


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    made = ForecastStore(tmp_path).get(closes(), ["AAPL"], _SPEC)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:50])
    again = ForecastStore(tmp_path)
    assert again.get(closes(), ["AAPL"], _SPEC) == made
    assert again.made == 1


def test_a_ticker_without_a_forecast_is_kept_with_its_reason(tmp_path: Path) -> None:
    frame = closes()
    frame["AMD"] = np.nan
    first = ForecastStore(tmp_path).get(frame, ["AAPL", "AMD"], _SPEC)
    assert set(first.made) == {"AAPL"}
    assert set(first.failed) == {"AMD"}
    assert ForecastStore(tmp_path).get(frame, ["AAPL", "AMD"], _SPEC) == first


def test_a_process_that_plays_many_trials_makes_each_forecast_once() -> None:
    memory = ForecastMemory(most_bytes=1_000_000)
    assert memory.get(closes(), ["AAPL"], _SPEC) == memory.get(closes(), ["AAPL"], _SPEC)
    assert (memory.made, memory.read) == (1, 1)


def test_a_full_memory_makes_them_each_time() -> None:
    memory = ForecastMemory(most_bytes=10)  # less than one takes
    assert memory.get(closes(), ["AAPL"], _SPEC) == memory.get(closes(), ["AAPL"], _SPEC)
    assert (memory.made, memory.read) == (2, 0)
