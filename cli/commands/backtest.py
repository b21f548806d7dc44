"""`openbell backtest`: what strategies would have done over years of market history."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cli.arguments import parse_equity, parse_slippage, parse_strategies
from cli.commands.options import JsonOption
from cli.commands.past_options import (
    FORECASTS,
    BarsOption,
    CacheOption,
    ConfigOption,
    CostOption,
    EveryOption,
    FromOption,
    MembersOption,
    SeedOption,
    SlippageOption,
    ToOption,
)
from cli.consoles import progress, results
from cli.errors import told_plainly
from cli.exits import Exit
from cli.places import STRATEGIES

if TYPE_CHECKING:
    from lab.backtest import OnProgress
    from lab.figures import Figures


def backtest(  # noqa: PLR0913 an argument for each option
    *,
    strategies: Annotated[
        str, typer.Option(help="Names separated by commas; default: all that the configuration enables.")
    ] = "",
    first: FromOption = "",
    last: ToOption = "",
    every: EveryOption = "1d",
    bars: BarsOption = None,
    members: MembersOption = None,
    cost_bps: CostOption = "1",
    slippage_bps: SlippageOption = "2",
    equity: Annotated[str, typer.Option(help="Cash to start with, USD.")] = "100000",
    config: ConfigOption = STRATEGIES,
    report: Annotated[Path | None, typer.Option(help="Where the tear sheet goes; default: reports/.")] = None,
    as_json: JsonOption = False,
    cache: CacheOption = FORECASTS,
    engine: Annotated[
        str, typer.Option(help="openbell: the paper exchange. backtrader: inside Backtrader, an extra of its own.")
    ] = "openbell",
    seed: SeedOption = 0,
) -> None:
    """Play strategies over history: the decisions of the workflow, on a paper exchange in this process.

    Exit codes: 0 played; 1 no strategy completed a single run; 2 wrong input; 130 interrupted (forecasts are kept).
    """
    with told_plainly():
        # Seconds of imports, for which --help need not wait.
        from lab.request import BacktestRequest, parse_cost, parse_date, parse_engine, parse_every  # noqa: PLC0415
        from lab.session import play  # noqa: PLC0415

        request = BacktestRequest(
            strategies=parse_strategies(strategies),
            first=parse_date("--from", first),
            last=parse_date("--to", last),
            every=parse_every(every),
            bars=bars,
            cost_bps=parse_cost(cost_bps),
            slippage_bps=parse_slippage(slippage_bps),
            cash=parse_equity(equity),
            config=config,
            seed=seed,
            engine=parse_engine(engine),
            members=members,
        )
        with _progress_bar() as on_progress:
            played = play(request, cache, on_progress)
        path = report or Path("reports") / f"{played.name}.html"
        played.write_tear_sheet(path)
        _tell(played.figures, path, as_json=as_json)
    raise typer.Exit(Exit.OK if played.figures.anything_ran else Exit.FAILED)


@contextmanager
def _progress_bar() -> Iterator["OnProgress"]:
    columns = (TextColumn("Backtest"), BarColumn(), MofNCompleteColumn(), TextColumn("runs"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=progress(), transient=True) as bar:
        task = bar.add_task("")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _tell(figures: "Figures", path: Path, *, as_json: bool) -> None:
    from lab.figures import to_answer  # noqa: PLC0415
    from lab.tables import tables  # noqa: PLC0415
    from lab.tear_sheet.verdict import verdict_of  # noqa: PLC0415

    if as_json:
        sys.stdout.write(
            json.dumps({"verdict": verdict_of(figures), **to_answer(figures), "report": str(path)}, indent=1) + "\n"
        )
        return
    console = results()
    for table in tables(figures):
        console.print(table, highlight=False)
    console.print(f"Tear sheet: {escape(str(path))}", soft_wrap=True)
