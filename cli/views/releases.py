"""Releases for people: a list, and what a rollback changes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from cli.grid import grid, moment
from cli.releases import Release

_STATE = re.compile(r"(?:^|-)(\w+?)Function-")  # a function's name is <stack>-<name in the template>-<letters>


@dataclass(frozen=True)
class Releases:
    """Newest first."""

    releases: tuple[Release, ...]


@dataclass(frozen=True)
class RolledBack:
    """The release that was live before the command, and the one that is now."""

    before: Release
    release: Release


def releases_tables(found: Releases) -> Iterator[Table]:
    """A line for each release."""
    table = grid("Releases", ">Number", "Name", "New York", "", "Functions that differ from the release before")
    older = (*found.releases[1:], None)
    for release, before in zip(found.releases, older, strict=True):
        live = "[bold green]live[/]" if release.live else ""
        told = "" if before is None else ", ".join(differing(before, release))
        table.add_row(str(release.number), escape(release.name or "-"), moment(release.made_at), live, escape(told))
    yield table


def rollback_lines(found: RolledBack) -> Iterator[str]:
    """What happened, for people."""
    if found.before.number == found.release.number:
        yield f"Release {title(found.release)} was live already: nothing was changed."
        return
    yield f"Runs that start from now on use release {title(found.release)}; a run under way goes on with its own."
    yield f"Release {title(found.before)} stays, and the next deployment makes a new one live."


def differing(before: Release, after: Release) -> list[str]:
    """The functions whose versions differ, such as "CloseRun 3 -> 2"."""
    names = sorted(before.functions.keys() | after.functions.keys())
    told = {name: (before.functions.get(name, "-"), after.functions.get(name, "-")) for name in names}
    return [f"{_short(name)} {old} -> {new}" for name, (old, new) in told.items() if old != new]


def title(release: Release) -> str:
    """Number and name."""
    return f"{release.number} ({release.name})" if release.name else str(release.number)


def _short(function: str) -> str:
    found = _STATE.search(function)
    return found[1] if found else function
