"""`openbell strategies`: what there is, and a new one."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.consoles import results
from cli.errors import told_plainly
from cli.exits import Exit
from cli.places import STRATEGIES

# pandas takes a second to import, for which --help need not wait: hence the imports inside the commands.

strategies = typer.Typer(no_args_is_help=True, help="The strategies: list them, or begin a new one.")


@strategies.command("list")
def list_strategies(
    *,
    config: Annotated[Path, typer.Option(help="The strategies' configuration.")] = STRATEGIES,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout instead of a table.")] = False,
) -> None:
    """List the configured strategies: what they do, whether they are enabled, and their parameters.

    Exit codes: 0; 2 if the configuration, or the code or the parameters of an enabled strategy, cannot be used.
    """
    with told_plainly():
        from cli.catalogue import listed, not_configured, to_json, to_table  # noqa: PLC0415
        from openbell.config import load_config  # noqa: PLC0415

        found = load_config(config)
        rows, spare = listed(found, config.parent), not_configured(found)
    if as_json:
        sys.stdout.write(to_json(rows, spare) + "\n")
    else:
        results().print(to_table(rows))
        if spare:
            results().print(f"[dim]Not configured: {', '.join(spare)}[/]")
    raise typer.Exit(Exit.BAD_INPUT if any(row.enabled and row.error for row in rows) else Exit.OK)


@strategies.command("new")
def new_strategy(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and _, such as my_strategy.")],
    folder: Annotated[Path, typer.Option(help="Where its file goes.")] = STRATEGIES.parent / "strategies",
) -> None:
    """Write a commented strategy that works and a test that passes, and say how to enable it."""
    with told_plainly():
        from cli.skeleton import write_skeleton  # noqa: PLC0415

        made = write_skeleton(name, folder)
    where = "It ships with the next deployment." if made.ships else "For this machine only: what ships is in config/."
    text = f"""\
Wrote {_short(made.file)}
      {_short(made.test)}

Enable it in {_short(STRATEGIES)} (the enabled allocations sum to 1 at most):

  {name}:
    uses: {made.uses}
    allocation: 0.1
    parameters: {{bars: 20}}

{where} Try it with
  {_short(Path(sys.executable))} -m pytest {_short(made.test)}
  openbell run --strategies {name}"""
    results().print(escape(text), soft_wrap=True, highlight=False)


def _short(path: Path) -> Path:
    """Relative to where the person is, if it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
