"""Which run of a backtest is the next in which anything might happen that the exchange does not do by itself."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from lab.closes import Flags
from lab.quick_run import QuickDesk
from lab.screens import Outlook, Screen, screen_of
from openbell.model import Sleeve
from paper.sessions import Session

_LOOK_AHEAD = 64  # runs looked through at once


class NextRun:
    """Looks ahead from one run to the next that has to be made."""

    def __init__(self, desk: QuickDesk, runs: Sequence[Session]) -> None:
        self._desk = desk
        self._runs = runs

    def after(self, number: int) -> int:
        """The next run to make after the run `number`; the number of all runs if there is none."""
        number += 1
        sleeves = self._desk.ledger.sleeves()
        if self._screens is None or not self._desk.idle or any(name not in sleeves for name in self._desk.names):
            return number
        while number < len(self._runs):
            end = min(number + _LOOK_AHEAD, len(self._runs))
            flags = self._doubtful(number, end, sleeves.values())
            for name, screen in self._screens.items():
                flags |= screen.may_speak(number, end, sleeves[name])
            found = int(flags.argmax()) if flags.any() else end - number
            runs, allowed = self._runs[number : number + found], self._desk.config.risk.max_daily_loss
            loss = self._desk.exchange.first_loss(runs, allowed)
            if loss is not None or found < end - number:
                return number + (found if loss is None else loss)
            number = end
        return number

    @cached_property
    def _screens(self) -> Mapping[str, Screen] | None:
        """A screen for each strategy; None unless all have one."""
        if self._desk.exchange.history.splits:
            return None  # closes as a run sees them then change with the day
        screens = {}
        for name in self._desk.names:
            entry = self._desk.config.strategies[name]
            rules = entry.universe
            if entry.overnight != "hold":
                return None  # it sells whatever it thinks
            screen = screen_of(self._desk.strategies[name], self._outlook, rules.size, rules.lookback)
            if screen is None:
                return None
            screens[name] = screen
        return screens

    @cached_property
    def _outlook(self) -> Outlook:
        closes = self._desk.snapshots.closes
        days = [session.day for session in self._runs]
        windows, usable = self._desk.snapshots.plan(days)
        candidates = self._desk.snapshots.may_choose(days, self._desk.broker.tradable_symbols())
        rows = np.maximum(windows.beyond - 1, 0)
        return Outlook(days, rows, closes.values, usable, candidates, dict(closes.columns))

    def _doubtful(self, start: int, end: int, sleeves: Iterable[Sleeve]) -> Flags:
        """Runs that no screen can judge.

        Those that might fail for want of usable prices: they are made, so that they are counted. And those in which one
        strategy may choose what is a candidate only because another holds it.
        """
        outlook = self._outlook
        held = np.zeros(len(outlook.columns), dtype=np.bool_)
        symbols = {symbol for sleeve in sleeves for symbol in sleeve.positions}
        held[[outlook.columns[symbol] for symbol in symbols if symbol in outlook.columns]] = True
        candidates = outlook.candidates[start:end] | held
        wanted = candidates.sum(axis=1)
        missing = wanted - (candidates & outlook.usable[start:end]).sum(axis=1)
        doubtful = missing > float(self._desk.config.data.max_missing) * wanted - 1e-9
        if len(self._desk.names) > 1:
            doubtful |= (held & ~outlook.candidates[start:end]).any(axis=1)
        return np.asarray(doubtful)
