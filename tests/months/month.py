"""A month of one run a session in a made-up world, by a seed: the promises hold after every run."""

from dataclasses import dataclass, replace
from datetime import datetime, time
from decimal import Decimal
from random import Random

from openbell.errors import OpenbellError, RunSkipped
from openbell.model import NEW_YORK, ZERO
from paper.actions import ActionType
from tests.chaos.stores import WatchedLedger
from tests.integration.workflow.stage import Stage
from tests.months.markets import WARM_UP, configuration, market, wildness
from tests.months.owner import Owner
from tests.months.promises import broken, flat

SESSIONS = 21
_LEAVING = 20  # sessions at most in which everything is sold: some configurations give a run one look at its orders
_DUST = Decimal("0.00000001")  # shares that rounding may move
_TIMES = (time(9, 31), time(12), time(15), time(15, 45))


@dataclass(frozen=True)
class Lived:
    """A month that is over: what the owner did, and what was broken."""

    seed: int
    runs: int
    fills: int
    deeds: tuple[str, ...]
    violations: tuple[str, ...]


def live(seed: int, sessions: int = SESSIONS) -> Lived:
    """Play a month, and then sell everything; it ends at the first violation."""
    return _Month(seed).live(sessions)


class _Month:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random = Random(seed)
        history, settings = market(seed, wildness(random)), configuration(random)
        day = history.sessions[random.randrange(WARM_UP, len(history.sessions) - SESSIONS - _LEAVING - 1)]
        self.stage = stage = Stage(
            settings,
            history,
            datetime.combine(day, random.choice(_TIMES), NEW_YORK),
            cash=random.choice(("100000", "20000", "700")),
            fill_share=random.choice(("1", "1", "0.4")),
        )
        stage.ledger = self._ledger = WatchedLedger()
        stage.desk = replace(stage.desk, ledger=self._ledger)
        self._owner = Owner(stage, random)
        self._runs = 0

    def live(self, sessions: int) -> Lived:
        violations: list[str] = []
        for number in range(sessions + _LEAVING):
            if number == sessions:
                self._owner.leave()
            violations = self._session(leaving=number >= sessions)
            if violations or (number >= sessions and not self.stage.owned()):
                break
            self._next_day(leaving=number + 1 >= sessions)
        violations = violations or list(flat(self.stage, self._owner.shares))
        fills = len(self.stage.exchange.fills())
        return Lived(self._seed, self._runs, fills, tuple(self._owner.done), tuple(violations))

    def _session(self, *, leaving: bool) -> list[str]:
        if not leaving and self._random.random() < 0.4:
            self._owner.act()
        try:
            self._runs += 1
            self.stage.run(f"day-{self._runs}", schedule="manual")
        except RunSkipped:
            pass
        except OpenbellError as error:
            return [f"the run failed: {type(error).__name__}: {error}"]
        self._owner.count()
        self._count_actions()
        found = broken(self.stage, self._owner.shares, self._ledger.lowest)
        return [f"{self.stage.exchange.now:%m-%d %H:%M} {sentence}" for sentence in found]

    def _count_actions(self) -> None:
        """The owner's part of what companies did today, where it is divided as it should be."""
        today = self.stage.exchange.now.date()
        for action in self.stage.exchange.actions():
            if action.ex_date == today and action.type is not ActionType.CASH_DIVIDEND:
                symbol, due = action.symbol, self._owner.before.get(action.symbol, ZERO) * action.ratio
                rest = self.stage.held().get(symbol, ZERO) - self.stage.owned().get(symbol, ZERO)
                bought = self._owner.shares.get(symbol, ZERO) - self._owner.before.get(symbol, ZERO)
                if abs(rest - bought - due) <= (1 if action.in_lieu else _DUST):
                    self._owner.split(symbol, rest)

    def _next_day(self, *, leaving: bool) -> None:
        self.stage.exchange.close_session()
        self._owner.count()
        self._owner.sleep()
        self.stage.exchange.open_next_session(time(15, 45) if leaving else self._random.choice(_TIMES))
        self._owner.count()
