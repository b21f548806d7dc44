"""`openbell console`: one local web page over a platform."""

import os
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import LocalOption, StackOption
from cli.consoles import results
from cli.errors import told_plainly
from cli.service.options import MORNING, parse_instant, parse_speed
from openbell.errors import InvalidInput

if TYPE_CHECKING:
    from cli.platform import Platform

PORT = 8700
_LARGEST_PORT = 65535
type Alive = Callable[[], None]  # raises once the platform has ended


def console(
    *,
    port: Annotated[int, typer.Option(help="Of 127.0.0.1, where the pages are; 0 takes a free one.")] = PORT,
    start: Annotated[
        str, typer.Option("--from", help="For a platform that is started here, as of `openbell up`.")
    ] = "",
    speed: Annotated[str, typer.Option(help="For a platform that is started here, as of `openbell up`.")] = "600x",
    state: Annotated[Path | None, typer.Option(help="Start the platform that this folder keeps.")] = None,
    stack: StackOption = "",
    local: LocalOption = "",
) -> None:
    """Open a web page over a platform: runs, the workflow, positions, the dashboard, the kill switch.

    If none is named and none runs in this folder, a local one is started over the sample, and ends with the console.
    Ctrl-C ends it. The pages are for this machine and for who has the printed address, which holds a key.

    Exit codes: 0 ended by Ctrl-C; 1 the platform did not start, or ended; 2 no such platform, or the port is taken.
    """
    with told_plainly():
        if not 0 <= port <= _LARGEST_PORT:
            raise InvalidInput(f"--port {port}: expected a number from 0 to {_LARGEST_PORT}")
        parse_instant(start, "--from", MORNING)
        parse_speed(speed)
        from console.serve import serving  # noqa: PLC0415

        try:
            with _platform(stack, local, start, speed, state) as (platform, alive), serving(platform, port) as address:
                _tell(address, platform)
                while True:
                    alive()
                    time.sleep(0.5)
        except KeyboardInterrupt:
            results().print("The console is closed.")


@contextmanager
def _platform(stack: str, local: str, start: str, speed: str, state: Path | None) -> Iterator[tuple["Platform", Alive]]:
    """The platform that is meant, or one that is started now."""
    from cli.platform import find_place, open_platform  # noqa: PLC0415

    own = bool(start or state)
    if stack or local or (not own and _one_runs_here()):
        if own:
            raise InvalidInput(
                "--from and --state belong to a platform that is started here: leave --stack and --local out"
            )
        with open_platform(find_place(stack, local)) as platform:
            yield platform, lambda: None
        return
    with _started(start, speed, state) as alive, open_platform(find_place("", "")) as platform:
        yield platform, alive


def _one_runs_here() -> bool:
    """Whether the platform of this folder answers; one that was killed leaves its file behind."""
    from cli.endpoint import read_endpoint  # noqa: PLC0415
    from cli.platform import find_place, open_platform  # noqa: PLC0415

    if read_endpoint() is None:
        return False
    try:
        with open_platform(find_place("", "")):
            return True
    except InvalidInput:
        return False


@contextmanager
def _started(start: str, speed: str, state: Path | None) -> Iterator[Alive]:
    from cli.platform import PlatformUnreachable  # noqa: PLC0415
    from console.child import LOG, arguments, last_words, running  # noqa: PLC0415

    results().print(f"Starting a local platform; what it says is in {LOG}.", style="dim", highlight=False)
    with running(arguments(start, speed, state)) as process:

        def alive() -> None:
            if process.poll() is not None:
                raise PlatformUnreachable(f"the local platform has ended:\n{last_words()}")

        yield alive


def _tell(address: str, platform: "Platform") -> None:
    results().print(
        f"{platform.place.stack}, {platform.where}: the console is open. Ctrl-C closes it.", highlight=False
    )
    results().print(address, soft_wrap=True, highlight=False)
    screen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.stdout.isatty() and screen:
        webbrowser.open(address)
