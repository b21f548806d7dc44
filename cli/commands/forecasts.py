"""`openbell forecasts score`: how good the forecasts were, beside "tomorrow equals today"."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, operating, tell
from cli.errors import told_plainly
from cli.forecasting.arguments import parse_date, parse_options, parse_tickers
from openbell.errors import InvalidInput

forecasts = typer.Typer(no_args_is_help=True, help="The forecasts: how good they were.")


@forecasts.callback()
def _verbs() -> None:
    """Keeps the verb a verb while there is only one of them."""


@forecasts.command("score")
def score(  # noqa: PLR0913 an argument for each option
    *,
    bars: Annotated[
        Path | None, typer.Option(help="CSV or Parquet with daily bars; default: the sample that is shipped.")
    ] = None,
    symbols: Annotated[str, typer.Option(help="Tickers separated by commas; default: all of them.")] = "",
    first: Annotated[str, typer.Option("--from", help="First session to forecast from; default: the earliest.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last session to forecast from; default: the latest.")] = "",
    every: Annotated[int, typer.Option(help="Forecast as of every so many sessions.")] = 5,
    horizon: Annotated[int, typer.Option(help="Sessions ahead, 1 to 252.")] = 10,
    preset: Annotated[str, typer.Option(help="calibrated, or raw: Prophet as it is.")] = "calibrated",
    history: Annotated[int, typer.Option(help="Bars that are fitted.")] = 504,
    interval: Annotated[float, typer.Option(help="Share of the outcomes that the interval shall hold.")] = 0.8,
    stored: Annotated[
        bool, typer.Option("--stored", help="Show the record that a platform keeps of its own forecasts instead.")
    ] = False,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Score forecasts over the past: each is made from what was known then, and judged by what came.

    With --stored, --stack or --local nothing is forecast: the record of a platform's strategies is shown, from --from
    on or of the last 60 sessions that have any. MASE is the mean error in units of an average session's change; naive
    says that tomorrow equals today. Exit codes: 0; 1 the platform does not answer; 2 wrong input, or no such platform.
    """
    with told_plainly():
        start, end = parse_date(first, "--from"), parse_date(last, "--to")
        if stored or stack or local:
            if bars or symbols:
                raise InvalidInput(
                    "--bars and --symbols choose what to forecast; a platform's record has no use for them"
                )
            _show_stored(start, end, stack, local, as_json=as_json)
            return
        tickers = parse_tickers(symbols) if symbols else ()
        options = parse_options(preset, horizon, history, interval)
        # Seconds of imports, for which wrong arguments and --help need not wait.
        from cli.forecasting.show import PastQuery, show_record  # noqa: PLC0415

        show_record(PastQuery(tickers, options, bars, start, end, every, preset), as_json=as_json)


def _show_stored(first: date | None, last: date | None, stack: str, local: str, *, as_json: bool) -> None:
    with operating(stack, local) as platform:
        from cli.forecasting.stored import read_stored, stored_tables, told_stored  # noqa: PLC0415

        record = read_stored(platform.ledger, first, last)
        tell(platform, told_stored(record), lambda _: stored_tables(record), as_json=as_json)
