"""A grid: which values of which parameters are tried, from a YAML or JSON file."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.trials.trial import Combination
from openbell.config import PlatformConfig, UniverseConfig
from openbell.errors import ConfigError, explain
from openbell.forecasts import ForecastConfig
from openbell.strategies import build_strategy

MOST_COMBINATIONS = 10_000
SECTIONS = ("parameters", "universe", "forecast")

type _Lists = dict[str, Annotated[list[Any], Field(min_length=1)]]


class _GridFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    strategy: str = ""
    parameters: _Lists = {}
    universe: _Lists = {}
    forecast: _Lists = {}


@dataclass(frozen=True)
class Grid:
    """Values to try by name, each combination of them once; `source` names the file in errors."""

    strategy: str
    parameters: Mapping[str, Sequence[Any]]
    universe: Mapping[str, Sequence[Any]]
    forecast: Mapping[str, Sequence[Any]]
    source: str

    def __len__(self) -> int:
        return math.prod(len(values) for _, _, values in self.axes())

    def axes(self) -> Iterator[tuple[str, str, Sequence[Any]]]:
        """Section, name and values of everything that is varied, in the file's order."""
        for section in SECTIONS:
            for name, values in getattr(self, section).items():
                yield section, name, values

    def combinations(self) -> tuple[Combination, ...]:
        """Every combination, the last axis turning fastest."""
        axes = list(self.axes())
        made = []
        for values in product(*(found for _, _, found in axes)):
            parts: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
            for (section, name, _), value in zip(axes, values, strict=True):
                parts[section][name] = value
            made.append(Combination(**parts))
        return tuple(made)


def read_grid(path: Path, strategy: str = "") -> Grid:
    """The grid in a file, for `strategy` if that is named; ConfigError names file, field and what is allowed.

    The values themselves are checked by `check_grid`, once it is known what the strategy takes.
    """
    try:
        content = _GridFile.model_validate(yaml.safe_load(path.read_text()))  # JSON is YAML
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is neither YAML nor JSON: {error}") from error
    except ValidationError as error:
        raise ConfigError(explain(error, str(path))) from error
    named = strategy or content.strategy
    if not named or (content.strategy and content.strategy != named):
        given = f"got {content.strategy}, but the command names {strategy}" if named else "it is missing"
        raise ConfigError(f"{path}: strategy: {given}; expected the name of one strategy, such as momentum")
    grid = Grid(named, content.parameters, content.universe, content.forecast, str(path))
    _check_size(grid)
    return grid


def _check_size(grid: Grid) -> None:
    if not list(grid.axes()):
        raise ConfigError(
            f"{grid.source}: varies nothing; expected lists of values under parameters, universe or forecast, "
            "such as parameters: {lookback: [126, 252]}"
        )
    for section, name, values in grid.axes():
        twice = [value for at, value in enumerate(values) if value in values[:at]]
        if twice:
            raise ConfigError(f"{grid.source}: {section}.{name}: {twice[0]!r} is there twice; expected each value once")
    if len(grid) > MOST_COMBINATIONS:
        counts = " x ".join(str(len(values)) for _, _, values in grid.axes())
        raise ConfigError(
            f"{grid.source}: {counts} are {len(grid):,} combinations; expected at most {MOST_COMBINATIONS:,}. "
            "Try fewer values: of that many, some will shine by chance alone"
        )


def check_grid(grid: Grid, config: PlatformConfig) -> None:
    """ConfigError unless `config` has the strategy and each value is allowed by itself.

    Values that only exclude each other (a fast average that is slower than the slow one) are left to their trials,
    which fail with the strategy's own words.
    """
    if grid.strategy not in config.strategies:
        known = ", ".join(sorted(config.strategies))
        raise ConfigError(f"{grid.source}: strategy: there is no {grid.strategy!r}; the configuration has: {known}")
    entry = config.strategies[grid.strategy]
    strategy = build_strategy(grid.strategy, entry)
    _check_section(grid, "parameters", type(strategy).parameters_model, entry.parameters)
    _check_section(grid, "universe", UniverseConfig, entry.universe.model_dump())
    _check_section(grid, "forecast", ForecastConfig, entry.forecast.model_dump())
    if grid.forecast and not strategy.needs_forecasts:
        raise ConfigError(f"{grid.source}: forecast: {grid.strategy} makes no forecasts; leave the section out")


def _check_section(grid: Grid, section: str, model: type[BaseModel], base: Mapping[str, Any]) -> None:
    for name, values in getattr(grid, section).items():
        if name not in model.model_fields:
            allowed = ", ".join(model.model_fields)
            raise ConfigError(f"{grid.source}: {section}.{name}: {grid.strategy} has no such key; allowed: {allowed}")
        for value in values:
            _check_value(grid, f"{section}.{name}", model, {**base, name: value})


def _check_value(grid: Grid, where: str, model: type[BaseModel], values: Mapping[str, Any]) -> None:
    try:
        model.model_validate(values)
    except ValidationError as error:
        name = where.rpartition(".")[2]
        for problem in error.errors(include_url=False):
            if problem["loc"][:1] == (name,):
                raise ConfigError(f"{grid.source}: {where}: {problem['msg']}, got {values[name]!r}") from error
