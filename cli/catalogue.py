"""What the configuration knows of strategies, for `openbell strategies list`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from inspect import cleandoc
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from openbell.config import PlatformConfig, StrategyConfig
from openbell.errors import ConfigError
from openbell.strategies import SHIPPED, build_strategy


@dataclass(frozen=True)
class Listed:
    """One entry of the configuration; `error` says why its code cannot be used."""

    name: str
    enabled: bool
    uses: str
    schedule: str
    allocation: str  # fraction of the account's equity
    what: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    error: str = ""


def listed(config: PlatformConfig, folder: Path) -> tuple[Listed, ...]:
    """The entries in the configuration's order; files are told relative to its `folder`."""
    return tuple(_listed(name, entry, folder.resolve()) for name, entry in config.strategies.items())


def not_configured(config: PlatformConfig) -> tuple[str, ...]:
    """Strategies that ship and that no entry uses."""
    return tuple(sorted(set(SHIPPED) - {entry.uses or name for name, entry in config.strategies.items()}))


def to_table(rows: Sequence[Listed]) -> Table:
    """The entries for people."""
    table = Table(header_style="dim", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("Strategy", "Enabled", "Uses", "Schedule", "Allocation", "What it does", "Parameters"):
        table.add_column(column, justify="right" if column == "Allocation" else "left", overflow="fold")
    for row in rows:
        enabled = "[green]yes[/]" if row.enabled else "[dim]no[/]"
        what = f"[red]{escape(row.error)}[/]" if row.error else escape(row.what)
        parameters = escape(" ".join(f"{key}={value}" for key, value in row.parameters.items()))
        table.add_row(escape(row.name), enabled, escape(row.uses), row.schedule, row.allocation, what, parameters)
    return table


def to_json(rows: Sequence[Listed], spare: Sequence[str]) -> str:
    """The same for programs."""
    return json.dumps({"strategies": [asdict(row) for row in rows], "not_configured": list(spare)}, indent=1)


def _listed(name: str, entry: StrategyConfig, folder: Path) -> Listed:
    if entry.file and entry.file.is_relative_to(folder):
        uses = entry.with_file(entry.file.relative_to(folder)).uses
    else:
        uses = entry.uses or name
    facts = (name, entry.enabled, uses, str(entry.schedule), str(entry.allocation))
    try:
        strategy = build_strategy(name, entry)
    except ConfigError as error:
        return Listed(*facts, error=str(error))
    first, *_ = cleandoc(type(strategy).__doc__ or "").splitlines() or [""]
    return Listed(*facts, what=first, parameters=strategy.parameters.model_dump(mode="json"))
