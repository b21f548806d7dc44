"""How far a search is, on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cli.consoles import progress
from lab.trials.running import OnTrials


@contextmanager
def trials_bar() -> Iterator[OnTrials]:
    """A bar of trials: done of all, and how many of them failed."""
    columns = (
        TextColumn("Trials"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=progress(), transient=True) as bar:
        task = bar.add_task("", failed=0)
        yield lambda done, failed, total: bar.update(task, completed=done, total=total, failed=failed)
