"""Errors as a person reads them, and what each means for the exit code."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.markup import escape

from cli.consoles import progress
from cli.exits import Exit
from openbell.errors import ConfigError, InvalidInput, OpenbellError


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn the errors that a person can act upon into a message on stderr and an exit code.

    A request to terminate ends like Ctrl-C: everything that was started is stopped first.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except (InvalidInput, ConfigError) as error:
        raise _exit(str(error), Exit.BAD_INPUT) from error
    except OpenbellError as error:
        raise _exit(f"{type(error).__name__}: {error}", Exit.FAILED) from error
    except KeyboardInterrupt as error:
        raise _exit("stopped; nothing is left running", Exit.INTERRUPTED) from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _exit(message: str, code: Exit) -> typer.Exit:
    progress().print(f"[bold red]openbell:[/] {escape(message)}", highlight=False)
    return typer.Exit(code)
