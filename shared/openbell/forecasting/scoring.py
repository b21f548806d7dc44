"""How good stored forecasts were, once their bars have arrived."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np


@dataclass(frozen=True)
class MadeForecast:
    """A forecast as it was stored; prices in USD, one value a session.

    `naive_scale` is the mean absolute change of one bar in the history behind it (see `naive_scale`), the unit of MASE.
    """

    strategy: str
    ticker: str
    last_close: float
    sessions: tuple[date, ...]
    yhat: tuple[float, ...]
    yhat_lower: tuple[float, ...]
    yhat_upper: tuple[float, ...]
    interval_width: float
    naive_scale: float

    def __post_init__(self) -> None:
        if not len(self.sessions) == len(self.yhat) == len(self.yhat_lower) == len(self.yhat_upper):
            raise ValueError(f"{self.ticker}: sessions, yhat, yhat_lower and yhat_upper must have one value a bar each")
        if not (self.last_close > 0 and self.naive_scale > 0):
            raise ValueError(
                f"{self.ticker}: last_close and naive_scale must be above 0, "
                f"got {self.last_close} and {self.naive_scale}"
            )


@dataclass(frozen=True)
class BarScore:
    """One forecast of one bar against its close. Ratios are fractions.

    `percentage_error` is absolute, of the close. `scaled_error` and `naive_scaled_error` are those of the forecast and
    of the last close in units of the naive scale: their means are MASE. `hit`: whether the direction was right, None
    if either did not move. `covered`: whether the close lay in the interval. `pinball`: mean loss of the interval's
    two ends as quantiles, as a fraction of the last close.
    """

    strategy: str
    ticker: str
    session: date
    horizon: int
    percentage_error: float
    scaled_error: float
    naive_scaled_error: float
    hit: bool | None
    covered: bool
    pinball: float


@dataclass(frozen=True)
class Accuracy:
    """Means over `bars` scores. `hit_rate` is NaN if nothing moved."""

    bars: int
    mape: float
    mase: float
    naive_mase: float
    hit_rate: float
    coverage: float
    pinball: float

    @property
    def skill(self) -> float:
        """How much smaller the error is than that of "tomorrow equals today", as a fraction."""
        return 1 - self.mase / self.naive_mase if self.naive_mase > 0 else float("nan")


def naive_scale(closes: Sequence[float]) -> float:
    """Mean absolute change from bar to bar (USD); 10, 11, 9: (1 + 2) / 2 = 1.5. ValueError if there is none."""
    if len(closes) < 2:  # noqa: PLR2004
        raise ValueError(f"a naive scale needs at least 2 closes, got {len(closes)}")
    scale = float(np.abs(np.diff(np.asarray(closes, dtype=np.float64))).mean())
    if not scale > 0:
        raise ValueError(f"a naive scale needs closes that move; all {len(closes)} are {closes[0]}")
    return scale


def score(forecast: MadeForecast, closes: Mapping[date, float]) -> list[BarScore]:
    """Scores of the forecast's bars whose close (USD by session) has arrived, in the order of the sessions."""
    return [
        _score_bar(forecast, position, closes[session])
        for position, session in enumerate(forecast.sessions)
        if session in closes
    ]


def _score_bar(forecast: MadeForecast, position: int, close: float) -> BarScore:
    error = abs(close - forecast.yhat[position])
    expected = np.sign(forecast.yhat[position] - forecast.last_close)
    moved = np.sign(close - forecast.last_close)
    lower, upper = forecast.yhat_lower[position], forecast.yhat_upper[position]
    tail = (1 - forecast.interval_width) / 2
    loss = (quantile_loss(close, lower, tail) + quantile_loss(close, upper, 1 - tail)) / 2
    return BarScore(
        strategy=forecast.strategy,
        ticker=forecast.ticker,
        session=forecast.sessions[position],
        horizon=position + 1,
        percentage_error=error / close,
        scaled_error=error / forecast.naive_scale,
        naive_scaled_error=abs(close - forecast.last_close) / forecast.naive_scale,
        hit=bool(expected == moved) if expected and moved else None,
        covered=lower <= close <= upper,
        pinball=loss / forecast.last_close,
    )


def quantile_loss(value: float, quantile: float, level: float) -> float:
    """Pinball loss of `quantile` at `level`; value 12, quantile 10, level 0.9: 0.9 * 2 = 1.8."""
    return level * (value - quantile) if value >= quantile else (1 - level) * (quantile - value)


def summarise(scores: Sequence[BarScore]) -> Accuracy:
    """The means of `scores`; ValueError if there are none."""
    if not scores:
        raise ValueError("no scores to summarise: no forecast bar has met its close yet")
    hits = [one.hit for one in scores if one.hit is not None]
    return Accuracy(
        bars=len(scores),
        mape=_mean(one.percentage_error for one in scores),
        mase=_mean(one.scaled_error for one in scores),
        naive_mase=_mean(one.naive_scaled_error for one in scores),
        hit_rate=_mean(hits) if hits else float("nan"),
        coverage=_mean(one.covered for one in scores),
        pinball=_mean(one.pinball for one in scores),
    )


def rolling_accuracy(scores: Iterable[BarScore], sessions: int) -> dict[tuple[str, int], dict[date, Accuracy]]:
    """Accuracy by strategy and horizon, at each session over the scores of the `sessions` sessions up to it.

    Sessions without a score do not count as one of them. The order of `scores` has no effect.
    """
    groups: dict[tuple[str, int], dict[date, list[BarScore]]] = {}
    for one in sorted(scores, key=lambda one: (one.session, one.ticker)):
        groups.setdefault((one.strategy, one.horizon), {}).setdefault(one.session, []).append(one)
    return {key: _rolling(by_session, sessions) for key, by_session in sorted(groups.items())}


def _rolling(by_session: Mapping[date, Sequence[BarScore]], sessions: int) -> dict[date, Accuracy]:
    dates = list(by_session)
    return {
        end: summarise([one for day in dates[max(0, last + 1 - sessions) : last + 1] for one in by_session[day]])
        for last, end in enumerate(dates)
    }


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
