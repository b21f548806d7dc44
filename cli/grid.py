"""How tables look on the terminal: one style for all commands."""

from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from openbell.model import NEW_YORK

_ORDER_STYLE = {"FILLED": "green", "REJECTED": "red", "EXPIRED": "red", "CANCELED": "yellow", "DROPPED": "yellow"}
_RUN_STYLE = {"COMPLETED": "green", "FAILED": "red", "SKIPPED": "yellow"}
_OTHER = "cyan"  # what has not ended


def grid(title: str, *columns: str) -> Table:
    """A table whose columns marked with > hold numbers."""
    table = Table(
        title=title, title_justify="left", title_style="bold", header_style="dim", box=SIMPLE_HEAD, pad_edge=False
    )
    for column in columns:
        number = column.startswith(">")
        table.add_column(column.removeprefix(">"), justify="right" if number else "left", no_wrap=number)
    return table


def order_status(status: str) -> str:
    """An order's status in its colour."""
    return f"[{_ORDER_STYLE.get(status, _OTHER)}]{escape(status.lower())}[/]"


def run_status(status: str) -> str:
    """A run's status in its colour."""
    return f"[{_RUN_STYLE.get(status, _OTHER)}]{escape(status.lower())}[/]"


def moment(at: datetime) -> str:
    """A moment as the clock in New York shows it: 2022-06-15 15:00."""
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"
