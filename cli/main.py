"""The console script `openbell`."""

import typer

from cli.commands.forecast import forecast
from cli.commands.forecasts import forecasts
from cli.commands.run import run
from cli.commands.strategies import strategies

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="rich",
    help="Several trading strategies in one account: the same workflow on a laptop as on AWS.",
)


@app.callback()
def _root() -> None:
    """Keeps the verbs as verbs while there is only one of them."""


app.command()(run)
app.command()(forecast)
app.add_typer(forecasts, name="forecasts")
app.add_typer(strategies, name="strategies")
