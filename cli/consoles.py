"""Where results and progress go."""

from rich.console import Console

_WIDTH_OF_A_FILE = 140  # columns, where the output is no terminal


def results() -> Console:
    """Stdout, for what was asked."""
    return _console(stderr=False)


def progress() -> Console:
    """Stderr, for what happens meanwhile, and for errors."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=_WIDTH_OF_A_FILE)
