"""`openbell run`: the whole workflow on a laptop, on the market of any day in the data; and `run show`, what it did."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.answer import to_answer
from cli.arguments import (
    RunOptions,
    parse_bundles,
    parse_days,
    parse_equity,
    parse_moment,
    parse_slippage,
    parse_strategies,
)
from cli.commands.runs import show
from cli.consoles import progress, results
from cli.day import Day, Result
from cli.errors import told_plainly
from cli.places import STRATEGIES
from cli.tables import print_day, print_summary
from openbell.errors import InvalidInput

run = typer.Typer(invoke_without_command=True, no_args_is_help=False)
run.command()(show)


@run.callback()
def _run(  # noqa: PLR0913 an argument for each option
    context: typer.Context,
    *,
    as_of: Annotated[
        str, typer.Option(help="New York time to start at, such as 2022-06-15T15:00; a date alone means 15:00.")
    ] = "",
    days: Annotated[int, typer.Option(help="How many sessions to trade, one after the other.")] = 1,
    strategies: Annotated[
        str, typer.Option(help="Names separated by commas; default: all that the configuration enables.")
    ] = "",
    bars: Annotated[
        Path | None, typer.Option(help="CSV or Parquet with daily bars; default: the sample that is shipped.")
    ] = None,
    config: Annotated[Path, typer.Option(help="The strategies' configuration.")] = STRATEGIES,
    equity: Annotated[str, typer.Option(help="Cash to start with, USD.")] = "100000",
    slippage_bps: Annotated[str, typer.Option(help="How much worse than the price the exchange fills.")] = "2",
    report: Annotated[Path | None, typer.Option(help="Where the HTML report goes; default: reports/.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout instead of tables.")] = False,
    bundles: Annotated[
        Path | None, typer.Option(help="Run the bundles that make package built here, such as .aws-sam/build.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the work folder behind, and say where it is.")] = False,
) -> None:
    """Run the trading workflow here: paper exchange, local cloud, every Lambda, no AWS account.

    Exit codes: 0 every run completed and the books agree; 1 a run failed; 2 wrong input, nothing was started; 3 a run
    was skipped (market closed, halted) and nothing failed; 4 ledger and exchange disagree; 130 interrupted.
    """
    with told_plainly():
        if context.invoked_subcommand:
            _refuse_options_before(context)
            return
        options = RunOptions(
            as_of=parse_moment(as_of) if as_of else None,
            days=parse_days(days),
            strategies=parse_strategies(strategies),
            bars=bars,
            config=config,
            equity=parse_equity(equity),
            slippage_bps=parse_slippage(slippage_bps),
            report=report,
            keep=keep,
            bundles=parse_bundles(bundles),
        )
        # Seconds of imports, for which wrong arguments and --help need not wait.
        from cli.rehearse import rehearse  # noqa: PLC0415
        from cli.report import write_page  # noqa: PLC0415

        result = rehearse(options, progress(), _ignore if as_json else _show)
        path = report or _default_path(result)
        write_page(result, path)
        _tell(result, path, as_json=as_json)
    raise typer.Exit(result.exit)


def _refuse_options_before(context: typer.Context) -> None:
    """Options of the rehearsal would be lost before a command such as `show`."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source and source.name == "COMMANDLINE":
            raise InvalidInput(
                f"{parameter.opts[0]} belongs to `openbell run` itself; options of `{context.invoked_subcommand}` "
                "follow after it"
            )


def _ignore(_: Day) -> None:
    """With --json, stdout is for the answer alone."""


def _show(day: Day) -> None:
    print_day(results(), day, tuple(day.report.sleeves) or day.report.strategies)


def _default_path(result: Result) -> Path:
    """reports/<run> for one run, reports/<first date>_<last date> for several."""
    first, last = result.days[0].report, result.last.report
    name = first.run_id if len(result.days) == 1 else f"{first.as_of:%Y-%m-%d}_{last.as_of:%Y-%m-%d}"
    return Path("reports") / f"{name}.html"


def _tell(result: Result, path: Path, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(to_answer(result, path) + "\n")
        return
    console = results()
    if len(result.days) > 1:
        print_summary(console, result)
    console.print(f"Report: {escape(str(path))}", soft_wrap=True)
