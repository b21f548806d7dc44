"""`openbell forecast`: what is expected of a ticker in the coming sessions, and whether to believe it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.errors import told_plainly
from cli.forecasting.arguments import parse_date, parse_options, parse_tickers
from openbell.errors import InvalidInput


def forecast(  # noqa: PLR0913 an argument for each option
    tickers: Annotated[list[str], typer.Argument(help="One or more, such as AAPL MSFT.")],
    *,
    horizon: Annotated[int, typer.Option(help="Sessions ahead, 1 to 252.")] = 15,
    preset: Annotated[str, typer.Option(help="calibrated, or raw: Prophet as it is.")] = "calibrated",
    history: Annotated[int, typer.Option(help="Bars that are fitted.")] = 504,
    interval: Annotated[float, typer.Option(help="Share of the outcomes that the interval shall hold.")] = 0.8,
    as_of: Annotated[str, typer.Option(help="The last session whose close is known; default: the newest.")] = "",
    bars: Annotated[
        Path | None, typer.Option(help="CSV or Parquet with daily bars; default: the sample that is shipped.")
    ] = None,
    source: Annotated[
        Literal["sample", "yahoo"], typer.Option(help="Where the closes come from if there is no --bars.")
    ] = "sample",
    plot: Annotated[Path | None, typer.Option(help="Draw past, forecast and interval into this .svg or .png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout instead of tables.")] = False,
) -> None:
    """Forecast tickers, and say what the forecasts of their past were worth.

    Exit codes: 0; 1 the price source did not answer; 2 wrong input, or a ticker that cannot be forecast.
    """
    with told_plainly():
        if bars and source == "yahoo":
            raise InvalidInput("--bars and --source yahoo exclude each other: the closes come from one place")
        names, options = parse_tickers(",".join(tickers)), parse_options(preset, horizon, history, interval)
        day = parse_date(as_of, "--as-of")
        # Seconds of imports, for which wrong arguments and --help need not wait.
        from cli.forecasting.show import AheadQuery, show_outlooks  # noqa: PLC0415

        show_outlooks(AheadQuery(names, options, day, bars, source == "yahoo", plot), as_json=as_json)
