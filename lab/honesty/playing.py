"""Short backtests around chosen sessions, made by the backtest itself, that tell what was decided in each run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np

from lab.backtest import backtest
from lab.forecasts import ForecastStore
from lab.honesty.facts import Days, facts_of
from lab.honesty.own_code import forget
from lab.outcome import BacktestSettings
from lab.quick_run import Ran
from openbell.config import PlatformConfig, StrategyConfig
from openbell.errors import ConfigError, InvalidInput
from paper import History

_BEFORE = 22  # runs before a chosen session: a month, so that there are holdings, and months that turn
_FEWEST_AFTER = 5  # sessions of future that a chosen session needs


@dataclass(frozen=True)
class Scene:
    """Runs from `first` to `last`. A strategy that trades once a month always speaks in the first run of a scene."""

    first: date
    last: date


@dataclass(frozen=True)
class Stage:
    """What is played: one strategy, enabled alone in `config`, over a history."""

    history: History
    config: PlatformConfig
    name: str
    store: ForecastStore

    @property
    def entry(self) -> StrategyConfig:
        """The strategy's entry in the configuration."""
        return self.config.strategies[self.name]

    def with_history(self, history: History) -> "Stage":
        """The same on another history."""
        return replace(self, history=history)

    @cached_property
    def sessions(self) -> Sequence[date]:
        """Days with bars on which the market is still open when a run is due."""
        at = BacktestSettings(date.min, date.max).at
        history = self.history
        days = set(history.sessions)
        found = history.calendar.between(history.sessions[0], history.sessions[-1])
        return [session.day for session in found if session.day in days and session.close.time() > at]


def scenes(stage: Stage, first: date | None, last: date | None, cuts: int, seed: int) -> list[Scene]:
    """Two scenes for each of about `cuts` sessions, drawn by `seed`: that session alone, and a month that ends with it.

    Every second session is moved to the first one of its month, when most strategies rebalance. By default they lie
    from a year after the data begins to its end. Raises InvalidInput if there are none.
    """
    sessions = list(stage.sessions)
    earliest = first or sessions[min(252, len(sessions) // 2)]
    usable = sessions[_BEFORE:-_FEWEST_AFTER]
    chosen = [day for day in usable if earliest <= day <= (last or sessions[-1])]
    if not chosen:
        raise InvalidInput(
            f"no session to look at from {earliest} to {last or sessions[-1]}; expected dates of the data with "
            f"{_BEFORE} sessions before and {_FEWEST_AFTER} after them, from {usable[0] if usable else 'nowhere'} on"
        )
    luck = np.random.default_rng(seed)
    places = np.sort(luck.choice(len(chosen), min(cuts, len(chosen)), replace=False)).tolist()
    moved = {_first_of_month(chosen, place) if turn % 2 else place for turn, place in enumerate(places)}
    ends = [chosen[place] for place in sorted(moved)]
    return [scene for end in ends for scene in (Scene(end, end), Scene(sessions[sessions.index(end) - _BEFORE], end))]


def _first_of_month(days: Sequence[date], place: int) -> int:
    while place > 0 and days[place - 1].month == days[place].month:
        place -= 1
    return place


def play(stage: Stage, scene: Scene, *, anew: bool = True) -> tuple[Days, list[Ran]]:
    """What was decided in each run of the scene, and the runs; `anew` runs the strategy's own code from its beginning.

    Runs that failed are told with their message, code that cannot be made as a failure.
    """
    if anew:
        forget(stage.entry)
    settings = BacktestSettings(scene.first, scene.last)
    runs: list[Ran] = []
    try:
        outcome = backtest(stage.history, stage.config, settings, stage.store, on_run=runs.append)
    except ConfigError as error:
        return {scene.first: {("failure", ""): str(error)}}, []
    days = {run.inputs.clock.session: facts_of(run, stage.name) for run in runs}
    failed = {day: {("run", ""): one.message} for one in outcome.run_failures for day in one.days}
    return days | failed, runs


type Played = Mapping[Scene, Days]


def play_all(stage: Stage, given: Sequence[Scene], *, anew: bool = True) -> dict[Scene, Days]:
    """What was decided in each scene, played in the given order."""
    return {scene: play(stage, scene, anew=anew)[0] for scene in given}


def pairs(before: Played, after: Played) -> Iterator[tuple[Days, Days]]:
    """The scenes of both, by date."""
    for scene in sorted(before, key=lambda one: (one.last, one.first)):
        yield before[scene], after[scene]
