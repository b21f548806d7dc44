"""`openbell runs`, `run show` and `replay`: what was run, and why it decided as it did."""

from typing import Annotated

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, operating, tell
from cli.consoles import results
from cli.places import STRATEGIES

RunId = Annotated[
    str, typer.Argument(metavar="RUN_ID", help="As `openbell runs` lists it, such as 20220615-1500-e2b9.")
]


def runs(
    *,
    limit: Annotated[int, typer.Option(help="How many of the newest runs.")] = 20,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """List the newest runs and how they ended.

    Exit codes: 0; 1 the platform does not answer; 2 no such platform, or a wrong limit.
    """
    with operating(stack, local) as platform:
        from cli.views.runs import read_runs, runs_tables  # noqa: PLC0415

        tell(platform, read_runs(platform.ledger, limit), runs_tables, as_json=as_json)


def show(run_id: RunId, *, stack: StackOption = "", local: LocalOption = "", as_json: JsonOption = False) -> None:
    """Show one run in full: universe, signals, what the risk gate cut, plan, fills, positions, time by state.

    Exit codes: 0; 1 the platform does not answer; 2 no such platform or run.
    """
    with operating(stack, local) as platform:
        from cli.views.run_shown import print_run, read_run  # noqa: PLC0415

        found = read_run(platform.ledger, platform.archive, run_id)
        if as_json:
            tell(platform, found, lambda _: (), as_json=True)
        else:
            print_run(results(), found, platform.history)


def replay(run_id: RunId, *, stack: StackOption = "", local: LocalOption = "", as_json: JsonOption = False) -> None:
    """Decide once more from what the run kept, and compare signals and plan byte by byte with what it stored.

    Exit codes: 0 identical; 1 different, each difference is told; 2 no such platform or run, or the run ended before it
    had decided anything.
    """
    with operating(stack, local) as platform:
        from cli.views.replayed import read_replay, replayed_tables  # noqa: PLC0415
        from cli.views.runs import known_run  # noqa: PLC0415
        from openbell.replay import decide_again  # noqa: PLC0415

        run, ledger = known_run(platform.ledger, run_id), platform.ledger
        again = decide_again(run.run_id, ledger=ledger, archive=platform.archive, config_folder=STRATEGIES.parent)
        found = read_replay(again)
        tell(platform, found, replayed_tables, as_json=as_json)
    raise typer.Exit(found.exit)
