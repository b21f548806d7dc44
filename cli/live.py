"""The run as it happens, on the terminal: states, forecasts, alerts. Everything goes to stderr."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from cli.day import Alert
from cli.formats import count, seconds
from cli.workflow import Story, Visit

_QUIET = frozenset({"Choice", "Succeed"})  # told in grey: they only say where the road goes


class LiveDisplay:
    """Prints each state when it is left, and keeps a line for the one that the execution is in."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._told = 0  # visits printed so far
        self._current = -1  # index of the visit on the line

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, story: Story) -> None:
        """Bring the terminal up to `story`."""
        for visit in story.visits[self._told :]:
            if visit.left is None:
                break
            self._print(visit)
            self._told += 1
        self._line(story)

    def alert(self, alert: Alert) -> None:
        """Print an alert, in red, whatever else is going on."""
        self._progress.console.print(Panel(escape(alert.message), title=escape(alert.subject), border_style="bold red"))

    def _print(self, visit: Visit) -> None:
        style = "dim" if visit.kind in _QUIET else "default"
        done = f"  {count(visit.items_done, 'item')}" if visit.items else ""
        self._progress.console.print(
            f"[{style}]  {escape(visit.state):<18}{seconds(visit.seconds):>9}{done}[/]", highlight=False
        )
        for failure in visit.failures:
            self._progress.console.print(f"[red]    attempt failed: {escape(failure)}[/]", highlight=False)

    def _line(self, story: Story) -> None:
        visit = story.current
        if visit is None:
            self._drop_line()
            return
        if self._current != len(story.visits):
            self._drop_line()
            self._current = len(story.visits)
            self._task = self._progress.add_task(escape(visit.state), total=None)
        if self._task is not None and visit.items:
            self._progress.update(self._task, total=visit.items, completed=visit.items_done)

    def _drop_line(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
