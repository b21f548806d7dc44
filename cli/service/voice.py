"""What a running service says: a line for each run on stdout; alerts and where it stands on stderr."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

from cli.consoles import progress, results
from cli.day import Alert
from cli.formats import count, money
from openbell.errors import message_of
from openbell.model import NEW_YORK, Order, Run

_COLOURS = {"COMPLETED": "green", "SKIPPED": "dim"}


@dataclass(frozen=True)
class Told:
    """A run that has ended, or an execution that never became one."""

    at: datetime  # the exchange's time when it started
    status: str  # of the run, else of the execution
    execution: str
    equity: Decimal  # USD, of the account now
    run_id: str = ""
    schedule: str = ""
    strategies: tuple[str, ...] = ()
    note: str = ""
    orders: int = 0
    filled: int = 0

    @property
    def line(self) -> str:
        """The run in one line."""
        head = f"{self.at:%a %Y-%m-%d %H:%M}  {self.schedule or '-':<12}  {self.status:<9}"
        if self.status != "COMPLETED":
            return f"{head}  {self.note}"
        done = f"{count(self.orders, 'order')}, {self.filled} filled" if self.orders else "no orders"
        return f"{head}  {done}, equity {money(self.equity)}  {self.run_id}"

    def as_json(self) -> str:
        """The run as a JSON object; money as text."""
        return json.dumps({name: _plain(value) for name, value in vars(self).items()})


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return str(value)
    return value


def told_run(run: Run, orders: list[Order], status: str, equity: Decimal) -> Told:
    """A run as the ledger has it; `status` is the execution's, which may know better how it ended."""
    ended_well = status == "SUCCEEDED"
    return Told(
        at=run.as_of.astimezone(NEW_YORK),
        status=run.status.value if ended_well or run.status.value == "FAILED" else status,
        execution=run.execution,
        equity=equity,
        run_id=run.run_id,
        schedule=run.schedule,
        strategies=run.strategies,
        note=run.note.partition("\n")[0],
        orders=len(orders),
        filled=sum(order.status.value == "FILLED" for order in orders),
    )


def told_failure(at: datetime, execution: str, status: str, error: str, cause: str, equity: Decimal) -> Told:
    """An execution that ended before it had written a run."""
    note = f"{error}: {message_of(cause)}".rstrip(": ").partition("\n")[0]
    return Told(at.astimezone(NEW_YORK), status, execution, equity, note=note)


class Voice:
    """Speaks for the service. Alerts may come from any thread."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._errors = progress()
        self._results = results()
        self.last: Told | None = None

    def say(self, words: str) -> None:
        """Something that a person wants to know at once."""
        self._errors.print(words, style="dim", highlight=False, soft_wrap=True)

    def run(self, told: Told) -> None:
        """A run has ended."""
        self.last = told
        if self._as_json:
            sys.stdout.write(told.as_json() + "\n")
            sys.stdout.flush()
            return
        style = _COLOURS.get(told.status, "bold red")
        self._results.print(Text(told.line, style=style), soft_wrap=True)

    def alert(self, alert: Alert) -> None:
        """The platform has something to tell a person."""
        title = escape(alert.subject or "Alert")
        self._errors.print(Panel(escape(alert.message), title=title, border_style="bold red"))

    @contextmanager
    def status(self, now: Callable[[], datetime], equity: Callable[[], Decimal]) -> Iterator[None]:
        """Keep one line with where the service stands, as long as stderr is a terminal."""
        if not self._errors.is_terminal:
            yield
            return
        with Live(
            get_renderable=lambda: self._status(now(), equity()),
            console=self._errors,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        ):
            yield

    def _status(self, now: datetime, equity: Decimal) -> Text:
        last = f"{self.last.at:%H:%M} {self.last.status}" if self.last else "none yet"
        words = f" {now:%a %-d %B %Y %H:%M:%S} New York   last run {last}   equity {money(equity)} "
        return Text(words, style="reverse")
