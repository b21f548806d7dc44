"""From prices and forecasts to the plan: the decisions of a run as one pure function.

The AggregateSignals Lambda, the replay and the backtest all call `decide`.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pandas as pd

from openbell.model import ZERO, Cut, Forecast, Plan, Signal, Sleeve, Target
from openbell.portfolio.plan import make_plan
from openbell.portfolio.risk import RiskFacts, limit
from openbell.portfolio.sizing import weigh
from openbell.portfolio.trades import changes
from openbell.runs import Decisions, RunInputs, Universes
from openbell.schedules import is_last_tick
from openbell.snapshot import Snapshot
from openbell.strategies import Context, Market, Strategy


def decide(
    inputs: RunInputs,
    snapshot: Snapshot,
    universes: Universes,
    forecasts: Mapping[str, Mapping[str, Forecast]],
    strategies: Mapping[str, Strategy[Any]],
) -> Decisions:
    """What every due strategy signals, and the one plan that follows: weigh -> limit -> net -> plan.

    `forecasts` are by strategy and symbol.

    A strategy that raises, here or when its universe was selected, keeps its holdings, is named in `failed_strategies`,
    and leaves the others alone.
    """
    signals: dict[str, tuple[Signal, ...]] = {}
    failed: dict[str, str] = {}
    targets: list[Target] = []
    unsized: list[Cut] = []
    for name in inputs.strategies:
        try:
            if name in universes.failed and not _leaves_today(name, inputs):
                failed[name] = universes.failed[name]
                continue
            symbols = universes.by_strategy[name]
            signals[name] = _signals(strategies[name], name, inputs, snapshot, symbols, forecasts.get(name, {}))
            wanted, cuts = weigh(signals[name], inputs.sleeves[name], snapshot.prices, strategies[name].sizing_rule())
        except Exception as error:
            signals.pop(name, None)
            failed[name] = _told(error)
            continue
        targets += wanted
        unsized += cuts
    plan = _plan(inputs, snapshot, targets, unsized)
    return Decisions(dict(universes.by_strategy), signals, failed, tuple(targets), plan)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def flatten(inputs: RunInputs, prices: Mapping[str, Decimal], reason: str) -> Plan:
    """The plan that sells all that the sleeves hold. No risk rule holds it back; nothing is crossed.

    `prices` are the broker's, USD by symbol.
    """
    targets = [
        Target(name, symbol, ZERO, f"flatten: {reason}")
        for name, sleeve in sorted(inputs.sleeves.items())
        for symbol in sorted(sleeve.positions)
    ]
    return make_plan(inputs.run_id, changes(targets, inputs.sleeves, prices), [], set(inputs.protected))


def _signals(
    strategy: Strategy[Any],
    name: str,
    inputs: RunInputs,
    snapshot: Snapshot,
    symbols: tuple[str, ...],
    forecasts: Mapping[str, Forecast],
) -> tuple[Signal, ...]:
    if _leaves_today(name, inputs):
        held = sorted(inputs.sleeves[name].positions)
        return tuple(Signal(symbol, -1.0, "end of day: nothing is held overnight") for symbol in held)
    known = [symbol for symbol in symbols if symbol in snapshot.closes.columns]
    context = Context(
        session=inputs.clock.session,
        closes=snapshot.closes[known],
        prices={symbol: snapshot.prices[symbol] for symbol in known if symbol in snapshot.prices},
        forecasts={symbol: forecasts[symbol] for symbol in known if symbol in forecasts},
        holdings=dict(inputs.sleeves[name].positions),
        last_rebalance=inputs.sleeves[name].last_rebalance,
    )
    signals = strategy.signals(context)
    strange = sorted({signal.symbol for signal in signals} - set(known))
    if strange:
        raise ValueError(f"signals for symbols outside its universe: {', '.join(strange)}")
    return tuple(signal for signal in signals if signal.symbol not in inputs.pending)


def _leaves_today(name: str, inputs: RunInputs) -> bool:
    clock = inputs.clock
    return inputs.config.strategies[name].overnight == "exit" and is_last_tick(clock.now, clock.next_close)


def _plan(inputs: RunInputs, snapshot: Snapshot, targets: list[Target], unsized: list[Cut]) -> Plan:
    trades = changes(targets, inputs.sleeves, snapshot.prices)
    allowed, cuts = limit(trades, _facts(inputs, snapshot), inputs.config.risk)
    return make_plan(inputs.run_id, allowed, [*unsized, *cuts], set(inputs.protected))


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

    A strategy that raises is left with what it holds, and is named with its error.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    failed: dict[str, str] = {}
    for name in inputs.strategies:
        try:
            chosen[name] = rank(name)
        except Exception as error:
            chosen[name] = tuple(sorted(inputs.sleeves[name].positions))
            failed[name] = _told(error)
    return Universes(chosen, failed)


def rank_universe(
    strategy: Strategy[Any], closes: pd.DataFrame, size: int, lookback: int, sleeve: Sleeve, pending: tuple[str, ...]
) -> tuple[str, ...]:
    """A strategy's universe: its ranking less symbols with a pending order, then whatever it already holds."""
    ranked = strategy.universe(Market(closes.copy(deep=False)), size, lookback)  # what it does to it stays its own
    strange = [symbol for symbol in ranked if not isinstance(symbol, str)]
    if strange:
        raise TypeError(f"its universe has {strange[0]!r}, which is no symbol")
    chosen = [symbol for symbol in ranked if symbol not in pending]
    return tuple(chosen + [symbol for symbol in sorted(sleeve.positions) if symbol not in chosen])
