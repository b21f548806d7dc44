"""Live runs beside their backtests, for people and programs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rich.markup import escape
from rich.table import Table

from cli.exits import Exit
from cli.formats import count, money, shares, signed_money
from cli.grid import grid, moment
from lab.drift.components import Cause, Components
from lab.drift.past_runs import LeftOut
from lab.drift.report import DriftReport, Line
from openbell.model import LegKind

_WHY = {
    Cause.PRICE: "fills were {} the market's price than the fill model takes",
    Cause.TIMING: "orders met the market at a {} price than in the backtest",
    Cause.REJECTION: "orders that the backtest fills were not filled",
    Cause.DATA: "other quantities were decided, on other bars",
}
_WORDS = {Cause.PRICE: ("closer to", "further from"), Cause.TIMING: ("better", "worse")}


@dataclass(frozen=True)
class Split:
    """USD by cause, live less backtest; they sum to `total`."""

    total: Decimal
    price: Decimal
    timing: Decimal
    rejection: Decimal
    data: Decimal


@dataclass(frozen=True)
class Row:
    """One strategy's part of an order, live and in the backtest. Prices in USD a share, None where nothing filled."""

    run_id: str
    as_of: datetime
    strategy: str
    symbol: str
    side: str
    kind: str
    ordered: Decimal
    filled: Decimal
    price: Decimal | None
    backtest_ordered: Decimal
    backtest_filled: Decimal
    backtest_price: Decimal
    valued_at: Decimal
    split: Split
    note: str


@dataclass(frozen=True)
class Drift:
    """The view; `verdict` is the whole in a sentence."""

    verdict: str
    runs: int
    total: Split
    by_strategy: Mapping[str, Split]
    orders: tuple[Row, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def exit(self) -> Exit:
        """FAILED if there was nothing to compare."""
        return Exit.OK if self.runs else Exit.FAILED


def read_drift(report: DriftReport) -> Drift:
    """The view of a report."""
    return Drift(
        _verdict(report),
        report.runs,
        _split(report.total),
        {name: _split(parts) for name, parts in report.by_strategy.items()},
        tuple(_row(line) for line in report.lines),
        report.left_out,
    )


def _split(parts: Components) -> Split:
    return Split(parts.total, parts.price, parts.timing, parts.rejection, parts.data)


def _row(line: Line) -> Row:
    live, model = line.live, line.model
    return Row(
        line.run_id,
        line.as_of,
        line.strategy,
        line.symbol,
        line.side.value,
        line.kind.value,
        live.ordered,
        live.filled,
        None if live.price is None else live.price.quantize(Decimal("0.0001")),
        model.ordered,
        model.filled,
        model.price,
        line.mark,
        _split(line.parts),
        line.note,
    )


def _verdict(report: DriftReport) -> str:
    """How much, and mostly why: with the largest cause, and the order that has most of it."""
    over = f"over {count(report.runs, 'run')}"
    if not report.runs:
        return "No run could be set beside a backtest."
    cause, worst, total = report.cause, report.worst, report.total
    if cause is None or worst is None:
        return f"Live and backtest did the same {over}, to the cent."
    whole = f"Live made {money(abs(total.total))} USD {'more' if total.total > 0 else 'less'} than the backtest {over}."
    if total.total == 0:
        whole = f"Live made as much as the backtest {over}, by differences that cancel out."
    amount = total.of(cause)
    why = _WHY[cause].format(_WORDS.get(cause, ("", ""))[worst.parts.of(cause) < 0])
    return (
        f"{whole} The largest cause is {cause.value} ({signed_money(amount)} USD): {why}, most of all {_told(worst)}."
    )


def _told(line: Line) -> str:
    note = f": {line.note}" if line.note else ""
    leg = _leg(line.kind.value, " ({})")
    return f"the {line.side.value} of {line.symbol}{leg} for {line.strategy} at {moment(line.as_of)}{note}"


def _leg(kind: str, form: str) -> str:
    """Which protective order it is, if it is one."""
    return "" if kind == LegKind.ENTRY else form.format(kind.replace("_", " "))


def drift_tables(found: Drift) -> Iterator[Table | str]:
    """The view for people."""
    if found.orders:
        yield _orders(found)
        yield _totals(found)
    if found.left_out:
        table = grid("Left out", "Run", "New York", "Why")
        for run in found.left_out:
            table.add_row(escape(run.run_id), moment(run.as_of), escape(run.why))
        yield table
    yield escape(found.verdict)


def _orders(found: Drift) -> Table:
    columns = ("New York", "For", "Order", ">Filled", ">at USD", ">Backtest", ">at USD", *_CAUSES, "Note")
    table = grid("Live and backtest, order by order", *columns)
    for row in found.orders:
        table.add_row(
            moment(row.as_of),
            escape(row.strategy),
            f"{row.side} {escape(row.symbol)}"
            + ("" if row.kind == LegKind.ENTRY else f", {row.kind.replace('_', ' ')}"),
            _of(row.filled, row.ordered),
            money(row.price),
            _of(row.backtest_filled, row.backtest_ordered),
            money(row.backtest_price if row.backtest_filled else None),
            *_cells(row.split),
            escape(row.note),
        )
    return table


_CAUSES = (">Price", ">Timing", ">Rejection", ">Data", ">Difference, USD")


def _of(filled: Decimal, ordered: Decimal) -> str:
    return shares(filled) if filled == ordered else f"{shares(filled)} of {shares(ordered)}"


def _totals(found: Drift) -> Table:
    table = grid("By strategy, USD: live less backtest", "Strategy", *_CAUSES)
    for name, split in found.by_strategy.items():
        table.add_row(escape(name), *_cells(split))
    table.add_row("[bold]all[/]", *_cells(found.total))
    return table


def _cells(split: Split) -> tuple[str, ...]:
    return tuple(signed_money(part) for part in (split.price, split.timing, split.rejection, split.data, split.total))
