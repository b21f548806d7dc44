"""`openbell check`: whether a strategy is what it says it is."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.options import JsonOption
from cli.commands.past_options import BarsOption, ConfigOption
from cli.consoles import progress, results
from cli.errors import told_plainly
from cli.exits import Exit
from cli.places import STRATEGIES
from openbell.errors import InvalidInput

if TYPE_CHECKING:
    from lab.honesty import Examination

_MOST_CUTS = 1000


def check(
    *,
    strategy: Annotated[str, typer.Argument(help="A strategy of the configuration, or one that ships.")],
    bars: BarsOption = None,
    config: ConfigOption = STRATEGIES,
    first: Annotated[str, typer.Option("--from", help="Look at sessions from then on; default: after a year.")] = "",
    last: Annotated[str, typer.Option("--to", help="And until then; default: the end of the data.")] = "",
    cuts: Annotated[int, typer.Option(help="Behind how many sessions the future is changed.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the choice of the sessions, and of the futures.", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Look for look-ahead, state, chance, files that are read, and signals that hang on how many bars are shown.

    Exit codes: 0 honest; 1 something was found, or there were no signals to prove it by; 2 wrong input.
    """
    with told_plainly():
        found = _examined(strategy, bars, config, (first, last), _parse_cuts(cuts), seed)
        _tell(found, as_json=as_json)
    raise typer.Exit(Exit.OK if found.honest else Exit.FAILED)


def _parse_cuts(cuts: int) -> int:
    if not 1 <= cuts <= _MOST_CUTS:
        raise InvalidInput(f"--cuts {cuts}: expected a number of sessions from 1 to {_MOST_CUTS}")
    return cuts


def _examined(
    strategy: str, bars: Path | None, config: Path, span: tuple[str, str], cuts: int, seed: int
) -> "Examination":
    # Seconds of imports, for which --help need not wait.
    from cli.market import open_market  # noqa: PLC0415
    from lab.forecasts import ForecastStore  # noqa: PLC0415
    from lab.honesty import Stage, examine, scenes  # noqa: PLC0415
    from lab.request import chosen_config, parse_date  # noqa: PLC0415

    first, last = parse_date("--from", span[0]), parse_date("--to", span[1])
    settings = chosen_config(config, (strategy,))
    stage = Stage(open_market(bars).history, settings, strategy, ForecastStore(None))
    chosen = scenes(stage, first, last, cuts, seed)
    with progress().status("check") as status:
        return examine(stage, chosen, seed, lambda doing: status.update(f"check: {doing}"))


def _tell(found: "Examination", *, as_json: bool) -> None:
    if as_json:
        from openbell.codec import to_plain  # noqa: PLC0415

        sys.stdout.write(json.dumps({"honest": found.honest, **to_plain(found)}, indent=1) + "\n")
        return
    from cli.views.check import check_tables  # noqa: PLC0415

    console = results()
    for table in check_tables(found):
        console.print(table, highlight=False)
