"""`openbell sweep`: many trials of parameters in Lambdas, in a local cloud or on AWS."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import parse_equity, parse_slippage
from cli.commands.options import JsonOption, LocalOption, StackOption
from cli.commands.past_options import (
    BarsOption,
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
from openbell.errors import InvalidInput

if TYPE_CHECKING:
    from cli.trials.search import Windows


def sweep(  # noqa: PLR0913 an argument for each option
    *,
    grid: Annotated[Path, typer.Option(help="YAML or JSON with strategy and values to try; see docs/sweeps.md.")],
    first: FromOption = "",
    last: ToOption = "",
    walk_forward: Annotated[
        bool, typer.Option("--walk-forward", help="Search window by window, as openbell walk-forward does.")
    ] = False,
    train: Annotated[str, typer.Option(help="With --walk-forward, the in-sample window; default: 2y.")] = "",
    test: Annotated[str, typer.Option(help="With --walk-forward, the out-of-sample window; default: 6m.")] = "",
    anchored: Annotated[
        bool, typer.Option("--anchored", help="With --walk-forward, windows that grow from the start.")
    ] = False,
    every: EveryOption = "1d",
    bars: BarsOption = None,
    members: MembersOption = None,
    cost_bps: CostOption = "1",
    slippage_bps: SlippageOption = "2",
    equity: Annotated[str, typer.Option(help="Cash that every trial begins with, USD.")] = "100000",
    config: ConfigOption = STRATEGIES,
    stack: StackOption = "",
    local: LocalOption = "",
    concurrency: Annotated[int, typer.Option(help="Lambdas at once, on AWS.", min=1, max=1000)] = 40,
    resume: Annotated[str, typer.Option(help="Go on with the sweep of this name: what it has played is kept.")] = "",
    report: Annotated[Path | None, typer.Option(help="Where the JSON goes; default: reports/.")] = None,
    as_json: JsonOption = False,
    seed: SeedOption = 0,
) -> None:
    """Try every combination of a grid, each in a backtest of its own, fanned out to Lambdas by Step Functions.

    Without --stack or --local in a local cloud that is gone afterwards.

    Exit codes: 0 played; 1 nothing was played, or the execution failed; 2 wrong input; 130 interrupted.
    """
    with told_plainly():
        # Seconds of imports, for which --help need not wait.
        from cli.trials.fan_out import Fanned, fan_out  # noqa: PLC0415
        from cli.trials.search import Windows, open_search  # noqa: PLC0415
        from lab.request import BacktestRequest, parse_cost, parse_date, parse_every  # noqa: PLC0415
        from lab.trials import read_grid  # noqa: PLC0415

        windows = _windows(Windows(train, test, anchored), asked=walk_forward)
        if resume and not (stack or local):
            raise InvalidInput("--resume needs --stack or --local: a sweep in a cloud of its own ends with the command")
        request = BacktestRequest(
            strategies=(),
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
        search = open_search(read_grid(grid), request)
        fanned = Fanned(stack, local, config.resolve().parent, concurrency, resume)
        anything = fan_out(search, windows, fanned, report, as_json=as_json)
    raise typer.Exit(Exit.OK if anything else Exit.FAILED)


def _windows(given: "Windows", *, asked: bool) -> "Windows | None":
    if asked:
        return given
    if given.train or given.test or given.anchored:
        raise InvalidInput("--train, --test and --anchored are of a walk-forward; add --walk-forward")
    return None
