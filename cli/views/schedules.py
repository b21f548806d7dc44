"""What `openbell schedules` did."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class SchedulesSwitched:
    """The schedules before and after the command: ENABLED or DISABLED."""

    before: str
    state: str


def schedules_lines(found: SchedulesSwitched) -> Iterator[str]:
    """The change for people."""
    already = "already" if found.before == found.state else "now"
    if found.state == "ENABLED":
        yield f"The schedules are {already} on: each tick starts a run."
    else:
        yield f"The schedules are {already} off: runs start by hand only. A run under way goes on to its end."
