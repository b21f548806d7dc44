"""`openbell up`: the local platform as a service, over market history, at real speed or faster."""

from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import parse_equity
from cli.errors import told_plainly
from cli.places import STRATEGIES
from cli.service.options import MORNING, NIGHT, UpOptions, parse_instant, parse_port, parse_speed


def up(
    *,
    start: Annotated[
        str, typer.Option("--from", help="New York time to start at, such as 2022-06-01T09:00; a date alone: 09:00.")
    ] = "",
    until: Annotated[
        str, typer.Option(help="New York time of the last tick; a date alone: all of that day. Default: all data.")
    ] = "",
    speed: Annotated[str, typer.Option(help="1x is real time, 600x a session in 39 s, max as fast as runs allow.")] = (
        "600x"
    ),
    state: Annotated[
        Path | None, typer.Option(help="Folder to keep everything in; a restart goes on from there, also after a kill.")
    ] = None,
    bars: Annotated[
        Path | None, typer.Option(help="CSV or Parquet with daily bars; default: the sample that is shipped.")
    ] = None,
    config: Annotated[Path, typer.Option(help="The strategies' configuration.")] = STRATEGIES,
    equity: Annotated[str, typer.Option(help="Cash to start with, USD; default: 100000.")] = "",
    port: Annotated[
        int, typer.Option(help="Of the local cloud; the exchange has the next one. Default: free ones.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on stdout for each run, one a line.")] = False,
) -> None:
    """Run the platform here as a service: the schedules fire on the exchange's clock, and each tick starts a run.

    Ctrl-C stops it. Other commands given in the same folder (status, positions, ...) find it while it runs.

    Exit codes: 0 the end of the history or --until was reached; 1 the platform did not start or broke; 2 wrong input,
    nothing was started; 130 stopped.
    """
    with told_plainly():
        options = UpOptions(
            start=parse_instant(start, "--from", MORNING),
            until=parse_instant(until, "--until", NIGHT),
            speed=parse_speed(speed),
            state=state,
            bars=bars,
            config=config,
            equity=parse_equity(equity) if equity else None,
            port=parse_port(port),
        )
        # Seconds of imports, for which wrong arguments and --help need not wait.
        from cli.service.service import run_service  # noqa: PLC0415
        from cli.service.voice import Voice  # noqa: PLC0415

        run_service(options, Voice(as_json=as_json))
