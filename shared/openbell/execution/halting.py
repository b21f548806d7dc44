"""When the platform stops itself, and how a person hears of it."""

from collections.abc import Iterable

from openbell.execution.alerting import tell
from openbell.model import Halt, Run, RunStatus
from openbell.ports import Desk


def failed_in_a_row(newest_first: Iterable[Run]) -> int:
    """How many of the newest runs failed, one after the other; skipped ones do not count either way."""
    count = 0
    for run in newest_first:
        if run.status is RunStatus.FAILED:
            count += 1
        elif run.status is RunStatus.COMPLETED:
            break
    return count


def alert_halt(halt: Halt, desk: Desk) -> None:
    """Tell that the platform has halted itself."""
    tell(
        "Openbell: trading halted",
        f"{halt.reason}\nPositions and their protective orders stay as they are; no new order is sent.\n"
        "First thing to do: openbell status; then docs/runbook.md, 'Trading halted'; resume with: openbell resume",
        desk,
    )
