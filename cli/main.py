"""The console script `openbell`."""

import typer

from cli.commands.backtest import backtest
from cli.commands.books import orders, positions, reconcile
from cli.commands.check import check
from cli.commands.console import console
from cli.commands.cost import cost
from cli.commands.doctor import doctor
from cli.commands.drift import drift
from cli.commands.forecast import forecast
from cli.commands.forecasts import forecasts
from cli.commands.halt import halt, resume
from cli.commands.recover import recover
from cli.commands.release import release
from cli.commands.run import run
from cli.commands.runs import replay, runs
from cli.commands.schedules import schedules
from cli.commands.sleeves import sleeves
from cli.commands.status import status
from cli.commands.strategies import strategies
from cli.commands.sweep import sweep
from cli.commands.up import up
from cli.commands.walk_forward import walk_forward

OPERATE = "A platform that is deployed, or runs in the local cloud"

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


app.add_typer(run, name="run")
app.command()(up)
app.command()(backtest)
app.command()(check)
app.command()(walk_forward)
app.command()(sweep)
app.command(rich_help_panel=OPERATE)(console)
app.command(rich_help_panel=OPERATE)(status)
app.command(rich_help_panel=OPERATE)(positions)
app.command(rich_help_panel=OPERATE)(orders)
app.command(rich_help_panel=OPERATE)(runs)
app.command(rich_help_panel=OPERATE)(reconcile)
app.command(rich_help_panel=OPERATE)(recover)
app.command(rich_help_panel=OPERATE)(replay)
app.command(rich_help_panel=OPERATE)(drift)
app.command(rich_help_panel=OPERATE)(cost)
app.command(rich_help_panel=OPERATE)(doctor)
app.command(rich_help_panel=OPERATE)(halt)
app.command(rich_help_panel=OPERATE)(resume)
app.add_typer(release, name="release", rich_help_panel=OPERATE)
app.add_typer(sleeves, name="sleeves", rich_help_panel=OPERATE)
app.add_typer(schedules, name="schedules", rich_help_panel=OPERATE)
app.command()(forecast)
app.add_typer(forecasts, name="forecasts")
app.add_typer(strategies, name="strategies")
