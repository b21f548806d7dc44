"""What the examination of a strategy found."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from cli.formats import count
from cli.grid import grid
from lab.honesty import Examination, Status, Verdict

_STYLE = {Status.PASSED: "green", Status.FOUND: "bold red", Status.UNPROVEN: "yellow"}
_SAID = {Status.PASSED: "yes", Status.FOUND: "no", Status.UNPROVEN: "unproven"}


def check_tables(found: Examination) -> Iterator[Table | str]:
    """The view for people."""
    yield _verdicts(found)
    yield _warm_up(found)
    failed = [verdict for verdict in found.verdicts if verdict.status is not Status.PASSED]
    name = escape(found.strategy)
    if failed:
        yield f"[red]{name}: {count(len(failed), 'answer')} of {len(found.verdicts)} were not what they should be.[/]"
    else:
        yield f"[green]{name} is honest, as far as {count(len(found.sessions), 'session')} can tell.[/]"


def _verdicts(found: Examination) -> Table:
    title = f"{found.strategy}: {found.runs:,} runs, {found.signals:,} signals"
    table = grid(escape(title), "", "", "Looked at, and the first counterexample")
    for verdict in found.verdicts:
        style = _STYLE[verdict.status]
        table.add_row(verdict.question, f"[{style}]{_SAID[verdict.status]}[/]", _told(verdict))
    return table


def _told(verdict: Verdict) -> str:
    example = f"\n[red]{escape(str(verdict.example))}[/]" if verdict.example else ""
    return f"{escape(verdict.told)}{example}"


def _warm_up(found: Examination) -> Table:
    columns = (">Bars", "", ">Signals", ">Look another way", ">Largest difference", "Of")
    table = grid("Signals from few bars, beside those from many", *columns)
    for row in found.warm_up:
        example = f"{row.example.symbol} on {row.example.session}" if row.example else ""
        table.add_row(
            str(row.bars), row.meaning, f"{row.signals:,}", f"{row.changed:,}", f"{row.largest:.3g}", escape(example)
        )
    return table
