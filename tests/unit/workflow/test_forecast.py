"""The forecasts of a run."""

from datetime import date

import pandas as pd

from openbell.forecasts import ForecastConfig
from openbell.workflow.forecast import forecast_tickers
from tests.builders import closes


def test_the_bars_ahead_are_the_exchanges_next_sessions() -> None:
    frame = closes({"A": [100.0 + (day * 7 % 11) for day in range(80)]})
    frame.index = pd.bdate_range(end="2022-06-17", periods=80)  # a Friday; Monday was Juneteenth, observed
    (made,), failed = forecast_tickers(frame, ForecastConfig(preset="raw", horizon=3))
    assert failed == {}
    assert made.sessions == (date(2022, 6, 21), date(2022, 6, 22), date(2022, 6, 23))


def test_no_bars_at_all_is_the_tickers_failure() -> None:
    frame = closes({"A": [100.0] * 30}).iloc[:0]
    made, failed = forecast_tickers(frame, ForecastConfig())
    assert made == []
    assert "A" in failed
