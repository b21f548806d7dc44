"""Playing one session after the other on the stage."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from cli.arguments import RunOptions
from cli.day import Alert, Day, Result
from cli.effective import effective_config
from cli.follow import follow
from cli.live import LiveDisplay
from cli.market import open_market, start_of
from cli.stage import Execution, Stage, open_stage
from openbell.model import RunStatus


class _Inbox:
    """Alerts as they arrive, kept for the run during which they came."""

    def __init__(self) -> None:
        self._alerts: list[Alert] = []
        self.display: LiveDisplay | None = None

    def receive(self, alert: Alert) -> None:
        self._alerts.append(alert)
        if self.display:
            self.display.alert(alert)

    def take(self) -> tuple[Alert, ...]:
        """What came since the last time."""
        taken, self._alerts = tuple(self._alerts), []
        return taken


def rehearse(options: RunOptions, console: Console, on_day: Callable[[Day], None]) -> Result:
    """Run the workflow on each session; `on_day` gets every run as soon as it has ended.

    Ends early when ledger and exchange disagree. Raises InvalidInput or ConfigError before anything is started.
    """
    config = effective_config(options.config, options.strategies)
    market = open_market(options.bars)
    start = start_of(market, options.as_of, options.days)
    inbox = _Inbox()
    with _work_folder(console, keep=options.keep) as work:
        console.print(f"Starting the exchange at {start:%Y-%m-%d %H:%M} New York and the local cloud ...", style="dim")
        with open_stage(options, config, market, start, work, inbox.receive) as stage:
            days = tuple(_days(stage, options.days, inbox, console, on_day))
            return Result(days, options.equity, market.source, stage.exchange.describe_fills())


def _days(stage: Stage, number: int, inbox: _Inbox, console: Console, on_day: Callable[[Day], None]) -> Iterator[Day]:
    time_of_day = stage.exchange.now.time()
    for index in range(number):
        if index:
            stage.exchange.close_session()
            stage.exchange.open_next_session(time_of_day)
        for start in stage.starts():
            day = _play(stage, start(), inbox, console)
            on_day(day)
            yield day
            if day.books_agree is False:
                return


def _play(stage: Stage, execution: Execution, inbox: _Inbox, console: Console) -> Day:
    console.print(f"[bold]{stage.exchange.now:%a %-d %B %Y %H:%M}[/] started by {execution.started_by}")
    with LiveDisplay(console) as display:
        inbox.display = display
        story = follow(lambda: stage.events(execution), stage.states, display)
    report = stage.report(execution, story)
    compared = stage.differences() if report.status is RunStatus.COMPLETED else ()
    return Day(report, story, execution.started_by, inbox.take(), compared)


@contextmanager
def _work_folder(console: Console, *, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="openbell-"))
    try:
        yield folder
    finally:
        if keep:
            console.print(f"Work folder kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
