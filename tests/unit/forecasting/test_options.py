"""What a forecast may be told."""

from datetime import date
from typing import Any

import pytest

from openbell.forecasting.options import ForecastOptions, Holiday, OptionError


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("horizon", 0, "from 1 to 252"),
        ("horizon", 253, "from 1 to 252"),
        ("horizon", 5.0, "a whole number"),
        ("horizon", True, "a whole number"),
        ("interval_width", 1.0, "from 0.01 to 0.99"),
        ("engine", "numpy", "exact or stan"),
        ("growth", "logistic", "linear or flat"),
        ("changepoint_prior_scale", 0, "from 0.0001 to 100"),
        ("yearly_seasonality", "on", "from 0 to 50"),
        ("weekly_seasonality", 4, "from 0 to 3"),
        ("damping", float("nan"), "from 0.1 to 1"),
        ("history", 5, "from 10"),
        ("intervals", "bootstrap", "conformal or model"),
    ],
)
def test_a_value_out_of_range_is_refused_with_what_is_allowed(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(OptionError, match=f"option {name}: .* is not allowed; expected .*{allowed}"):
        ForecastOptions(**{name: value})


def test_an_unknown_option_is_refused_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match="option 'horizont' is unknown; allowed: horizon, interval_width"):
        ForecastOptions.preset("raw", horizont=5)


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match="preset 'best' is unknown; allowed: calibrated, raw"):
        ForecastOptions.preset("best")


def test_conformal_intervals_need_scored_bars() -> None:
    with pytest.raises(OptionError, match="option calibration: 0 is not allowed; expected past bars"):
        ForecastOptions(calibration=0)


def test_the_calibrated_preset_is_the_default() -> None:
    assert ForecastOptions.preset("calibrated", horizon=3) == ForecastOptions(horizon=3)


def test_raw_keeps_prophets_defaults_and_takes_changes() -> None:
    raw = ForecastOptions.preset("raw", changepoint_prior_scale=0.5)
    assert (raw.changepoint_prior_scale, raw.anchor, raw.log_prices, raw.intervals) == (0.5, 0.0, False, "model")


def test_a_holiday_window_contains_its_day() -> None:
    with pytest.raises(OptionError, match="holiday split: the window must run from 0 or less to 0 or more, got 1 to 2"):
        Holiday("split", (date(2020, 8, 31),), lower_window=1, upper_window=2)
