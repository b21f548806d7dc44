"""What a person sees of a view; and what happens beside the platform."""

from collections.abc import Callable, Iterable
from io import StringIO

from rich.console import Console, RenderableType

from paper import Side, Ticket
from tests.builders import D
from tests.integration.workflow.stage import Stage

type Lay[V] = Callable[[V], Iterable[RenderableType]]


def printed[V](view: V, lay: Lay[V]) -> str:
    """The view as a person sees it, in a wide terminal."""
    told = StringIO()
    console = Console(file=told, width=200)
    for table in lay(view):
        console.print(table, highlight=False)
    return told.getvalue()


def line_with(text: str, *words: str) -> str:
    (line,) = [line for line in text.splitlines() if all(word in line for word in words)]
    return line


def trade(stage: Stage, side: Side, symbol: str, qty: str) -> None:
    """By hand, beside the platform; filled at once."""
    stage.exchange.submit(Ticket(symbol, side, D(qty)))
    stage.exchange.wait(1)
