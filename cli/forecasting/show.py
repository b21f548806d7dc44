"""What the two commands do once their arguments are right."""

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.consoles import progress, results
from cli.forecasting.ahead import bars_needed, look_ahead
from cli.forecasting.answer import outlooks_answer, record_answer
from cli.forecasting.past import rows_of, score_past
from cli.forecasting.prices import fetch_prices, read_prices
from cli.forecasting.tables import print_outlook, print_record
from openbell.errors import InvalidInput
from openbell.forecasting.options import ForecastOptions


@dataclass(frozen=True)
class AheadQuery:
    """Which tickers to forecast as of which session (None: the newest), from which prices, and where to draw them."""

    tickers: tuple[str, ...]
    options: ForecastOptions
    as_of: date | None
    bars: Path | None
    yahoo: bool
    plot: Path | None


@dataclass(frozen=True)
class PastQuery:
    """Which tickers (empty: all) to score over which sessions of which prices."""

    tickers: tuple[str, ...]
    options: ForecastOptions
    bars: Path | None
    first: date | None
    last: date | None
    every: int
    title: str


def show_outlooks(query: AheadQuery, *, as_json: bool) -> None:
    """Forecast, print and draw; InvalidInput if a ticker has no forecast, after the others have been shown."""
    if query.plot:
        from cli.report.chart_file import check_chart_path  # noqa: PLC0415 Matplotlib takes a second to import

        check_chart_path(query.plot, "--plot")
    bars, horizon = bars_needed(query.options), query.options.horizon
    prices = fetch_prices(query.tickers, query.as_of, bars, horizon) if query.yahoo else read_prices(query.bars)
    outlooks = look_ahead(prices, query.tickers, query.as_of, query.options)
    if query.plot and outlooks.made:
        from cli.forecasting.chart import plot_outlooks  # noqa: PLC0415

        plot_outlooks(query.plot, outlooks.made)
    drawn = query.plot if outlooks.made else None
    if as_json:
        sys.stdout.write(outlooks_answer(outlooks, drawn) + "\n")
    else:
        for outlook in outlooks.made:
            print_outlook(results(), outlook)
        if drawn:
            results().print(f"Chart: {drawn}", soft_wrap=True, markup=False)
    if outlooks.failed:
        raise InvalidInput(f"no forecast of {'; '.join(outlooks.failed.values())}")


def show_record(query: PastQuery, *, as_json: bool) -> None:
    """Forecast as of many past sessions, with a progress bar on stderr, and print how good that was."""
    closes = read_prices(query.bars).of(query.tickers)
    rows = rows_of(closes, query.options, query.first, query.last, query.every)
    columns = (TextColumn("as of past sessions"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=progress(), transient=True) as shown:
        task = shown.add_task("", total=len(rows))
        record = score_past(closes, rows, query.options, lambda: shown.advance(task))
    if as_json:
        sys.stdout.write(record_answer(record) + "\n")
    else:
        print_record(results(), record, query.title)
