"""`openbell cost`: the bill of a month, reckoned from what the platform has used."""

from typing import Annotated

import typer

from cli.commands.options import JsonOption, LocalOption, StackOption, operating, tell

TICKS = 26 * 21  # every quarter of an hour of 21 sessions; as openbell.costs has it, whose import takes its time


def cost(
    *,
    ticks: Annotated[
        int, typer.Option(help="Ticks in the month; default: every quarter of an hour of 21 sessions.")
    ] = TICKS,
    tickers: Annotated[int, typer.Option(help="Reckon as if so many tickers were forecast; default: as recorded.")] = 0,
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Reckon what a month costs on AWS from the ticks in the logs and the newest runs, with and without the free tier.

    Exit codes: 0; 1 the platform does not answer; 2 no such platform, nothing recorded yet, or wrong numbers.
    """
    with operating(stack, local) as platform:
        from cli.views.cost import costs_tables, read_costs  # noqa: PLC0415

        tell(platform, read_costs(platform, ticks, tickers), costs_tables, as_json=as_json)
