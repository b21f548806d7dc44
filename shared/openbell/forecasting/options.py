"""What a forecast may be told, checked when it is built."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
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
    """How forecasts are made. The names of the model's own options are Prophet's.

    Raises OptionError where a value is not allowed.
    """

    horizon: int = 15  # bars ahead
    interval_width: float = 0.8
    engine: Literal["exact", "stan"] = "exact"
    growth: Literal["linear", "flat"] = "linear"
    n_changepoints: int = 25
    changepoint_range: float = 0.8  # share of the history in which the trend may bend
    changepoint_prior_scale: float = 0.05
    yearly_seasonality: Auto | int = "auto"  # Fourier order, or on from 730 days of history
    weekly_seasonality: Auto | int = "auto"
    seasonality_prior_scale: float = 10.0
    seasonality_mode: Literal["additive", "multiplicative"] = "additive"
    holidays: tuple[Holiday, ...] = ()
    holidays_prior_scale: float = 10.0

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            _check(name, getattr(self, name), allowed=allowed, good=getattr(self, name) in allowed)
        for name, (low, high) in _WHOLE.items():
            value = getattr(self, name)
            whole = isinstance(value, int) and low <= value <= high
            _check(name, value, allowed=f"a whole number from {low} to {high}", good=whole or _auto(name, value))
        for name, high in _POSITIVE.items():
            value = getattr(self, name)
            number = isinstance(value, (int, float)) and 0 < value <= high
            _check(name, value, allowed=f"a number above 0, at most {high:g}", good=number)
        _check("interval_width", self.interval_width, allowed="a number below 1", good=self.interval_width < 1)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Options from plain data; OptionError for a name that does not exist."""
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                raise OptionError(f"option {name!r} is unknown; allowed: {', '.join(known)}")
        return replace(cls(), **given)


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "engine": ("exact", "stan"),
    "growth": ("linear", "flat"),
    "seasonality_mode": ("additive", "multiplicative"),
}
_WHOLE = {
    "horizon": (1, MOST_BARS_AHEAD),
    "n_changepoints": (0, 200),
    "yearly_seasonality": (0, 50),
    "weekly_seasonality": (0, 3),
}
_POSITIVE = {
    "interval_width": 1.0,
    "changepoint_range": 1.0,
    "changepoint_prior_scale": 100.0,
    "seasonality_prior_scale": 1000.0,
    "holidays_prior_scale": 1000.0,
}


def _auto(name: str, value: object) -> bool:
    return name.endswith("_seasonality") and value == "auto"


def _check(name: str, value: object, *, allowed: str | tuple[str, ...], good: bool) -> None:
    if not good:
        wanted = allowed if isinstance(allowed, str) else " or ".join(allowed)
        raise OptionError(f"option {name}: {value!r} is not allowed; expected {wanted}")
