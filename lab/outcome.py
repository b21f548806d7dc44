"""What a backtest tells of itself when it is over, and how that is gathered on the way."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from lab.accuracy import ForecastScores, HorizonAccuracy
from lab.closes import Closes
from lab.membership import Membership
from lab.quick_run import Ran
from openbell.model import Cut, Order

type Every = Literal["1d", "1w"]


@dataclass(frozen=True)
class BacktestSettings:
    """What to play. `first` and `last` are dates, both included; `cash` in USD."""

    first: date
    last: date
    every: Every = "1d"  # one run a session, or one on the first session of a week
    at: time = time(15)  # New York
    cash: Decimal = Decimal(100_000)
    slippage_bps: Decimal = Decimal(2)  # how much worse than the price the exchange fills
    members: Membership | None = None  # candidates are these on each day; None: every symbol of the data


@dataclass(frozen=True)
class RunFailure:
    """Runs that came to nothing for one kind of reason."""

    error: str  # its class
    message: str  # of the first
    days: tuple[date, ...]


@dataclass(frozen=True)
class StrategyFailure:
    """Runs in which one strategy failed, and kept its holdings."""

    strategy: str
    message: str  # of the first
    days: tuple[date, ...]


@dataclass(frozen=True)
class Refusal:
    """Signals of one strategy that became no trade, or a smaller one, by one rule."""

    strategy: str
    rule: str
    count: int
    example: Cut


@dataclass(frozen=True)
class DatedOrder:
    """An order with the session of its run, and the instants of the entry's and of each leg's last fill."""

    day: date
    order: Order
    filled_at: datetime | None
    legs_filled_at: Mapping[str, datetime]  # by the broker's id


@dataclass(frozen=True)
class DatedCross:
    """Shares that passed between two strategies; `value` in USD."""

    day: date
    symbol: str
    seller: str
    buyer: str
    qty: Decimal
    value: Decimal


@dataclass(frozen=True)
class Outcome:
    """What happened. `equity` (USD) is the account's at the close of each of `sessions`."""

    settings: BacktestSettings
    sessions: tuple[date, ...]
    equity: tuple[Decimal, ...]
    runs: int  # that were due
    asked: int  # in which the strategies were asked; in all others they would have been silent
    closed: int  # due after an early close: the market was shut
    start_cash: Mapping[str, Decimal]  # of each strategy's sleeve, when it was opened
    orders: tuple[DatedOrder, ...]
    crosses: tuple[DatedCross, ...]
    signals: Mapping[str, int]  # by strategy that completed a run
    universe_sizes: Mapping[str, int]  # by strategy, the largest
    refusals: tuple[Refusal, ...]
    run_failures: tuple[RunFailure, ...]
    strategy_failures: tuple[StrategyFailure, ...]
    accuracy: Mapping[str, tuple[HorizonAccuracy, ...]]  # by strategy that made forecasts
    fills: str  # how the exchange prices fills


@dataclass
class Record:
    """What is noted of each run."""

    asked: int = 0
    start_cash: dict[str, Decimal] = field(default_factory=dict)
    run_days: dict[str, date] = field(default_factory=dict)  # by run id
    crosses: list[DatedCross] = field(default_factory=list)
    signals: Counter[str] = field(default_factory=Counter)
    universe_sizes: dict[str, int] = field(default_factory=dict)
    accuracy: dict[str, ForecastScores] = field(default_factory=dict)
    _cuts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _first_cuts: dict[tuple[str, str], Cut] = field(default_factory=dict)
    _run_failures: dict[str, list[tuple[date, str]]] = field(default_factory=dict)
    _strategy_failures: dict[str, list[tuple[date, str]]] = field(default_factory=dict)

    def note(self, day: date, ran: Ran, closes: Closes) -> None:
        """A run that was completed; `closes` tell how its forecasts fared."""
        decisions = ran.decisions
        for name, sleeve in ran.inputs.sleeves.items():
            self.start_cash.setdefault(name, sleeve.cash)
        self.run_days[ran.inputs.run_id] = day
        self.crosses += [
            DatedCross(day, c.symbol, c.seller, c.buyer, c.qty, c.qty * c.price) for c in decisions.plan.crosses
        ]
        for name, signals in decisions.signals.items():
            self.signals[name] += len(signals)
        for name, symbols in decisions.universe.items():
            self.universe_sizes[name] = max(self.universe_sizes.get(name, 0), len(symbols))
        for cut in decisions.plan.cuts:
            self._cuts[cut.strategy, cut.rule] += 1
            self._first_cuts.setdefault((cut.strategy, cut.rule), cut)
        for name, message in decisions.failed_strategies.items():
            self._strategy_failures.setdefault(name, []).append((day, message))
        self._score(day, ran, closes)

    def note_failure(self, day: date, error: Exception) -> None:
        """A run that came to nothing."""
        self._run_failures.setdefault(type(error).__name__, []).append((day, str(error)))

    def _score(self, day: date, ran: Ran, closes: Closes) -> None:
        for name, forecasts in ran.forecasts.items():
            horizon = ran.inputs.config.strategies[name].forecast.horizon
            ahead = closes.values[closes.row_of(day) : closes.row_of(day) + horizon]
            following = {symbol: ahead[:, closes.columns[symbol]] for symbol in forecasts}
            self.accuracy.setdefault(name, ForecastScores(horizon)).add(forecasts.values(), following)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """By strategy and rule."""
        return tuple(Refusal(*key, count, self._first_cuts[key]) for key, count in sorted(self._cuts.items()))

    @property
    def run_failures(self) -> tuple[RunFailure, ...]:
        """By error, in the order of the first of each."""
        return tuple(
            RunFailure(error, found[0][1], tuple(day for day, _ in found))
            for error, found in self._run_failures.items()
        )

    @property
    def strategy_failures(self) -> tuple[StrategyFailure, ...]:
        """By strategy."""
        return tuple(
            StrategyFailure(name, found[0][1], tuple(day for day, _ in found))
            for name, found in sorted(self._strategy_failures.items())
        )
