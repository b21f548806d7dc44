"""One trial: a strategy with certain parameters, played over a stretch of history."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from lab import metrics
from lab.backtest import backtest
from lab.curves import CurveMaker
from lab.forecasts import ForecastStore
from lab.membership import Membership
from lab.metrics import YEAR, Floats
from lab.outcome import BacktestSettings, Every, Outcome
from lab.trades import fills_of, round_trips
from openbell.config import PlatformConfig, UniverseConfig
from openbell.errors import OpenbellError
from openbell.forecasts import ForecastConfig
from paper import History


@dataclass(frozen=True)
class Combination:
    """What is tried: parameters of the strategy and keys of its `universe` and `forecast`; all else stays as it is."""

    parameters: Mapping[str, Any]
    universe: Mapping[str, Any] = field(default_factory=dict)
    forecast: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        named = {**self.parameters, **_prefixed("universe", self.universe), **_prefixed("forecast", self.forecast)}
        return ", ".join(f"{name} {value}" for name, value in named.items()) or "as configured"


def _prefixed(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{name}": value for name, value in values.items()}


@dataclass(frozen=True)
class Trial:
    """A combination played from `first` to `last`, both included; earlier bars of the history are its warm-up."""

    strategy: str
    combination: Combination
    first: date
    last: date


@dataclass(frozen=True)
class Terms:
    """What all trials of a search have in common; `cash` in USD."""

    every: Every = "1d"
    cash: Decimal = Decimal(100_000)
    slippage_bps: Decimal = Decimal(2)
    cost_bps: Decimal = Decimal(1)  # commission, of every fill's value
    members: Membership | None = None  # candidates are these on each day; None: every symbol of the data


@dataclass(frozen=True)
class TrialFigures:
    """Of the strategy on its own capital, after commission and slippage; fractions unless said otherwise."""

    sharpe: float  # of a session, not annualised; 0 where the equity never moved
    cagr: float
    max_drawdown: float
    trades: int  # round trips, those that are still open included
    turnover: float  # a year
    final_equity: float  # USD
    packed_returns: str  # a return for each session, as float64 in base64

    @property
    def annual_sharpe(self) -> float:
        """The Sharpe ratio of a year: 0.1 a session is 0.1 * sqrt(252) = 1.59."""
        return float(self.sharpe * YEAR**0.5)

    @property
    def returns(self) -> Floats:
        """The return of each session, `(n_sessions,)`."""
        return np.frombuffer(base64.b64decode(self.packed_returns), dtype=np.float64)


@dataclass(frozen=True)
class TrialResult:
    """What a trial came to: figures, or why there are none."""

    trial: Trial
    figures: TrialFigures | None
    error: str = ""  # empty if there are figures
    troubles: tuple[str, ...] = ()  # runs that came to nothing, although the trial as a whole did not


class NothingPlayed(OpenbellError):
    """In no run of a trial was the strategy able to decide."""


def run_trial(
    history: History,
    config: PlatformConfig,
    trial: Trial,
    terms: Terms,
    store: ForecastStore | None = None,
) -> TrialResult:
    """The trial's figures, by the code that `openbell backtest` runs; equal arguments give equal results.

    `config` has an entry for the strategy, which says all that the trial does not. Whatever goes wrong is told in the
    result, never raised: a trial's trouble is its own.
    """
    try:
        settings = _settings(trial, terms)
        outcome = backtest(history, config_of(config, trial), settings, store or ForecastStore(None))
        figures = _figures(outcome, history, trial.strategy, terms.cost_bps)
    except Exception as error:
        return TrialResult(trial, None, f"{type(error).__name__}: {error}")
    return TrialResult(trial, figures, troubles=_troubles(outcome))


def _settings(trial: Trial, terms: Terms) -> BacktestSettings:
    cash, slippage, members = terms.cash, terms.slippage_bps, terms.members
    return BacktestSettings(trial.first, trial.last, terms.every, cash=cash, slippage_bps=slippage, members=members)


def config_of(config: PlatformConfig, trial: Trial) -> PlatformConfig:
    """The configuration with the trial's strategy alone, and its combination; ConfigError for an unknown strategy."""
    alone = config.only((trial.strategy,))
    entry, chosen = alone.strategies[trial.strategy], trial.combination
    changed = entry.model_copy(
        update={
            "parameters": {**entry.parameters, **chosen.parameters},
            "universe": UniverseConfig.model_validate(entry.universe.model_dump() | dict(chosen.universe)),
            "forecast": ForecastConfig.model_validate(entry.forecast.model_dump() | dict(chosen.forecast)),
        }
    )
    return alone.model_copy(update={"strategies": {trial.strategy: changed}})


def session_sharpe(returns: Floats) -> float:
    """Mean over standard deviation of a session's returns; 0 where nothing moved, which a standstill is worth."""
    annual = metrics.sharpe(returns)
    return 0.0 if np.isnan(annual) else annual / YEAR**0.5


def _figures(outcome: Outcome, history: History, strategy: str, cost_bps: Decimal) -> TrialFigures:
    if strategy not in outcome.signals:
        raise NothingPlayed("; ".join(_troubles(outcome)) or "the market was open in no run")
    fills = fills_of(outcome)
    maker = CurveMaker(outcome, history, fills, cost_bps)
    curve = maker.strategy(strategy)
    returns = metrics.returns_of(curve.values)
    last = {fill.symbol: float(maker.closes(fill.symbol)[-1]) for fill in fills}
    return TrialFigures(
        sharpe=session_sharpe(returns),
        cagr=metrics.cagr(returns),
        max_drawdown=metrics.max_drawdown(returns),
        trades=len(round_trips(fills, cost_bps, last)),
        turnover=0.0 if np.isnan(curve.turnover) else curve.turnover,
        final_equity=float(curve.equity[-1]),
        packed_returns=base64.b64encode(returns.tobytes()).decode(),
    )


def _troubles(outcome: Outcome) -> tuple[str, ...]:
    strategy = [f"{len(f.days)} runs from {f.days[0]}: {f.message}" for f in outcome.strategy_failures]
    whole = [f"{len(f.days)} runs from {f.days[0]}: {f.error}: {f.message}" for f in outcome.run_failures]
    return (*strategy, *whole)
