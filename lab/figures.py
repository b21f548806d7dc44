"""All figures of a backtest in one value: what the table, the tear sheet and the JSON answer are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import numpy as np

from lab import metrics
from lab.accuracy import HorizonAccuracy
from lab.curves import Curve, CurveMaker
from lab.membership import Coverage, coverage
from lab.metrics import Drawdown
from lab.outcome import Outcome, Refusal, RunFailure, StrategyFailure
from lab.sharpe import bootstrap_interval, probabilistic_sharpe
from lab.trades import (
    BookedFill,
    RoundTrip,
    TradeFigures,
    by_strategy,
    commission_of,
    fills_of,
    round_trips,
    trade_figures,
)
from openbell.codec import to_plain
from openbell.model import OrderStatus
from paper import History

_SENSITIVITY_BPS = (0, 1, 2, 5, 10, 20, 50)


@dataclass(frozen=True)
class Performance:
    """Figures of one curve; fractions unless named otherwise."""

    start: float  # USD
    end: float  # USD
    total_return: float
    cagr: float
    volatility: float
    sharpe: float
    sortino: float
    calmar: float
    omega: float
    max_drawdown: float
    value_at_risk: float  # of a day, 5 %
    expected_shortfall: float
    skew: float
    best_day: float
    worst_day: float
    exposure: float  # mean invested share
    turnover: float  # a year


@dataclass(frozen=True)
class Against:
    """Figures against buy-and-hold."""

    alpha: float
    beta: float
    information_ratio: float
    cagr_difference: float

    @property
    def beaten(self) -> bool:
        """Whether buy-and-hold was beaten in growth a year, after costs."""
        return self.cagr_difference > 0


@dataclass(frozen=True)
class Costs:
    """USD. `slippage` is what fills at the market paid against the price that was printed."""

    commission: float
    slippage: float
    traded: float

    @property
    def total(self) -> float:
        """USD."""
        return self.commission + self.slippage


@dataclass(frozen=True)
class AtCost:
    """What the account would have made with another commission, all else the same."""

    cost_bps: float
    cagr: float
    sharpe: float
    end: float  # USD


@dataclass(frozen=True)
class StrategyFigures:
    """One strategy on its own capital."""

    performance: Performance
    against: Against
    contribution: float  # to the account's total return
    trades: TradeFigures
    costs: Costs
    signals: int


@dataclass(frozen=True)
class Provenance:
    """What has to be the same for the figures to be the same."""

    data_hash: str
    data: str  # in words
    seed: int  # of the bootstrap; nothing else is left to chance
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Figures:
    """Everything that is told of a backtest. Curves are kept beside the numbers for those who draw them."""

    sessions: tuple[date, ...]
    account: Performance
    benchmark: Performance
    benchmark_symbols: tuple[str, ...]
    against: Against
    sharpe_interval: tuple[float, float]  # 95 % of the bootstrap's samples
    probabilistic_sharpe: float  # the chance that the account's true Sharpe ratio is above 0
    drawdowns: tuple[Drawdown, ...]
    monthly: Mapping[tuple[int, int], float]
    strategies: Mapping[str, StrategyFigures]
    trades: TradeFigures
    costs: Costs
    sensitivity: tuple[AtCost, ...]
    rejected_orders: int
    refusals: tuple[Refusal, ...]
    run_failures: tuple[RunFailure, ...]
    strategy_failures: tuple[StrategyFailure, ...]
    runs: int  # that were due
    empty_universes: tuple[str, ...]  # strategies that never had a symbol to look at
    accuracy: Mapping[str, tuple[HorizonAccuracy, ...]]
    provenance: Provenance
    curves: Mapping[str, Curve]  # by strategy
    account_curve: Curve
    benchmark_curve: Curve
    trips: tuple[RoundTrip, ...]
    membership: Coverage | None  # None: candidates were all symbols of the data
    idle: float  # share of the account that was in no sleeve at the start
    anything_ran: bool  # whether a strategy completed a run


def figures_of(outcome: Outcome, history: History, cost_bps: Decimal, provenance: Provenance) -> Figures:
    """The figures after a commission of `cost_bps` of every fill's value, which the strategies' sizing does not see."""
    fills = fills_of(outcome)
    maker = CurveMaker(outcome, history, fills, cost_bps)
    account, (benchmark, symbols) = maker.account(), maker.buy_and_hold()
    curves = {name: maker.strategy(name) for name in outcome.start_cash}
    last = {fill.symbol: float(maker.closes(fill.symbol)[-1]) for fill in fills}
    trips = round_trips(fills, cost_bps, last)
    slippage = outcome.settings.slippage_bps
    returns = metrics.returns_of(account.values)
    return Figures(
        sessions=outcome.sessions,
        account=performance(account),
        benchmark=performance(benchmark),
        benchmark_symbols=symbols,
        against=against(account, benchmark),
        sharpe_interval=bootstrap_interval(returns, seed=provenance.seed),
        probabilistic_sharpe=probabilistic_sharpe(returns),
        drawdowns=tuple(metrics.drawdowns(account.equity, outcome.sessions)),
        monthly=metrics.monthly_returns(account.equity, outcome.sessions, account.start),
        strategies={
            name: StrategyFigures(
                performance=performance(curve),
                against=against(curve, benchmark),
                contribution=(float(curve.equity[-1]) - curve.start) / account.start,
                trades=trade_figures(by_strategy(trips).get(name, [])),
                costs=costs([fill for fill in fills if fill.strategy == name], cost_bps, slippage),
                signals=outcome.signals.get(name, 0),
            )
            for name, curve in curves.items()
        },
        trades=trade_figures(trips),
        costs=costs(fills, cost_bps, slippage),
        sensitivity=tuple(at_cost(account, bps) for bps in sorted({*map(float, _SENSITIVITY_BPS), float(cost_bps)})),
        rejected_orders=sum(
            dated.order.status is OrderStatus.REJECTED and not dated.order.protective for dated in outcome.orders
        ),
        refusals=outcome.refusals,
        run_failures=outcome.run_failures,
        strategy_failures=outcome.strategy_failures,
        runs=outcome.runs,
        empty_universes=_empty_universes(outcome),
        accuracy=outcome.accuracy,
        provenance=provenance,
        curves=curves,
        account_curve=account,
        benchmark_curve=benchmark,
        trips=tuple(trips),
        membership=_coverage(outcome, history),
        idle=1 - sum(map(float, outcome.start_cash.values())) / account.start,
        anything_ran=bool(outcome.signals),
    )


def _coverage(outcome: Outcome, history: History) -> Coverage | None:
    members = outcome.settings.members
    return coverage(members, outcome.sessions, history.symbols) if members else None


def _empty_universes(outcome: Outcome) -> tuple[str, ...]:
    failed = {failure.strategy for failure in outcome.strategy_failures}
    return tuple(name for name, size in outcome.universe_sizes.items() if size == 0 and name not in failed)


def performance(curve: Curve) -> Performance:
    """The figures of one curve."""
    returns = metrics.returns_of(curve.values)
    return Performance(
        start=curve.start,
        end=float(curve.equity[-1]),
        total_return=metrics.total_return(returns),
        cagr=metrics.cagr(returns),
        volatility=metrics.volatility(returns),
        sharpe=metrics.sharpe(returns),
        sortino=metrics.sortino(returns),
        calmar=metrics.calmar(returns),
        omega=metrics.omega(returns),
        max_drawdown=metrics.max_drawdown(returns),
        value_at_risk=metrics.value_at_risk(returns),
        expected_shortfall=metrics.expected_shortfall(returns),
        skew=metrics.skewness(returns),
        best_day=float(returns.max()),
        worst_day=float(returns.min()),
        exposure=float(curve.exposure.mean()),
        turnover=curve.turnover,
    )


def against(curve: Curve, benchmark: Curve) -> Against:
    """The figures of one curve against another."""
    ours, theirs = metrics.returns_of(curve.values), metrics.returns_of(benchmark.values)
    return Against(
        metrics.alpha(ours, theirs),
        metrics.beta(ours, theirs),
        metrics.information_ratio(ours, theirs),
        metrics.cagr(ours) - metrics.cagr(theirs),
    )


def costs(fills: Sequence[BookedFill], cost_bps: Decimal, slippage_bps: Decimal) -> Costs:
    """What fills cost: a buy for 100.02 with 2 bps of slippage paid 0.02 of it for slippage."""
    rate = slippage_bps / 10_000
    slippage = sum(float(f.value * rate / (1 + f.side.sign * rate)) for f in fills if f.at_the_market)
    traded = sum(float(fill.value) for fill in fills if fill.kind is not None)
    return Costs(sum(commission_of(fill, cost_bps) for fill in fills), slippage, traded)


def at_cost(account: Curve, cost_bps: float) -> AtCost:
    """The account with another commission in place of its own."""
    before = account.equity + np.cumsum(account.commission)
    equity = before - np.cumsum(account.traded) * cost_bps / 10_000
    returns = metrics.returns_of(np.concatenate([[account.start], np.maximum(equity, 0.0)]))
    return AtCost(cost_bps, metrics.cagr(returns), metrics.sharpe(returns), float(equity[-1]))


def data_hash(history: History) -> str:
    """A short name that equal histories share: symbols, sessions, splits and every price."""
    actions = (history.splits, *((history.dividends,) if history.dividends else ()))
    digest = sha256(repr((history.symbols, history.sessions, *actions)).encode())
    for name, array in sorted(vars(history.bars).items()):
        if array is not None:
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def to_answer(figures: Figures) -> dict[str, Any]:
    """The figures as JSON-able data: fractions as numbers, what is not known as null, curves as USD by session."""
    hidden = {"curves", "account_curve", "benchmark_curve", "trips", "monthly", "sessions"}
    content = {name: to_plain(value) for name, value in vars(figures).items() if name not in hidden}
    content["monthly"] = {f"{year}-{month:02d}": value for (year, month), value in figures.monthly.items()}
    content["trips"] = to_plain(list(figures.trips))
    content["curves"] = {
        "sessions": [day.isoformat() for day in figures.sessions],
        "account": _rounded(figures.account_curve),
        "buy_and_hold": _rounded(figures.benchmark_curve),
        **{name: _rounded(curve) for name, curve in figures.curves.items()},
    }
    known: dict[str, Any] = _without_nan(content)
    return known


def _rounded(curve: Curve) -> list[float]:
    return [round(float(value), 2) for value in curve.equity]


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
