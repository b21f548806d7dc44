"""What every command about a platform takes, and how it tells its answer."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType
from rich.markup import escape

from cli.consoles import results
from cli.errors import told_plainly

if TYPE_CHECKING:  # boto3 and the broker's client take a second, for which --help need not wait
    from cli.platform import Platform

StackOption = Annotated[
    str,
    typer.Option("--stack", help="The stack on AWS (or, with --local, in the local cloud), such as openbell-paper."),
]
LocalOption = Annotated[
    str, typer.Option("--local", help="URL of a local cloud; default: the one that `openbell up` runs in this folder.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout instead of tables.")]


@contextmanager
def operating(stack: str, local: str) -> Iterator["Platform"]:
    """The platform that is meant; errors that a person can act upon end the command with a sentence."""
    with told_plainly():
        from cli.platform import find_place, open_platform  # noqa: PLC0415

        with open_platform(find_place(stack, local)) as platform:
            yield platform


def tell[V](platform: "Platform", view: V, tables: Callable[[V], Iterable[RenderableType]], *, as_json: bool) -> None:
    """Print a view (a dataclass) of the platform, as tables or as JSON."""
    if as_json:
        from openbell.codec import to_plain  # noqa: PLC0415

        sys.stdout.write(json.dumps({"platform": platform.identity, **to_plain(view)}, indent=1) + "\n")
        return
    console = results()
    console.print(_heading(platform), highlight=False)
    for table in tables(view):
        console.print(table, highlight=False)


def confirmed(question: str) -> bool:
    """Whether a person says yes; nobody there to answer is a no."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        typer.echo(err=True)
        return False


def _heading(platform: "Platform") -> str:
    mode = "[bold red]live: real money[/]" if platform.mode == "live" else "paper"
    return f"[bold]{escape(platform.place.stack)}[/] [dim]{escape(platform.where)}[/], {mode}"
