"""The trials of a sweep as they lie in the archive, and what a Lambda does with a batch of them.

Under `sweeps/<name>/`: `plan.json`, `bars.npz` and, of an index, `members.json.gz` for all; `items-<n>.json` for each
execution; and a file for every trial that was played, in `trials/` if it has figures, in `failures/` if it has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab.forecasts import ForecastMemory
from lab.trials.bars import unpack_history, unpack_membership
from lab.trials.running import Bench
from lab.trials.trial import Terms, Trial, TrialResult
from openbell.codec import from_json, to_json
from openbell.config import parse_config
from openbell.errors import InvalidInput
from openbell.ports import Archive

_FORECAST_BYTES = 256 * 1024 * 1024  # of the function's memory


@dataclass(frozen=True)
class Plan:
    """What all trials of a sweep share. Files of own strategies are relative to the deployed configuration."""

    config: dict[str, Any]
    terms: Terms  # without members, which have a file of their own
    data_hash: str  # of the bars
    members_hash: str  # empty: every symbol of the bars is a candidate on every day
    asked: dict[str, Any]  # grid, dates and windows: a sweep that goes on must have the same


@dataclass(frozen=True)
class Item:
    """One trial with its number in the sweep, which is its file's name."""

    number: int
    trial: Trial


@dataclass(frozen=True)
class Done:
    """How many trials of a batch are in the archive now."""

    played: int
    failed: int


def folder_of(sweep: str) -> str:
    """The folder of a sweep in the archive, with the slash at its end."""
    return f"sweeps/{sweep}/"


def bars_key(sweep: str) -> str:
    """Where its bars are."""
    return f"{folder_of(sweep)}bars.npz"


def members_key(sweep: str) -> str:
    """Where the membership of its index is, if it has one."""
    return f"{folder_of(sweep)}members.json.gz"


def plan_key(sweep: str) -> str:
    """Where its plan is."""
    return f"{folder_of(sweep)}plan.json"


def result_key(sweep: str, number: int, *, failed: bool) -> str:
    """Where the result of a trial is."""
    return f"{folder_of(sweep)}{'failures' if failed else 'trials'}/{number:05d}.json"


class BatchPlayer:
    """Plays batches; bars and plan of the sweep are read once, because its batches follow each other.

    Own strategies are looked for in `config_folder`.
    """

    def __init__(self, archive: Archive, config_folder: Path) -> None:
        self._archive = archive
        self._config_folder = config_folder
        self._benches: dict[str, Bench] = {}  # one at most

    def play(self, sweep: str, items: Sequence[Item]) -> Done:
        """Play the trials that have no result yet and store each result at once: a batch may be sent again at any time.

        Raises InvalidInput if the sweep's plan or bars are missing.
        """
        results = [self._stored(sweep, item) or self._played(sweep, item) for item in items]
        failed = sum(bool(result.error) for result in results)
        return Done(len(results) - failed, failed)

    def _stored(self, sweep: str, item: Item) -> TrialResult | None:
        for failed in (False, True):
            try:
                return from_json(TrialResult, self._archive.get(result_key(sweep, item.number, failed=failed)))
            except KeyError:
                continue
        return None

    def _played(self, sweep: str, item: Item) -> TrialResult:
        result = self._bench(sweep).run(item.trial)
        self._archive.put(result_key(sweep, item.number, failed=bool(result.error)), to_json(result))
        return result

    def _bench(self, sweep: str) -> Bench:
        if sweep not in self._benches:
            self._benches = {sweep: self._read(sweep)}
        return self._benches[sweep]

    def _read(self, sweep: str) -> Bench:
        try:
            plan = from_json(Plan, self._archive.get(plan_key(sweep)))
            history = unpack_history(self._archive.get(bars_key(sweep)))
            members = unpack_membership(self._archive.get(members_key(sweep))) if plan.members_hash else None
        except KeyError as error:
            raise InvalidInput(f"sweep {sweep}: the archive has no {error.args[0]}; start the sweep anew") from error
        config = parse_config(plan.config, plan_key(sweep)).with_files_from(self._config_folder)
        return Bench(history, config, replace(plan.terms, members=members), ForecastMemory(_FORECAST_BYTES))
