"""What a forecast may be told, checked when it is built."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal, Self

Auto = Literal["auto"]

MOST_BARS_AHEAD = 252


class OptionError(ValueError):
    """An option is unknown or out of its range; the message names the option and what is allowed."""


@dataclass(frozen=True)
class Holiday:
    """Days on which the price may differ, with the days around them (window offsets in days)."""

    name: str
    dates: tuple[date, ...]
    lower_window: int = 0
    upper_window: int = 0
    prior_scale: float | None = None  # None: the options' holidays_prior_scale

    def __post_init__(self) -> None:
        if not self.lower_window <= 0 <= self.upper_window:
            raise OptionError(
                f"holiday {self.name}: the window must run from 0 or less to 0 or more, "
                f"got {self.lower_window} to {self.upper_window}"
            )
        if self.prior_scale is not None and not self.prior_scale > 0:
            raise OptionError(f"holiday {self.name}: prior_scale must be above 0, got {self.prior_scale}")


@dataclass(frozen=True)
class ForecastOptions:
    """How forecasts are made. The first group are Prophet's own options; the defaults are the preset `calibrated`.

    Raises OptionError where a value is not allowed.
    """

    horizon: int = 15  # bars ahead
    interval_width: float = 0.8
    engine: Literal["exact", "stan"] = "exact"
    growth: Literal["linear", "flat"] = "linear"
    n_changepoints: int = 25
    changepoint_range: float = 0.8  # share of the history in which the trend may bend
    changepoint_prior_scale: float = 0.005
    yearly_seasonality: Auto | int = 0  # Fourier order; auto: 10 from 730 days of history on
    weekly_seasonality: Auto | int = 0  # Fourier order; auto: 3 from two weeks of history on
    seasonality_prior_scale: float = 10.0
    seasonality_mode: Literal["additive", "multiplicative"] = "additive"
    holidays: tuple[Holiday, ...] = ()
    holidays_prior_scale: float = 10.0

    history: int | None = 504  # bars fitted; None: all that are given
    log_prices: bool = True  # fit logarithms, centred on their mean
    anchor: float = (
        1.0  # share of the gap between price and fit that each bar keeps; 1: forecasts start at the last close
    )
    damping: float = 0.9  # factor a bar on the expected changes
    trend_weight: float = 0.5  # share of the expected change that is believed; 0 is the naive forecast
    learn_weight: bool = True  # move that share by how past expectations did
    calibration: int = 252  # past bars whose forecasts are scored; 0: none
    refit_every: int = 42  # bars between the fits behind those forecasts
    intervals: Literal["conformal", "model"] = "conformal"  # from past errors, or from the model's own noise

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            _check(name, getattr(self, name), " or ".join(choices), good=getattr(self, name) in choices)
        for name, (low, high) in _WHOLE.items():
            value = getattr(self, name)
            whole = type(value) is int and low <= value <= high
            _check(name, value, f"a whole number from {low} to {high}", good=whole or value in _ALSO.get(name, ()))
        for name, (lowest, highest) in _RANGES.items():
            value = getattr(self, name)
            number = isinstance(value, (int, float)) and lowest <= value <= highest
            _check(name, value, f"a number from {lowest:g} to {highest:g}", good=number)
        scored = self.calibration > 0 or not (self.learn_weight or self.intervals == "conformal")
        _check("calibration", self.calibration, "past bars for learn_weight and conformal intervals", good=scored)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The options that `name` stands for, with `changes`; OptionError for a name that does not exist."""
        if name not in _PRESETS:
            raise OptionError(f"preset {name!r} is unknown; allowed: {', '.join(_PRESETS)}")
        given = {**_PRESETS[name], **changes}
        known = [field.name for field in fields(cls)]
        for option in given:
            if option not in known:
                raise OptionError(f"option {option!r} is unknown; allowed: {', '.join(known)}")
        return cls(**given)


_RAW: Mapping[str, Any] = {  # what Prophet does with its defaults
    "changepoint_prior_scale": 0.05,
    "yearly_seasonality": "auto",
    "weekly_seasonality": "auto",
    "history": None,
    "log_prices": False,
    "anchor": 0.0,
    "damping": 1.0,
    "trend_weight": 1.0,
    "learn_weight": False,
    "calibration": 0,
    "intervals": "model",
}
_PRESETS: Mapping[str, Mapping[str, Any]] = {"calibrated": {}, "raw": _RAW}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "engine": ("exact", "stan"),
    "growth": ("linear", "flat"),
    "seasonality_mode": ("additive", "multiplicative"),
    "intervals": ("conformal", "model"),
}
_WHOLE: Mapping[str, tuple[int, int]] = {
    "horizon": (1, MOST_BARS_AHEAD),
    "n_changepoints": (0, 200),
    "yearly_seasonality": (0, 50),
    "weekly_seasonality": (0, 3),
    "history": (10, 100_000),
    "calibration": (0, 5_000),
    "refit_every": (1, 252),
}
_ALSO: Mapping[str, tuple[object, ...]] = {
    "yearly_seasonality": ("auto",),
    "weekly_seasonality": ("auto",),
    "history": (None,),
}
_RANGES: Mapping[str, tuple[float, float]] = {
    "interval_width": (0.01, 0.99),
    "changepoint_range": (0.0, 1.0),
    "changepoint_prior_scale": (1e-4, 100.0),
    "seasonality_prior_scale": (1e-4, 1000.0),
    "holidays_prior_scale": (1e-4, 1000.0),
    "anchor": (0.0, 1.0),
    "damping": (0.1, 1.0),
    "trend_weight": (0.0, 1.0),
}


def _check(name: str, value: object, allowed: str, *, good: bool) -> None:
    if not good:
        raise OptionError(f"option {name}: {value!r} is not allowed; expected {allowed}")
