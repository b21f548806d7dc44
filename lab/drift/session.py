"""From a platform's ledger and archive to the drift report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from lab.drift.counterpart import Backtester, Counterpart
from lab.drift.past_runs import LeftOut, NotComparable, PastRun, check_span, read_run, runs_between
from lab.drift.prices import Prices
from lab.drift.report import Comparison, DriftReport
from lab.forecasts import ForecastStore
from lab.quick_history import QuickHistory
from openbell.model import Run
from openbell.ports import Archive, Ledger
from paper import History


@dataclass(frozen=True)
class DriftQuery:
    """What is asked: runs from `first` to `last` (New York, both included), and the fill model."""

    first: date
    last: date
    slippage_bps: Decimal
    fills_at_once: bool  # whether the live broker fills as soon as it is asked, not at the next price of the bars
    config_folder: Path  # where files of the configuration are looked for that are not where they were in the run


def drift_report(
    query: DriftQuery, ledger: Ledger, archive: Archive, history: History, store: ForecastStore
) -> DriftReport:
    """The report; InvalidInput for dates in disorder or without runs, ConfigError if a strategy's code is missing."""
    check_span(query.first, query.last)
    runs = runs_between(ledger, query.first, query.last)
    quick = QuickHistory(history)
    backtester = Backtester(quick, query.slippage_bps, store, query.config_folder)
    compared, left_out = _compare(runs, ledger, archive, backtester)
    past = [run for run, _ in compared]
    prices = Prices(quick, query.slippage_bps, query.last)
    comparison = Comparison(past, prices, fills_at_once=query.fills_at_once)
    lines = [line for run, counterpart in compared for line in comparison.lines(run, counterpart)]
    return DriftReport(tuple(lines), len(compared), tuple(left_out))


def _compare(
    runs: Sequence[Run], ledger: Ledger, archive: Archive, backtester: Backtester
) -> tuple[list[tuple[PastRun, Counterpart]], list[LeftOut]]:
    compared: list[tuple[PastRun, Counterpart]] = []
    left_out: list[LeftOut] = []
    for run in runs:
        try:
            past = read_run(run, ledger, archive)
            compared.append((past, backtester.counterpart(past)))
        except NotComparable as why:
            left_out.append(LeftOut(run.run_id, run.as_of, str(why)))
    return compared, left_out
