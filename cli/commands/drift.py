"""`openbell drift`: runs that really happened, each beside the backtest of the same moment."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import parse_slippage
from cli.commands.options import JsonOption, LocalOption, StackOption, operating, tell
from cli.commands.past_options import FORECASTS, BarsOption
from cli.errors import told_plainly
from cli.places import STRATEGIES
from openbell.errors import InvalidInput

if TYPE_CHECKING:
    from cli.platform import Platform
    from lab.drift.report import DriftReport


def drift(
    *,
    first: Annotated[str, typer.Option("--from", help="First day of the runs, such as 2022-06-13.")],
    last: Annotated[str, typer.Option("--to", help="Last day of the runs.")],
    bars: BarsOption = None,
    slippage_bps: Annotated[str, typer.Option(help="How much worse than the price the backtest fills.")] = "2",
    stack: StackOption = "",
    local: LocalOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what live orders did otherwise than the backtest of the same day, in USD by cause. Writes nothing.

    Each run is decided and filled once more from the holdings that it had. Causes: price (a fill further from the
    market than the fill model says), timing (the market met at another moment), rejection (not filled), data (another
    quantity decided, because the bars differ). Exit codes: 0; 1 the platform does not answer, or no run could be
    compared; 2 wrong input, no such platform, or no run in the span.
    """
    with told_plainly():
        span = _day("--from", first), _day("--to", last)
        bps = parse_slippage(slippage_bps)
    with operating(stack, local) as platform:
        # Seconds of imports, for which --help need not wait.
        from cli.views.drift import drift_tables, read_drift  # noqa: PLC0415

        found = read_drift(_report(platform, span, bars, bps))
        tell(platform, found, drift_tables, as_json=as_json)
    raise typer.Exit(found.exit)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{option} {text}: expected a date such as 2022-06-13") from error


def _report(platform: "Platform", span: tuple[date, date], bars: Path | None, slippage: Decimal) -> "DriftReport":
    from cli.market import open_market  # noqa: PLC0415
    from lab.drift.past_runs import check_span  # noqa: PLC0415
    from lab.drift.session import DriftQuery, drift_report  # noqa: PLC0415
    from lab.forecasts import ForecastStore  # noqa: PLC0415

    check_span(*span)
    at_once = platform.trades_at_alpaca  # our exchange fills at the next price of its bars
    query = DriftQuery(*span, slippage, at_once, STRATEGIES.parent)
    history = open_market(bars).history
    return drift_report(query, platform.ledger, platform.archive, history, ForecastStore(FORECASTS))
