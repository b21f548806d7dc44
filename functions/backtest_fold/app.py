"""BacktestFold: the trials of one batch of a sweep."""

import openbell.cold_start  # noqa: F401 before all other imports

from functools import cache
from typing import Any

from pydantic import ConfigDict, Field

from lab.trials.batch import BatchPlayer, Item
from openbell import bootstrap
from openbell.lambdas import Event, entry_point


class BatchInput(Event):
    """What all batches of an execution share."""

    sweep: str


class Batch(Event):
    """What the Distributed Map passes: Step Functions' own spelling."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    shared: BatchInput = Field(alias="BatchInput")
    items: tuple[Item, ...] = Field(alias="Items")


@entry_point(Batch)
def handler(event: Batch) -> dict[str, Any]:
    """How many trials of the batch have figures now, and how many have a reason why not."""
    done = _player().play(event.shared.sweep, event.items)
    return {"played": done.played, "failed": done.failed}


@cache
def _player() -> BatchPlayer:
    return BatchPlayer(bootstrap.archive(), bootstrap.settings().config_file.parent)
