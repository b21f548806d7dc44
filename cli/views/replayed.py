"""A replay for people and programs: identical, or where not."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from cli.exits import Exit
from cli.formats import count
from cli.grid import grid
from openbell.replay import Difference, Replay

_SHOWN = 50  # differences; the rest are only counted


@dataclass(frozen=True)
class Replayed:
    """The outcome of a replay."""

    run_id: str
    identical: bool
    size: int  # bytes of the stored decisions
    differences: tuple[Difference, ...]

    @property
    def exit(self) -> Exit:
        """FAILED unless the decisions are identical."""
        return Exit.OK if self.identical else Exit.FAILED


def read_replay(replay: Replay) -> Replayed:
    """The view of a replay."""
    return Replayed(replay.run_id, replay.identical, len(replay.stored), replay.differences)


def replayed_tables(found: Replayed) -> Iterator[Table | str]:
    """The view for people."""
    if found.identical:
        yield f"[green]identical[/]: signals and plan of run {escape(found.run_id)}, {found.size:,} bytes"
        return
    differ = count(len(found.differences), "difference")
    table = grid(f"[red]different[/]: run {escape(found.run_id)}, {differ}", "Where", "Stored", "Recomputed")
    for difference in found.differences[:_SHOWN]:
        table.add_row(*(escape(text) for text in (difference.where, difference.stored, difference.recomputed)))
    yield table
    if len(found.differences) > _SHOWN:
        yield f"and {len(found.differences) - _SHOWN} more: --json has them all"
    yield "Either what the run kept was changed, or the strategies' code here is not what the run was made with."
