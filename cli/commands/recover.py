"""`openbell recover`: a lost or stale ledger, rebuilt from the archive and the broker."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, operating, tell
from cli.exits import Exit
from cli.person import person
from openbell.errors import RunInProgress
from openbell.model import RunStatus

if TYPE_CHECKING:
    from cli.platform import Platform
    from openbell.recovery import Archived


def recover(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Rebuild a ledger that was lost, or restored to an earlier state, from the archive and the broker.

    Shows what the ledger lacks and what nobody can be sure of, asks, and writes. Nothing is sent to the broker, and
    nothing is removed from the ledger. Afterwards trading is halted: compare the books, then `openbell resume`.

    Exit codes: 0 written, or nothing is lacking; 1 not written, or a run is under way; 2 no such platform, or
    no books in the archive.
    """
    with operating(stack, local) as platform:
        from cli.views.recovered import read_recovered, recovered_tables  # noqa: PLC0415
        from openbell.recovery import look, read_archive, recover  # noqa: PLC0415

        archived = read_archive(platform.archive, platform.archive.folders("runs/"))
        _refuse_while_running(platform, archived)
        found = look(archived, platform.broker, platform.ledger)
        view = read_recovered(found)
        if not as_json:
            tell(platform, view, recovered_tables, as_json=False)
        written = view.needed and (yes or _confirmed(platform))
        if written:
            now = platform.broker.clock().now
            recover(archived, found, platform.broker, platform.ledger, by=person(), now=now)
        if as_json:
            tell(platform, replace(view, written=written), recovered_tables, as_json=True)
        if view.needed:
            typer.echo(_WRITTEN if written else "Nothing was written.", err=True)
    raise typer.Exit(Exit.OK if written or not view.needed else Exit.FAILED)


_WRITTEN = (
    "Written. Trading is halted: compare the books (openbell reconcile, openbell positions), then openbell resume."
)


def _refuse_while_running(platform: "Platform", archived: "Archived") -> None:
    """A run whose ledger has gone may still be sending orders."""
    run = archived.books[-1].run
    if run.status is RunStatus.RUNNING and platform.execution_status(run.execution) == "RUNNING":
        raise RunInProgress(f"run {run.run_id} is under way (execution {run.execution}): wait for its end, or stop it")


def _confirmed(platform: "Platform") -> bool:
    try:
        return typer.confirm(f"Write this to the ledger of {platform.place.stack}?", err=True)
    except typer.Abort:  # nobody is there to answer
        typer.echo(err=True)
        return False
