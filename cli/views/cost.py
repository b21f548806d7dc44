"""What the platform costs: its recorded ticks, reckoned into the bill of a month."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from cli.grid import grid
from cli.usage import Forecasted, read_forecasts, read_usage
from openbell.costs import Line, Recorded, bill, load_prices, monthly, shares, total, with_tickers
from openbell.errors import InvalidInput
from openbell.model import Run
from openbell.workflow.select_universe import batches

if TYPE_CHECKING:
    from cli.platform import Platform

_HISTORIES = 60  # of the newest runs are read for the transitions


@dataclass(frozen=True)
class Costs:
    """A month's bill. Amounts in USD; `full` is without the free quantities that AWS gives every month."""

    prices_of: str
    ticks: int
    recorded_ticks: int
    tickers: float  # forecast in a run
    lines: tuple[Line, ...]
    trading: tuple[Decimal, Decimal]  # computing, workflow, storage: full and due
    observing: tuple[Decimal, Decimal]  # logs, metrics, alarms, dashboard, the secret
    each_tick: Decimal  # trading, full
    by_strategy: Mapping[str, Decimal]  # trading, full


def read_costs(platform: "Platform", ticks: int, tickers: int) -> Costs:
    """The bill of a month of `ticks` such as the recorded ones, with `tickers` to forecast (0: as recorded)."""
    if not 1 <= ticks <= 10_000:  # noqa: PLR2004 a tick every four minutes, day and night
        raise InvalidInput(f"--ticks {ticks}: expected a number of ticks in a month from 1 to 10000")
    if not 0 <= tickers <= 10_000:  # noqa: PLR2004
        raise InvalidInput(f"--tickers {tickers}: expected a number of tickers up to 10000")
    runs = platform.ledger.runs(_HISTORIES)
    forecasts = read_forecasts(runs, platform.archive)
    recorded = read_usage(platform, runs, forecasts)
    if tickers:
        recorded = _scaled(recorded, tickers)
    lines = bill(monthly(recorded, ticks), load_prices())
    trading = total(lines, observing=False)
    parts = _parts(runs, forecasts, _forecasting_share(recorded))
    return Costs(
        prices_of=f"{load_prices().region}, {load_prices().date}",
        ticks=ticks,
        recorded_ticks=recorded.ticks,
        tickers=recorded.tickers,
        lines=lines,
        trading=trading,
        observing=total(lines, observing=True),
        each_tick=trading[0] / ticks,
        by_strategy={name: trading[0] * Decimal(str(part)) for name, part in parts.items()},
    )


def _scaled(recorded: Recorded, tickers: int) -> Recorded:
    try:
        return with_tickers(recorded, tickers, len(batches({("", str(number)) for number in range(tickers)})))
    except ValueError as error:
        raise InvalidInput(f"--tickers {tickers}: {error}; let a strategy that forecasts run first") from error


def _forecasting_share(recorded: Recorded) -> float:
    """Of Lambda's and the workflow's cost, by which the rest is small."""
    prices = load_prices().items
    seconds = sum(recorded.gb_seconds.values())
    whole = monthly(recorded, recorded.ticks)
    computing, flow = float(prices["lambda_gb_second"].price), float(prices["transition"].price)
    batches_a_month = recorded.batches * recorded.ticks / recorded.histories if recorded.histories else 0.0
    part = recorded.gb_seconds.get("ForecastFunction", 0.0) * computing + batches_a_month * flow
    return part / (seconds * computing + whole["transition"] * flow)


def _parts(runs: Sequence[Run], forecasts: Sequence[Forecasted], forecasting: float) -> dict[str, float]:
    strategies = sorted({name for run in runs for name in run.strategies})
    wanted: Counter[str] = Counter()
    for found in forecasts:
        wanted.update(found.by_strategy)
    return shares(forecasting, wanted, strategies) if strategies else {}


def _quantity(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.3g}"  # noqa: PLR2004 below ten decimals matter


def costs_tables(found: Costs) -> Iterator[Table | str]:
    """The view for people."""
    title = f"A month of {found.ticks} ticks, USD (prices: {found.prices_of})"
    table = grid(title, "Item", ">Quantity", "Unit", ">Without free tier", ">With it")
    for observing, (full, due), name in (
        (False, found.trading, "Computing, workflow, storage"),
        (True, found.observing, "Looking at it, and the secret"),
    ):
        for line in found.lines:
            if line.observing is observing:
                table.add_row(line.name, _quantity(line.quantity), line.unit, f"{line.full:.3f}", f"{line.due:.3f}")
        table.add_row(f"[bold]{name}[/]", "", "", f"[bold]{full:.2f}[/]", f"[bold]{due:.2f}[/]", end_section=True)
    yield table
    if found.by_strategy:
        split = grid("Computing, workflow, storage by strategy, USD a month without free tier", "Strategy", ">USD")
        for name, amount in found.by_strategy.items():
            split.add_row(escape(name), f"{amount:.3f}")
        yield split
    forecasts = f"{found.tickers:.0f} tickers forecast a run" if found.tickers else "no forecasts"
    yield f"Reckoned from {found.recorded_ticks} recorded ticks, {forecasts}; {found.each_tick:.5f} USD a tick."
