"""A run's decisions, made once more from what it kept, beside those that it stored."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from openbell.codec import from_json, to_json
from openbell.config import PlatformConfig
from openbell.errors import InvalidInput, NothingDecided, explain
from openbell.ports import Archive, Ledger
from openbell.runs import Decisions, RunInputs, decisions_key, inputs_key
from openbell.strategies import build_each
from openbell.workflow.aggregate_signals import decide_run

_EXCERPT = 30  # bytes


@dataclass(frozen=True)
class Difference:
    """A place in the decisions, and what each side has there, as JSON."""

    where: str
    stored: str
    recomputed: str


@dataclass(frozen=True)
class Replay:
    """The decisions of a run as it stored them, and as they come out now."""

    run_id: str
    stored: bytes
    recomputed: bytes

    @property
    def identical(self) -> bool:
        """Byte by byte."""
        return self.stored == self.recomputed

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Every value that differs; if only its spelling does, the first byte that does. Empty when identical."""
        if self.identical:
            return ()
        try:
            stored = json.loads(self.stored)
        except ValueError:
            return (self._first_byte(),)
        return tuple(_compare("", stored, json.loads(self.recomputed))) or (self._first_byte(),)

    def _first_byte(self) -> Difference:
        pairs = enumerate(zip(self.stored, self.recomputed, strict=False))
        at = next((i for i, (left, right) in pairs if left != right), min(len(self.stored), len(self.recomputed)))
        left, right = (side[at : at + _EXCERPT].decode(errors="replace") for side in (self.stored, self.recomputed))
        return Difference(f"byte {at}", left, right)


def decide_again(run_id: str, *, ledger: Ledger, archive: Archive, config_folder: Path | None = None) -> Replay:
    """Decide once more on the inputs, snapshot, universe and forecasts that the run kept.

    A strategy's own file is taken from the same place under `config_folder` if it is not where it was in the run.
    Raises InvalidInput if the run did not get as far as deciding, or kept what this version cannot read; ConfigError
    if a strategy's code is missing.
    """
    try:
        inputs = from_json(RunInputs, _kept(archive, run_id, inputs_key(run_id)))
        if inputs.flatten:
            raise NothingDecided(f"run {run_id} sold everything because of a halt: no strategy decided anything in it")
        stored = _kept(archive, run_id, decisions_key(run_id))
        recomputed = _decided(inputs, ledger, archive, config_folder)
    except ValidationError as error:
        raise InvalidInput(f"this version cannot read what the run kept: {explain(error, run_id)}") from error
    return Replay(run_id, stored, to_json(recomputed))


def _decided(inputs: RunInputs, ledger: Ledger, archive: Archive, config_folder: Path | None) -> Decisions:
    config = relocated(inputs.config, config_folder) if config_folder else inputs.config
    try:
        return decide_run(inputs, build_each(config), ledger, archive)
    except KeyError as error:
        raise InvalidInput(f"run {inputs.run_id} kept no {error.args[0]}: it ended before it had decided") from error


def _kept(archive: Archive, run_id: str, key: str) -> bytes:
    try:
        return archive.get(key)
    except KeyError as error:
        raise InvalidInput(f"run {run_id} kept no {key}: it ended before it had decided anything") from error


def relocated(config: PlatformConfig, folder: Path) -> PlatformConfig:
    """The configuration with files that are missing looked for in `folder`; a Lambda has them in /opt/python/config."""
    entries = {}
    for name, entry in config.strategies.items():
        file = entry.file
        if file and not file.is_file() and folder.name in file.parts:
            at = len(file.parts) - file.parts[::-1].index(folder.name)
            entry = entry.with_file(folder.joinpath(*file.parts[at:]))  # noqa: PLW2901
        entries[name] = entry
    return config.model_copy(update={"strategies": entries})


def _compare(where: str, stored: Any, recomputed: Any) -> Iterator[Difference]:
    """Differences of two JSON values, depth first."""
    if type(stored) is not type(recomputed) or not isinstance(stored, dict | list):
        if stored != recomputed or type(stored) is not type(recomputed):
            yield Difference(where.removeprefix("."), json.dumps(stored), json.dumps(recomputed))
        return
    left, right = _members(stored), _members(recomputed)
    for place in {**left, **right}:
        if place in left and place in right:
            yield from _compare(where + place, left[place], right[place])
        else:
            yield Difference(f"{where}{place}".removeprefix("."), _told(left, place), _told(right, place))


def _members(value: dict[str, Any] | list[Any]) -> dict[str, Any]:
    if isinstance(value, dict):
        return {f".{key}": member for key, member in value.items()}
    return {f"[{at}]": member for at, member in enumerate(value)}


def _told(members: Mapping[str, Any], place: str) -> str:
    return json.dumps(members[place]) if place in members else "nothing"
