"""Where a sweep's Lambdas run: in a local cloud that lives as long as the command, or in a stack that is there."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.concurrency import free_lambdas, lambdas_of_a_run, share_of_a_sweep
from cli.consoles import progress
from cli.effective import layer_files
from cli.formats import count
from cli.places import TEMPLATE
from cli.platform import Platform, find_place, open_platform
from cli.trials.cloud import Pace, Services
from openbell.config import PlatformConfig
from openbell.errors import InvalidInput

_LOCAL_POLL_S, _AWS_POLL_S = 0.3, 3.0


@dataclass(frozen=True)
class SweepPlace:
    """A stack for a sweep; `config` is what its functions are told, files relative to what was deployed."""

    services: Services
    config: Mapping[str, Any]
    pace: Pace
    lasting: bool  # whether what was played is still there when the command has ended


@contextmanager
def open_sweep_place(
    stack: str, local: str, config: PlatformConfig, folder: Path, concurrency: int
) -> Iterator[SweepPlace]:
    """The stack that --stack or --local names, else a local cloud of the command's own.

    `folder` is the configuration's, which was deployed with the stack. InvalidInput if the stack is too old for sweeps.
    """
    if not stack and not local:
        with _own_cloud(config) as place:
            yield place
        return
    with open_platform(find_place(stack, local)) as platform:
        if "SweepMachineArn" not in platform.outputs:
            raise InvalidInput(
                f"the stack {platform.place.stack!r} was deployed before there were sweeps; deploy it once more"
            )
        told = _relative(config, folder).model_dump(mode="json")
        yield SweepPlace(platform, told, _pace_on(platform, concurrency), lasting=True)


def _pace_on(platform: Platform, asked: int) -> Pace:
    """What this computer's processors allow, or what an account on AWS leaves beside a run."""
    if platform.place.endpoint_url:
        return Pace(min(asked, _processors()), _LOCAL_POLL_S)
    free, of_a_run = free_lambdas(platform.client("lambda")), lambdas_of_a_run(platform.parameters)
    share = share_of_a_sweep(asked, free, of_a_run)
    if share < asked:
        progress().print(
            f"{share} instead of {count(asked, 'Lambda')} at once: the account may run {free}, "
            f"and a trading run wants {of_a_run} of them"
        )
    return Pace(share, _AWS_POLL_S)


@contextmanager
def _own_cloud(config: PlatformConfig) -> Iterator[SweepPlace]:
    from local import LocalCloud  # noqa: PLC0415 seconds of imports, which a sweep on AWS need not wait for

    with tempfile.TemporaryDirectory(prefix="openbell-sweep-") as work:
        files = layer_files(config, Path(work))
        told = yaml.safe_load(files["config/strategies.yaml"].read_text())
        with LocalCloud(
            template=TEMPLATE,
            parameters={"TradingMode": "paper", "ScheduleState": "DISABLED"},
            layer_files=files,
            concurrency={"BacktestFoldFunction": _processors()},
        ) as cloud:
            yield SweepPlace(cloud, told, Pace(_processors(), _LOCAL_POLL_S), lasting=False)


def _processors() -> int:
    return os.cpu_count() or 1


def _relative(config: PlatformConfig, folder: Path) -> PlatformConfig:
    """The same with the files of own strategies as the deployed configuration names them."""
    entries = dict(config.strategies)
    for name, entry in config.enabled.items():
        if entry.file and not entry.file.is_relative_to(folder):
            raise InvalidInput(f"strategies.{name}.uses: {entry.file} lies outside {folder}, so it was not deployed")
        if entry.file:
            entries[name] = entry.with_file(entry.file.relative_to(folder))
    return config.model_copy(update={"strategies": entries})
