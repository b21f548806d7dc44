"""What ails a platform, and how to mend it."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from cli.checkup import Check
from cli.exits import Exit
from cli.formats import count
from cli.grid import grid


@dataclass(frozen=True)
class Diagnosis:
    """Every check, in the order in which it was made."""

    checks: tuple[Check, ...]

    @property
    def exit(self) -> Exit:
        """OK only if everything is."""
        return Exit.OK if all(check.ok for check in self.checks) else Exit.FAILED


def doctor_tables(found: Diagnosis) -> Iterator[Table | str]:
    """The view for people."""
    table = grid("", "Checked", "", "Found")
    for check in found.checks:
        table.add_row(check.what, "[green]ok[/]" if check.ok else "[bold red]failed[/]", _told(check))
    yield table
    failed = sum(not check.ok for check in found.checks)
    yield "[green]All is well.[/]" if not failed else f"[red]{count(failed, 'check')} failed.[/]"


def _told(check: Check) -> str:
    mend = "" if check.ok else f"\n[yellow]To mend it:[/] {escape(check.mend)}"
    return f"{escape(check.found)}{mend}"
