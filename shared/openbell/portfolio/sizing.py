"""Signals to targets: how many shares a strategy wants to hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from openbell.model import ZERO, Bracket, Cut, Side, Signal, Sleeve, Target
from openbell.money import ONE_SHARE, bought_with, to_tick

ONE = Decimal(1)


class Sizing(StrEnum):
    """What a strategy does with holdings that it still wants."""

    ENTER = "enter"  # leaves them alone; only new symbols are sized
    REBALANCE = "rebalance"  # brings every wanted symbol to its equal weight


@dataclass(frozen=True)
class BracketRule:
    """Protective prices as fractions of the entry's reference price: below for the stop, above for the profit."""

    stop: Decimal
    stop_limit: Decimal
    take_profit: Decimal

    def __post_init__(self) -> None:
        if not (ZERO < self.stop <= self.stop_limit < 1 and self.take_profit > 0):  # NaN fails here too
            raise ValueError(
                "a bracket rule needs 0 < stop <= stop_limit < 1 and take_profit above 0, got "
                f"{self.stop}, {self.stop_limit}, {self.take_profit}"
            )

    def around(self, price: Decimal) -> Bracket:
        """The bracket for an entry at `price` (USD), in ticks that the broker accepts."""
        factors = (1 - self.stop, 1 - self.stop_limit, 1 + self.take_profit)
        return Bracket(*(to_tick(price * factor) for factor in factors))


@dataclass(frozen=True)
class SizingRule:
    """How a strategy turns its signals into weights."""

    sizing: Sizing
    cash_buffer: Decimal  # fraction of the sleeve's equity that is never invested
    bracket: BracketRule | None = None
    max_weight: Decimal = ONE  # fraction of the sleeve's equity that one symbol gets at most

    def __post_init__(self) -> None:
        if not (ZERO <= self.cash_buffer < 1 and ZERO < self.max_weight <= 1):
            raise ValueError(
                "a sizing rule needs 0 <= cash_buffer < 1 and 0 < max_weight <= 1, got "
                f"{self.cash_buffer}, {self.max_weight}"
            )


def weigh(
    signals: Sequence[Signal],
    sleeve: Sleeve,
    prices: Mapping[str, Decimal],
    rule: SizingRule,
    committed: Decimal = ZERO,
    quantum: Decimal = ONE_SHARE,
) -> tuple[list[Target], list[Cut]]:
    """Targets of one strategy from its signals, equally weighted; and what could not be sized, with the reason.

    A held symbol without a signal, with score 0 or with a veto is kept as it is. Prices are USD by symbol. `committed`
    is the USD that working buys of the sleeve may still take, `quantum` the step in which shares are sized.
    """
    leaving = [signal for signal in signals if signal.score < 0 and sleeve.held(signal.symbol) > 0]
    targets = [Target(sleeve.strategy, signal.symbol, ZERO, signal.reason) for signal in leaving]
    wanted = [signal for signal in signals if signal.score > 0 and not signal.vetoed]
    sized = wanted if rule.sizing is Sizing.REBALANCE else [s for s in wanted if sleeve.held(s.symbol) == 0]
    cuts = [
        _refused("veto", signal, sleeve, signal.vetoed)
        for signal in signals
        if signal.score > 0 and signal.vetoed and sleeve.held(signal.symbol) == 0
    ]
    budget = _budget_each(sized, leaving, sleeve, prices, rule, committed)
    for signal in sized:
        target, cut = _size(signal, budget, sleeve, prices, rule, quantum)
        targets += [target] if target else []
        cuts += [cut] if cut else []
    return targets, cuts


def _budget_each(
    sized: Sequence[Signal],
    leaving: Sequence[Signal],
    sleeve: Sleeve,
    prices: Mapping[str, Decimal],
    rule: SizingRule,
    committed: Decimal,
) -> Decimal:
    """USD for each symbol to be sized: its equal weight, as far as the limit for one and the sleeve's cash allow.

    A holding without a price can neither be sold nor sized: it is kept, at its cost.
    """
    if not sized:
        return ZERO
    changing = {signal.symbol for signal in (*leaving, *sized) if signal.symbol in prices}
    kept = {symbol: position for symbol, position in sleeve.positions.items() if symbol not in changing}
    equity = sleeve.equity(prices)
    investable = equity * (1 - rule.cash_buffer)
    equal_weight = investable / len({signal.symbol for signal in sized} | set(kept))
    taken = committed + replace(sleeve, cash=ZERO, positions=kept).equity(prices)
    return max(ZERO, min(equal_weight, equity * rule.max_weight, (investable - taken) / len(sized)))


def _size(
    signal: Signal,
    budget: Decimal,
    sleeve: Sleeve,
    prices: Mapping[str, Decimal],
    rule: SizingRule,
    quantum: Decimal,
) -> tuple[Target | None, Cut | None]:
    price = prices.get(signal.symbol, ZERO)
    held = sleeve.held(signal.symbol)
    if price <= 0:
        return None, _refused("sizing", signal, sleeve, "no price in the snapshot")
    qty = bought_with(budget, price, quantum)
    if qty == 0 and held == 0:
        reason = f"one share costs {price} USD, the weight allows {budget:.2f} USD"
        return None, _refused("sizing", signal, sleeve, reason)
    bracket = rule.bracket.around(price) if rule.bracket and qty > held else None
    return Target(sleeve.strategy, signal.symbol, qty, signal.reason, bracket), None


def _refused(rule: str, signal: Signal, sleeve: Sleeve, reason: str) -> Cut:
    return Cut(rule, sleeve.strategy, signal.symbol, Side.BUY, ZERO, ZERO, reason)
