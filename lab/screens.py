"""On which sessions a strategy might speak: whole years looked through at once, so that a backtest may skip the rest.

A screen errs on one side only. Where it says that a strategy will be silent, the strategy is; where it says that it
might speak, the strategy itself is asked, as on every day of the workflow. So decisions never come from here.
Strategies without a screen are asked on every session.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lab.closes import Flags
from lab.ranking import ranks_by_default
from openbell.model import Sleeve
from openbell.strategies import Strategy
from openbell.strategies.buy_and_hold import BuyAndHold
from openbell.strategies.low_volatility import LowVolatility
from openbell.strategies.momentum import Momentum
from openbell.strategies.sma_cross import SmaCross
from paper.history import Floats


@dataclass(frozen=True)
class Outlook:
    """What all runs of a backtest see: `rows` holds the last row of `closes` that each of the n runs sees.

    `closes` is `(n_sessions, n_symbols)`; `usable` `(n, n_symbols)` tells which symbols pass a run's
    data checks, `candidates` which a run may choose that holds nothing.
    """

    days: Sequence[date]
    rows: NDArray[np.int64]
    closes: Floats
    usable: Flags
    candidates: Flags
    columns: dict[str, int]


class Screen(Protocol):
    """Tells for the runs from `start` to before `end` whether the strategy might speak, given its sleeve."""

    def may_speak(self, start: int, end: int, sleeve: Sleeve) -> Flags:
        """One flag a run."""
        ...


type MakeScreen = Callable[[Strategy[Any], Outlook, Flags], Screen]


def screen_of(strategy: Strategy[Any], outlook: Outlook, size: int, lookback: int) -> Screen | None:
    """The strategy's screen, None if it has none; `size` and `lookback` are those of its universe."""
    make = _SCREENS.get(type(strategy))
    if make is None:
        return None
    ranked = outlook.usable & outlook.candidates
    if ranks_by_default(strategy):
        ranked = _might_rank(outlook, ranked, size, lookback)
    return make(strategy, outlook, ranked)


def _might_rank(outlook: Outlook, choice: Flags, size: int, lookback: int) -> Flags:
    """Which symbols of the choice the default ranking might put into the universe of each run, `(n, n_symbols)`."""
    gone = outlook.rows < lookback
    first = np.maximum(outlook.rows - lookback, 0)
    missing = np.cumsum(np.isnan(outlook.closes), axis=0)
    before = np.where(first[:, None] > 0, missing[np.maximum(first - 1, 0)], 0)
    complete = choice & (missing[outlook.rows] == before) & ~gone[:, None]
    if size >= choice.shape[1]:
        return np.asarray(complete)
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = np.nan_to_num(outlook.closes[1:] / outlook.closes[:-1] - 1, posinf=0, neginf=0)
    running = np.vstack([np.zeros((1, returns.shape[1])), np.cumsum(returns, axis=0)])
    sums: Floats = np.where(complete, running[outlook.rows] - running[first], -np.inf)
    worst_kept = -np.partition(-sums, size - 1, axis=1)[:, size - 1]
    rounding = 4 * len(returns) * np.finfo(np.float64).eps * np.abs(returns).sum(axis=0).max()
    return np.asarray(complete & (sums >= worst_kept[:, None] - rounding))


class SmaCrossScreen:
    """Looks for averages that are crossed: entries where the fast one is not below, exits where it is not above."""

    def __init__(self, strategy: Strategy[Any], outlook: Outlook, ranked: Flags) -> None:
        fast, slow = strategy.parameters.fast, strategy.parameters.slow
        filled = np.nan_to_num(outlook.closes)  # a window with a gap gives no signal, whatever is found here
        running = np.vstack([np.zeros((1, filled.shape[1])), np.cumsum(filled, axis=0)])
        last = outlook.rows + 1
        gap = _average(running, last, fast) - _average(running, last, slow)
        rounding = 4 * len(filled) * np.finfo(np.float64).eps * running[-1] / fast
        long_enough = (last >= slow)[:, None]
        self._enter: Flags = (gap > -rounding) & ranked & long_enough
        self._leave: Flags = (gap < rounding) & outlook.usable & long_enough
        self._columns = outlook.columns

    def may_speak(self, start: int, end: int, sleeve: Sleeve) -> Flags:
        """See Screen."""
        held = np.zeros(self._enter.shape[1], dtype=np.bool_)
        held[[self._columns[symbol] for symbol in sleeve.positions if symbol in self._columns]] = True
        asked = np.where(held, self._leave[start:end], self._enter[start:end])
        return np.asarray(asked.any(axis=1))


def _average(running: Floats, last: NDArray[np.int64], bars: int) -> Floats:
    return (running[last] - running[np.maximum(last - bars, 0)]) / bars


class MonthlyScreen:
    """Strategies that speak once a month are silent for the rest of it."""

    def __init__(self, strategy: Strategy[Any], outlook: Outlook, ranked: Flags) -> None:  # noqa: ARG002 as all screens
        self._months = np.array([day.year * 12 + day.month for day in outlook.days])

    def may_speak(self, start: int, end: int, sleeve: Sleeve) -> Flags:
        """See Screen."""
        last = sleeve.rebalanced
        months = self._months[start:end]
        return np.asarray(months != (last.year * 12 + last.month if last else 0))


class OnceScreen:
    """A strategy that buys once is silent while it holds anything."""

    def __init__(self, strategy: Strategy[Any], outlook: Outlook, ranked: Flags) -> None:
        pass

    def may_speak(self, start: int, end: int, sleeve: Sleeve) -> Flags:
        """See Screen."""
        return np.full(end - start, not sleeve.positions)


# By exact class: a subclass may speak at other times.
_SCREENS: dict[type[Strategy[Any]], MakeScreen] = {
    BuyAndHold: OnceScreen,
    LowVolatility: MonthlyScreen,
    Momentum: MonthlyScreen,
    SmaCross: SmaCrossScreen,
}
