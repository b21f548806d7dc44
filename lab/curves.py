"""What the account and each strategy were worth at every close, and what buying everything and waiting was."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from lab.metrics import Floats
from lab.outcome import Outcome
from lab.trades import BookedFill, commission_of
from paper import History

_ONE_BP = 1e-4
_DUST = 1e-9  # of a share: what adding fractions leaves


@dataclass(frozen=True)
class Curve:
    """At each session's close, all `(n,)` in USD. `equity` is after commission; `start` is what there was before."""

    start: float
    equity: Floats
    invested: Floats
    traded: Floats  # bought and sold in the session
    commission: Floats  # of the session

    @property
    def values(self) -> Floats:
        """The start and every close, `(n + 1,)`."""
        return np.concatenate([[self.start], self.equity])

    @property
    def exposure(self) -> Floats:
        """The invested share of the equity."""
        return np.divide(self.invested, self.equity, out=np.zeros_like(self.invested), where=self.equity > 0)

    @property
    def turnover(self) -> float:
        """What was bought and sold in a year, over twice the mean equity: 1 is everything exchanged once."""
        mean = float(self.equity.mean()) if len(self.equity) else 0.0
        return float(self.traded.sum()) / 2 / mean * 252 / len(self.equity) if mean > 0 else float("nan")


class CurveMaker:
    """Curves of an outcome over the history that it was played on."""

    def __init__(self, outcome: Outcome, history: History, fills: Sequence[BookedFill], cost_bps: Decimal) -> None:
        self._outcome = outcome
        self._history = history
        self._fills = fills
        self._cost_bps = cost_bps
        self._days = {day: number for number, day in enumerate(outcome.sessions)}

    def account(self) -> Curve:
        """The whole account."""
        equity = np.array([float(value) for value in self._outcome.equity])
        parts = [self.strategy(name) for name in self._outcome.start_cash]
        invested = sum((part.invested for part in parts), np.zeros(len(equity)))
        passed_on = [fill for fill in self._fills if fill.kind is not None]
        traded, commission = self._traded(passed_on)
        start = float(self._outcome.settings.cash)
        return Curve(start, equity - np.cumsum(commission), invested, traded, commission)

    def strategy(self, name: str) -> Curve:
        """One strategy's sleeve."""
        fills = [fill for fill in self._fills if fill.strategy == name]
        start = float(self._outcome.start_cash[name])
        cash, shares = np.zeros(len(self._days)), defaultdict[str, Floats](lambda: np.zeros(len(self._days)))
        for fill in fills:
            shares[fill.symbol][self._days[fill.day]] += fill.side.sign * float(fill.qty)
            cash[self._days[fill.day]] -= fill.side.sign * float(fill.value)
        invested = np.zeros(len(self._days))
        for symbol, changes in shares.items():
            held = np.cumsum(changes)
            invested += np.where(held > _DUST, held * self.closes(symbol), 0.0)
        traded, commission = self._traded(fills)
        equity = start + np.cumsum(cash) + invested - np.cumsum(commission)
        return Curve(start, equity, invested, traded, commission)

    def closes(self, symbol: str) -> Floats:
        """The symbol's close (USD) of each session, the last one known where there is none, `(n,)`."""
        history = self._history
        column = pd.Series(history.bars.close[:, history.columns[symbol]], index=pd.Index(history.sessions))
        filled = column.where(column > 0).ffill()
        return np.asarray(filled.reindex(list(self._days), method="ffill").to_numpy(), dtype=np.float64)

    def _traded(self, fills: Sequence[BookedFill]) -> tuple[Floats, Floats]:
        traded, commission = np.zeros(len(self._days)), np.zeros(len(self._days))
        for fill in fills:
            traded[self._days[fill.day]] += float(fill.value)
            commission[self._days[fill.day]] += commission_of(fill, self._cost_bps)
        return traded, commission

    def buy_and_hold(self) -> tuple[Curve, tuple[str, ...]]:
        """All money in equal parts into every symbol with a close on the first session, at the same costs; and them.

        Where the backtest has members, into those of that session.
        """
        symbols = tuple(symbol for symbol in self._history.symbols if self._has_first_close(symbol))
        cash = float(self._outcome.settings.cash)
        rates = float(self._outcome.settings.slippage_bps) * _ONE_BP, float(self._cost_bps) * _ONE_BP
        spent = cash / (1 + rates[1])
        growth = np.zeros(len(self._days))
        for symbol in symbols:
            closes = self.closes(symbol)
            growth += closes / (closes[0] * (1 + rates[0])) / len(symbols)
        equity = spent * growth
        traded, commission = np.zeros(len(self._days)), np.zeros(len(self._days))
        traded[0], commission[0] = spent, cash - spent
        return Curve(cash, equity, equity, traded, commission), symbols

    def _has_first_close(self, symbol: str) -> bool:
        first, members = self._outcome.sessions[0], self._outcome.settings.members
        if members is not None and symbol not in members.on(first):
            return False
        row = self._history.sessions.index(first)
        return bool(self._history.bars.close[row, self._history.columns[symbol]] > 0)
