"""From prices and forecasts to the plan: the decisions of a run as one pure function.

The AggregateSignals Lambda, the replay and the backtest all call `decide`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandas as pd

from openbell.config import SECONDS_FOR_ALL
from openbell.errors import StrategyFailed
from openbell.forecasts import Forecast
from openbell.model import ZERO, Cut, Plan, QuarantineKind, Side, Signal, Sleeve, Target
from openbell.money import ONE_SHARE, SHARE_QUANTUM
from openbell.portfolio.plan import Means, make_plan
from openbell.portfolio.risk import RiskFacts, limit
from openbell.portfolio.sizing import Sizing, SizingRule, weigh
from openbell.portfolio.trades import changes
from openbell.runs import Decisions, RunInputs, Universes
from openbell.schedules import is_last_tick
from openbell.snapshot import Snapshot
from openbell.strategies import Context, Market, Strategy
from openbell.strategies.asking import Answer, ask_signals, ask_universe, describe


def decide(
    inputs: RunInputs,
    snapshot: Snapshot,
    universes: Universes,
    forecasts: Mapping[str, Mapping[str, Forecast]],
    strategies: Mapping[str, Strategy[Any]],
) -> Decisions:
    """What every due strategy signals, and the one plan that follows: weigh -> limit -> net -> plan.

    `forecasts` are by strategy and symbol.

    A strategy that fails, here or when it was loaded or its universe was selected, keeps its holdings, is named in
    `failed_strategies`, and leaves the others alone. One that could not be loaded is not among `strategies`.
    """
    signals: dict[str, tuple[Signal, ...]] = {}
    failed: dict[str, str] = {}
    targets: list[Target] = []
    unsized: list[Cut] = []
    broken = inputs.quarantined(QuarantineKind.SLEEVE)
    for name in inputs.strategies:
        try:
            if name in broken:
                failed[name] = broken[name]
                continue
            if name in universes.failed and not _leaves_today(name, inputs):
                failed[name] = universes.failed[name]
                continue
            context = _context(name, inputs, snapshot, universes.by_strategy[name], forecasts.get(name, {}))
            answer = _answer(name, inputs, context, strategies)
            wanted, cuts = _weigh(name, inputs, snapshot, answer)
        except StrategyFailed as failure:
            failed[name] = str(failure)
            continue
        except (ValueError, ArithmeticError) as error:  # such as a bracket around a price of a cent
            failed[name] = describe(error)
            continue
        signals[name] = answer.signals
        targets += wanted
        unsized += cuts
    plan = _plan(inputs, snapshot, targets, unsized)
    return Decisions(dict(universes.by_strategy), signals, failed, tuple(targets), plan)


def flatten(inputs: RunInputs, prices: Mapping[str, Decimal], reason: str) -> Plan:
    """The plan that sells all that the sleeves hold. No risk rule holds it back; nothing is crossed.

    What is quarantined stays, and is named in the plan's cuts. `prices` are the broker's, USD by symbol.
    """
    symbols, broken = inputs.quarantined(QuarantineKind.SYMBOL), inputs.quarantined(QuarantineKind.SLEEVE)
    targets, cuts = [], []
    for name, sleeve in sorted(inputs.sleeves.items()):
        for symbol, position in sorted(sleeve.positions.items()):
            if why := broken.get(name) or symbols.get(symbol):
                cuts.append(Cut("quarantined", name, symbol, Side.SELL, position.qty, ZERO, why))
            else:
                targets.append(Target(name, symbol, ZERO, f"flatten: {reason}"))
    return make_plan(inputs.run_id, changes(targets, inputs.sleeves, prices), cuts, set(inputs.protected))


def _weigh(name: str, inputs: RunInputs, snapshot: Snapshot, answer: Answer) -> tuple[list[Target], list[Cut]]:
    quantum = SHARE_QUANTUM if inputs.config.strategies[name].fractional else ONE_SHARE
    committed = inputs.committed.get(name, ZERO)
    return weigh(answer.signals, inputs.sleeves[name], snapshot.prices, answer.rule, committed, quantum)


_LEAVING = SizingRule(Sizing.ENTER, ZERO)  # nothing is bought by it


def _answer(name: str, inputs: RunInputs, context: Context, strategies: Mapping[str, Strategy[Any]]) -> Answer:
    """What the strategy wants of symbols without a pending order. Raises StrategyFailed."""
    if _leaves_today(name, inputs):
        held = sorted(inputs.sleeves[name].positions)
        return Answer(tuple(Signal(symbol, -1.0, "end of day: nothing is held overnight") for symbol in held), _LEAVING)
    if name not in strategies:
        raise StrategyFailed("it could not be loaded")
    answer = ask_signals(strategies[name], context, inputs.config.seconds_of(name, len(inputs.strategies)))
    return replace(answer, signals=tuple(s for s in answer.signals if s.symbol not in inputs.pending))


def _context(
    name: str,
    inputs: RunInputs,
    snapshot: Snapshot,
    symbols: tuple[str, ...],
    forecasts: Mapping[str, Forecast],
) -> Context:
    known = [symbol for symbol in symbols if symbol in snapshot.closes.columns]
    return Context(
        session=inputs.clock.session,
        closes=snapshot.closes[known],
        prices={symbol: snapshot.prices[symbol] for symbol in known if symbol in snapshot.prices},
        forecasts={symbol: forecasts[symbol] for symbol in known if symbol in forecasts},
        holdings=dict(inputs.sleeves[name].positions),
        last_rebalance=inputs.sleeves[name].rebalanced,
    )


def _leaves_today(name: str, inputs: RunInputs) -> bool:
    clock = inputs.clock
    return inputs.config.strategies[name].overnight == "exit" and is_last_tick(clock.now, clock.next_close)


def _plan(inputs: RunInputs, snapshot: Snapshot, targets: list[Target], unsized: list[Cut]) -> Plan:
    trades = changes(targets, inputs.sleeves, snapshot.prices)
    facts = _facts(inputs, snapshot)
    allowed, cuts = limit(trades, facts, inputs.config.risk)
    means = Means(facts.sleeve_cash, inputs.config.risk.max_slippage)
    return make_plan(inputs.run_id, allowed, [*unsized, *cuts], set(inputs.protected), means)


def _facts(inputs: RunInputs, snapshot: Snapshot) -> RiskFacts:
    ages = snapshot.bar_ages()
    return RiskFacts(
        equity=inputs.account.equity,
        buying_power=inputs.account.buying_power,
        position_values=inputs.position_values,
        last_closes=snapshot.last_closes(),
        bar_ages=ages,
        tradable=snapshot.tradable,
        minutes_to_close=(inputs.clock.next_close - inputs.clock.now).total_seconds() / 60,
        turnover_today=inputs.turnover_today,
        quarantined=inputs.quarantined(QuarantineKind.SYMBOL),
        doubtful=snapshot.doubtful,
        sleeve_cash={name: own.cash - inputs.committed.get(name, ZERO) for name, own in inputs.sleeves.items()},
    )


def unrealised_pnl(sleeve: Sleeve, prices: Mapping[str, Decimal]) -> Decimal:
    """USD that the sleeve's positions are worth above their cost; a symbol without a price counts as unchanged."""
    return sum(
        (
            position.qty * prices[symbol] - position.cost
            for symbol, position in sleeve.positions.items()
            if symbol in prices
        ),
        ZERO,
    )


def choose_universes(inputs: RunInputs, rank: Callable[[str], tuple[str, ...]]) -> Universes:
    """The universe of every due strategy, as `rank` gives it by the strategy's name.

    A strategy that fails is left with what it holds, and is named with its failure.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    failed: dict[str, str] = {}
    for name in inputs.strategies:
        try:
            chosen[name] = rank(name)
        except Exception as error:
            chosen[name] = tuple(sorted(inputs.sleeves[name].positions))
            failed[name] = str(error) if isinstance(error, StrategyFailed) else describe(error)
    return Universes(chosen, failed)


def rank_universe(
    strategy: Strategy[Any],
    closes: pd.DataFrame,
    size: int,
    lookback: int,
    sleeve: Sleeve,
    pending: tuple[str, ...],
    seconds: float = SECONDS_FOR_ALL,
) -> tuple[str, ...]:
    """A strategy's universe: its ranking less symbols with a pending order, then whatever it already holds.

    Its code may take `seconds`. Raises StrategyFailed.
    """
    ranked = ask_universe(strategy, Market(closes), size, lookback, seconds)
    chosen = [symbol for symbol in ranked if symbol not in pending]
    return tuple(chosen + [symbol for symbol in sorted(sleeve.positions) if symbol not in chosen])
