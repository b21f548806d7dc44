"""The arguments of `openbell up`, checked before anything is started."""

import re
import socket
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path

from cli.arguments import parse_moment
from openbell.errors import InvalidInput

MORNING, NIGHT = time(9), time(20)  # New York: before the first tick of a day, and after the last
_LARGEST_PORT = 65534  # the exchange listens on the port after the local cloud's


@dataclass(frozen=True)
class UpOptions:
    """What is played, how fast, and where it is kept. None is chosen by the data, or by what was kept."""

    start: datetime | None  # New York
    until: datetime | None  # New York
    speed: float | None  # market seconds for a real one; None: as fast as the runs allow
    state: Path | None  # None: nothing is kept
    bars: Path | None
    config: Path
    equity: Decimal | None  # USD
    port: int  # 0: any free ones


def parse_instant(text: str, option: str, of_a_date: time) -> datetime | None:
    """A moment as `parse_moment` reads it, None for no text."""
    return parse_moment(text, option, of_a_date) if text else None


def parse_speed(text: str) -> float | None:
    """How many seconds of the market a real one has: 600 for `600x`, None for `max`; InvalidInput for anything else."""
    if text == "max":
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)x?", text)
    if found is None or float(found[1]) <= 0:
        raise InvalidInput(f"--speed {text}: expected 1x for real time, a multiple such as 600x, or max")
    return float(found[1])


def parse_port(port: int) -> int:
    """The local cloud's port; InvalidInput if there is no such port, or it or the one for the exchange is taken."""
    if not 0 <= port <= _LARGEST_PORT:
        raise InvalidInput(f"--port {port}: expected a port from 1 to {_LARGEST_PORT}, or 0 for any that are free")
    for wanted in (port, port + 1) if port else ():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError as error:
                raise InvalidInput(
                    f"--port {port}: the port {wanted} cannot be had ({error.strerror}); the local cloud takes {port}, "
                    f"the exchange {port + 1}"
                ) from error
    return port
