"""Prophet's features of one date grid: scaled time, changepoints, Fourier terms and holidays, without pandas.

Column order, rounding and automatic seasonalities are those of prophet 1.5.0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from openbell.forecasting.arrays import Days, Floats
from openbell.forecasting.options import Auto, ForecastOptions, Holiday

_YEARLY = (365.25, 10)  # period in days, Fourier order
_WEEKLY = (7.0, 3)
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Seasonality:
    """Fourier terms of one period (days)."""

    name: str
    period: float
    order: int


@dataclass(frozen=True)
class Design:
    """Everything about a fit that depends on its dates and options alone, so that tickers can share it.

    `days`: days since 1970-01-01, `(n,)`. `t`: time scaled to [0, 1], `(n,)`. `changepoints`: in scaled time, `(S,)`;
    without any, Prophet's dummy at 0. `ramps`: `max(t - changepoint, 0)`, `(n, S)`. `features`: seasonality and holiday
    columns, `(n, K)`, zeros in one column if there are none. `scales`: prior scale of each feature, `(K,)`.
    """

    options: ForecastOptions
    days: Days
    t: Floats
    changepoints: Floats
    ramps: Floats
    seasonalities: tuple[Seasonality, ...]
    features: Floats
    scales: Floats

    @property
    def flat(self) -> bool:
        """Whether the trend is a constant."""
        return self.options.growth == "flat"

    def scaled_time(self, days: Days) -> Floats:
        """Scaled time of other days; above 1 lies the future."""
        return np.asarray((days - self.days[0]) / (self.days[-1] - self.days[0]), dtype=np.float64)

    def features_at(self, days: Days) -> Floats:
        """The feature columns of other days, `(len(days), K)`."""
        return _features(days, self.seasonalities, self.options.holidays)


def build_design(days: Days, options: ForecastOptions) -> Design:
    """The design of ascending, distinct `days` (days since 1970-01-01); at least two are needed."""
    t = np.asarray((days - days[0]) / (days[-1] - days[0]), dtype=np.float64)
    changepoints = _changepoints(t, options)
    seasonalities = _seasonalities(days, options)
    features = _features(days, seasonalities, options.holidays)
    return Design(
        options=options,
        days=days,
        t=t,
        changepoints=changepoints,
        ramps=ramps_at(t, changepoints),
        seasonalities=seasonalities,
        features=features,
        scales=_prior_scales(seasonalities, options),
    )


def ramps_at(t: Floats, changepoints: Floats) -> Floats:
    """What one unit of each rate change adds to the trend at `t`: `(len(t), S)`."""
    return np.maximum(t[:, None] - changepoints[None, :], 0.0)


def _changepoints(t: Floats, options: ForecastOptions) -> Floats:
    """Evenly spaced bars of the first part of the history, as Prophet.set_changepoints places them."""
    size = int(np.floor(len(t) * options.changepoint_range))
    count = min(options.n_changepoints, size - 1)
    if count <= 0:
        return np.zeros(1)
    indexes = np.linspace(0, size - 1, count + 1).round().astype(int)
    return np.asarray(t[indexes[1:]], dtype=np.float64)


def _seasonalities(days: Days, options: ForecastOptions) -> tuple[Seasonality, ...]:
    """Yearly from 730 days of history on, weekly from two weeks on, unless the options say otherwise."""
    span = int(days[-1] - days[0])
    spacing = int(np.diff(days).min())
    yearly = _order(options.yearly_seasonality, _YEARLY[1], enabled=span >= 730)  # noqa: PLR2004
    weekly = _order(options.weekly_seasonality, _WEEKLY[1], enabled=span >= 14 and spacing < 7)  # noqa: PLR2004
    chosen = (Seasonality("yearly", _YEARLY[0], yearly), Seasonality("weekly", _WEEKLY[0], weekly))
    return tuple(seasonality for seasonality in chosen if seasonality.order > 0)


def _order(setting: Auto | int, default: int, *, enabled: bool) -> int:
    if setting == "auto":
        return default if enabled else 0
    if isinstance(setting, bool):
        return default if setting else 0
    return setting


def _features(days: Days, seasonalities: Sequence[Seasonality], holidays: Sequence[Holiday]) -> Floats:
    blocks = [_fourier(days, seasonality) for seasonality in seasonalities]
    blocks += [_occurrences(days, holiday, offset)[:, None] for _, holiday, offset in _holiday_columns(holidays)]
    return np.hstack(blocks) if blocks else np.zeros((len(days), 1))


def _fourier(days: Days, seasonality: Seasonality) -> Floats:
    """Sine and cosine of each harmonic in turn, in the order of multiplications that Prophet uses."""
    angle = np.pi * 2 * days.astype(np.float64)
    columns = np.empty((len(days), 2 * seasonality.order))
    for harmonic in range(seasonality.order):
        phase = (harmonic + 1) / seasonality.period * angle
        columns[:, 2 * harmonic] = np.sin(phase)
        columns[:, 2 * harmonic + 1] = np.cos(phase)
    return columns


def _holiday_columns(holidays: Sequence[Holiday]) -> list[tuple[str, Holiday, int]]:
    """One column for each holiday and day of its window, sorted by Prophet's column name."""
    columns = [
        (f"{holiday.name}_delim_{'+' if offset >= 0 else '-'}{abs(offset)}", holiday, offset)
        for holiday in holidays
        for offset in range(holiday.lower_window, holiday.upper_window + 1)
    ]
    return sorted(columns, key=lambda column: column[0])


def _occurrences(days: Days, holiday: Holiday, offset: int) -> Floats:
    dates = [(day + timedelta(days=offset) - _EPOCH).days for day in holiday.dates]
    return np.isin(days, np.array(dates, dtype=np.int64)).astype(np.float64)


def _prior_scales(seasonalities: Sequence[Seasonality], options: ForecastOptions) -> Floats:
    scales = [options.seasonality_prior_scale] * sum(2 * seasonality.order for seasonality in seasonalities)
    scales += [
        options.holidays_prior_scale if holiday.prior_scale is None else holiday.prior_scale
        for _, holiday, _ in _holiday_columns(options.holidays)
    ]
    return np.array(scales or [1.0], dtype=np.float64)
