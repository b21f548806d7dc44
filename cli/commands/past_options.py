"""What every command takes that plays strategies over market history."""

from pathlib import Path
from typing import Annotated

import typer

FORECASTS = Path(".openbell/forecasts")

FromOption = Annotated[str, typer.Option("--from", help="First session; default: a year after the data begins.")]
ToOption = Annotated[str, typer.Option("--to", help="Last session; default: the end of the data.")]
EveryOption = Annotated[str, typer.Option(help="1d: a run each session. 1w: one on the first session of a week.")]
BarsOption = Annotated[
    Path | None, typer.Option(help="CSV or Parquet with daily bars; default: the sample that is shipped.")
]
MembersOption = Annotated[
    Path | None, typer.Option(help="CSV with date,tickers rows: only members of the day are candidates.")
]
CostOption = Annotated[str, typer.Option(help="Commission, basis points of every fill's value.")]
SlippageOption = Annotated[str, typer.Option(help="How much worse than the price the exchange fills.")]
ConfigOption = Annotated[Path, typer.Option(help="The strategies' configuration.")]
CacheOption = Annotated[Path, typer.Option(help="Where forecasts are kept, so that a second time is quick.")]
SeedOption = Annotated[int, typer.Option(help="Of the bootstrap of the Sharpe ratio.", min=0)]
