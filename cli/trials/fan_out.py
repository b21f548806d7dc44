"""A sweep from beginning to end: where it runs, what is sent there, what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.markup import escape

from cli.consoles import progress
from cli.trials.bar import trials_bar
from cli.trials.cloud import CloudRunner
from cli.trials.clouds import open_sweep_place
from cli.trials.search import Search, Windows, check_sweep_name
from cli.trials.show import show_sweep, show_walk_forward
from lab.trials import walk_forward
from lab.trials.bars import pack_membership
from lab.trials.batch import Plan
from openbell.codec import to_plain


@dataclass(frozen=True)
class Fanned:
    """Where the trials go; without stack and local to a local cloud of the command's own."""

    stack: str
    local: str
    config_folder: Path
    concurrency: int
    resume: str  # name of a sweep to go on with; empty for a new one


def fan_out(search: Search, windows: Windows | None, fanned: Fanned, report: Path | None, *, as_json: bool) -> bool:
    """Play the trials of a search, or of its windows, and tell the results; whether there are any."""
    folds = windows.folds(search.sessions) if windows else ()
    name = check_sweep_name(fanned.resume) if fanned.resume else search.new_sweep()
    kind = "sweep-walk-forward" if windows else "sweep"
    path = report or Path("reports") / f"{search.name(kind)}.json"
    with (
        open_sweep_place(fanned.stack, fanned.local, search.config, fanned.config_folder, fanned.concurrency) as place,
        trials_bar() as on_trials,
    ):
        if place.lasting:
            progress().print(f"Sweep {escape(name)}; if it is broken off, go on with --resume {escape(name)}")
        run = CloudRunner(place.services, name, place.pace, on_trials)
        plan = _plan(search, windows, place.config)
        run.prepare(plan, search.market.history, search.terms.members, resumed=bool(fanned.resume))
        found = walk_forward(search.grid, folds, run) if windows else None
        results = [] if windows else run(search.trials)
    if found:
        show_walk_forward(search, found, path, as_json=as_json)
        return bool(len(found.returns))
    show_sweep(search, results, path, as_json=as_json)
    return any(result.figures for result in results)


def _plan(search: Search, windows: Windows | None, config: Mapping[str, Any]) -> Plan:
    members = search.terms.members
    return Plan(
        config=dict(config),
        terms=replace(search.terms, members=None),
        data_hash=search.data_hash,
        members_hash=sha256(pack_membership(members)).hexdigest()[:16] if members else "",
        asked={**search.asked, "windows": to_plain(windows)},
    )
