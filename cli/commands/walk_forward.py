"""`openbell walk-forward`: what parameters that looked best in the past were worth afterwards."""

from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import parse_equity, parse_slippage
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
from cli.errors import told_plainly
from cli.exits import Exit
from cli.places import STRATEGIES


def walk_forward(  # noqa: PLR0913 an argument for each option
    *,
    strategy: Annotated[str, typer.Argument(help="The strategy whose parameters are searched.")],
    grid: Annotated[Path, typer.Option(help="YAML or JSON with the values to try; see docs/sweeps.md.")],
    first: FromOption = "",
    last: ToOption = "",
    train: Annotated[str, typer.Option(help="In-sample window: sessions, or 2y, 6m, 4w.")] = "2y",
    test: Annotated[str, typer.Option(help="Out-of-sample window: likewise.")] = "6m",
    anchored: Annotated[
        bool, typer.Option("--anchored", help="Every in-sample window begins with the first session.")
    ] = False,
    every: EveryOption = "1d",
    bars: BarsOption = None,
    members: MembersOption = None,
    cost_bps: CostOption = "1",
    slippage_bps: SlippageOption = "2",
    equity: Annotated[str, typer.Option(help="Cash that every window begins with, USD.")] = "100000",
    config: ConfigOption = STRATEGIES,
    processes: Annotated[int | None, typer.Option(help="At most so many; default: one a processor.", min=1)] = None,
    report: Annotated[Path | None, typer.Option(help="Where the JSON goes; default: reports/.")] = None,
    as_json: JsonOption = False,
    cache: CacheOption = FORECASTS,
    seed: SeedOption = 0,
) -> None:
    """Search parameters in one window of history, play the best in the next, and go on to the end.

    Exit codes: 0 played; 1 no fold has an out-of-sample result; 2 wrong input; 130 interrupted (forecasts are kept).
    """
    with told_plainly():
        # Seconds of imports, for which --help need not wait.
        from cli.trials.bar import trials_bar  # noqa: PLC0415
        from cli.trials.search import Windows, open_search  # noqa: PLC0415
        from cli.trials.show import show_walk_forward  # noqa: PLC0415
        from lab.forecasts import ForecastStore  # noqa: PLC0415
        from lab.request import BacktestRequest, parse_cost, parse_date, parse_every  # noqa: PLC0415
        from lab.trials import ProcessRunner, read_grid  # noqa: PLC0415
        from lab.trials import walk_forward as searched  # noqa: PLC0415
        from lab.trials.running import Bench  # noqa: PLC0415

        request = BacktestRequest(
            strategies=(strategy,),
            first=parse_date("--from", first),
            last=parse_date("--to", last),
            every=parse_every(every),
            bars=bars,
            cost_bps=parse_cost(cost_bps),
            slippage_bps=parse_slippage(slippage_bps),
            cash=parse_equity(equity),
            config=config,
            seed=seed,
            members=members,
        )
        search = open_search(read_grid(grid, strategy), request)
        folds = Windows(train, test, anchored).folds(search.sessions)
        bench = Bench(search.market.history, search.config, search.terms, ForecastStore(cache))
        with trials_bar() as on_trials, ProcessRunner(bench, on_trials, processes) as run:
            found = searched(search.grid, folds, run)
        path = report or Path("reports") / f"{search.name('walk-forward')}.json"
        show_walk_forward(search, found, path, as_json=as_json)
    raise typer.Exit(Exit.OK if len(found.returns) else Exit.FAILED)
