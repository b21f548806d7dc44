"""What the kill switch did."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.views.status import halt_line
from openbell.model import Halt


@dataclass(frozen=True)
class Switched:
    """The halt before and after the command; None where trading is on."""

    before: Halt | None
    halt: Halt | None


def switched_lines(found: Switched) -> Iterator[str]:
    """The change for people, and how it stands now."""
    yield told_change(found)
    yield halt_line(found.halt)


def told_change(found: Switched) -> str:
    """The change in a sentence or two."""
    match found.before, found.halt:
        case None, None:
            return "Trading was not halted: nothing to resume."
        case None, _:
            return "Trading is halted now. Orders at the broker stay, protective ones too."
        case before, None:
            wish = " Its wish to flatten is forgotten." if before and before.flatten else ""
            return f"Trading is on again, from the next run on.{wish}"
        case before, after if before == after:
            return "Trading was halted before; that halt and its reason stay."
    return "Trading was halted before; that halt stays, and has the wish to flatten now."
