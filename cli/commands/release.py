"""`openbell release`: what was deployed, and the way back."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, confirmed, operating, tell
from cli.exits import Exit

if TYPE_CHECKING:
    from cli.releases import Release

_LOOK_BACK = 50  # releases in which a rollback looks for the one that is meant

release = typer.Typer(no_args_is_help=True, help="The releases: list them, or go back to an earlier one.")


@release.command("list")
def list_releases(
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest releases.")] = 10,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """List the newest releases, which one is live, and the functions that each has changed.

    Exit codes: 0; 1 the platform does not answer; 2 no such platform.
    """
    with operating(stack, local) as platform:
        from cli.releases import read_releases  # noqa: PLC0415
        from cli.views.releases import Releases, releases_tables  # noqa: PLC0415

        tell(platform, Releases(read_releases(platform, limit)), releases_tables, as_json=as_json)


@release.command("rollback")
def rollback(
    to: Annotated[str, typer.Argument(metavar="[RELEASE]", help="Number or name; default: the one before.")] = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let runs start with an earlier release from now on (or with a later one again). Nothing is built or deployed.

    Code, configuration and the functions' settings go back together, by one call. Roles, alarms, schedules, the ledger
    and the keys stay as they are. A run under way goes on with the release that it began with.

    Exit codes: 0 that release is live, now or before; 1 not confirmed, or a part of it is gone; 2 no such platform or
    release.
    """
    with operating(stack, local) as platform:
        from cli.releases import find_release, make_live, read_releases  # noqa: PLC0415
        from cli.views.releases import RolledBack, rollback_lines  # noqa: PLC0415

        releases = read_releases(platform, _LOOK_BACK)
        live, wanted = next(each for each in releases if each.live), find_release(releases, to)
        if wanted != live:
            _show(live, wanted)
            if not yes and not confirmed(f"Make release {wanted.number} live in {platform.place.stack}?"):
                typer.echo("Nothing was changed.", err=True)
                raise typer.Exit(Exit.FAILED)
            make_live(platform, wanted)
        tell(platform, RolledBack(live, wanted), rollback_lines, as_json=as_json)


def _show(live: "Release", wanted: "Release") -> None:
    from cli.views.releases import differing, title  # noqa: PLC0415

    typer.echo(
        f"Release {title(live)} is live; {title(wanted)} was made at {wanted.made_at:%Y-%m-%d %H:%M %Z}.", err=True
    )
    typer.echo(f"What changes: {', '.join(differing(live, wanted)) or 'the workflow alone'}.", err=True)
