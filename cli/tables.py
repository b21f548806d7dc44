"""A run's outcome as tables for people."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from cli.day import Day, Result
from cli.formats import (
    bps,
    money,
    percent,
    score,
    seconds,
    shares,
    signed_money,
    signed_percent,
)
from cli.grid import grid, order_status
from cli.run_report import OrderPart, RunReport
from openbell.model import RunStatus

_STRATEGY_STYLE = ("bright_blue", "orange3", "medium_purple1", "green3", "hot_pink", "cyan", "gold3", "grey70")


def print_day(console: Console, day: Day, strategies: Sequence[str]) -> None:
    """Everything about one run: verdict, universe, signals, plan, cuts, positions, time per state."""
    paint = _painter(strategies)
    console.rule(f"[bold]{escape(day.title)} New York[/]  {escape(day.report.run_id)}")
    _verdict(console, day)
    if day.report.status is RunStatus.SKIPPED:
        return
    for table in _tables(day, paint):
        if table.row_count:
            console.print(table)


def print_summary(console: Console, result: Result) -> None:
    """A line for each run of several: orders, equity by strategy and in total."""
    paint = _painter(result.strategies)
    table = grid("Equity by strategy, USD", "Session", "Outcome", ">Orders", ">Filled")
    for name in result.strategies:
        table.add_column(paint(name), justify="right")
    table.add_column("Account", justify="right")
    table.add_column("Books")
    for day in result.days:
        table.add_row(*_summary_row(day, result.strategies))
    console.print(table)
    gain = result.equity - result.cash
    change = f"{signed_money(gain)} USD, {signed_percent(gain / result.cash, 2)}"
    console.print(f"Equity {money(result.cash)} -> [bold]{money(result.equity)} USD[/] ({change})")


class _Painter:
    def __init__(self, strategies: Sequence[str]) -> None:
        names = sorted(strategies)
        self._styles = {name: _STRATEGY_STYLE[i % len(_STRATEGY_STYLE)] for i, name in enumerate(names)}

    def __call__(self, name: str) -> str:
        """The strategy's name in its colour."""
        return f"[{self._styles.get(name, 'default')}]{escape(name)}[/]"


def _painter(strategies: Sequence[str]) -> _Painter:
    return _Painter(strategies)


def _verdict(console: Console, day: Day) -> None:
    report = day.report
    if report.status is RunStatus.SKIPPED:
        console.print(Panel(f"Skipped: {escape(report.note)}. Nothing was traded.", border_style="yellow"))
    elif report.status is RunStatus.FAILED:
        console.print(Panel(f"Failed: {escape(report.note)}", border_style="red"))
    for name, reason in report.failed_strategies.items():
        console.print(f"[red]strategy {escape(name)} failed and keeps its positions:[/] {escape(reason)}")
    for told in report.orphans.values():
        console.print(f"[yellow]a sleeve has no strategy:[/] {escape(told)} (openbell sleeves)")
    if day.books_agree is False:
        differences = "\n".join(day.all_differences)
        console.print(Panel(f"The books differ:\n{escape(differences)}", border_style="red"))


def _tables(day: Day, paint: _Painter) -> Iterable[Table]:
    report = day.report
    yield _universe(report, paint)
    yield _signals(report, paint)
    yield _plan(report, paint)
    yield _cuts(report, paint)
    yield _accuracy(report, paint)
    yield _positions(report, paint)
    yield _equity(day, paint)
    yield _states(day)


def _universe(report: RunReport, paint: _Painter) -> Table:
    table = grid("Universe", "Strategy", ">Symbols", "In rank order")
    for name, symbols in report.universe.items():
        table.add_row(paint(name), str(len(symbols)), escape(" ".join(symbols)))
    return table


def _signals(report: RunReport, paint: _Painter) -> Table:
    table = grid("Signals", "Strategy", "Symbol", ">Score", "Why")
    for name, signals in report.signals.items():
        for signal in sorted(signals, key=lambda signal: -signal.score):
            table.add_row(paint(name), escape(signal.symbol), score(signal.score), escape(signal.reason))
    return table


def _accuracy(report: RunReport, paint: _Painter) -> Table:
    title = "Forecasts that have met their closes"
    table = grid(title, "Strategy", ">Bars ahead", ">Scored", ">MASE", ">Naive", ">Hits", ">In interval", "Verdict")
    for name, horizon, found in report.told_accuracy:
        table.add_row(
            paint(name),
            str(horizon),
            str(found.bars),
            f"{found.mase:.3f}",
            f"{found.naive_mase:.3f}",
            percent(found.hit_rate),
            percent(found.coverage),
            found.verdict,
        )
    return table


def _plan(report: RunReport, paint: _Painter) -> Table:
    columns = ("Side", "Symbol", "For", ">Shares", ">Filled", ">Fill, USD", ">Slip, bps", "Outcome", "Why")
    table = grid("Plan and fills", *columns)
    for order in sorted(report.orders, key=lambda order: order.side.sign):
        who = "\n".join(paint(name) for name in order.strategies)
        fill = money(order.filled_avg_price)
        table.add_row(
            order.side.value,
            escape(order.symbol),
            who,
            shares(order.qty),
            shares(order.filled_qty),
            fill,
            bps(order.slippage_bps),
            order_status(order.status),
            _why(order),
        )
    for cross in report.crosses:
        qty, price = shares(cross.qty), money(cross.price)
        who = f"{paint(cross.seller)}\n-> {paint(cross.buyer)}"
        table.add_row("cross", escape(cross.symbol), who, qty, qty, price, "", "", "inside the account")
    return table


def _why(order: OrderPart) -> str:
    note = f"\n[red]{escape(order.note)}[/]" if order.note else ""
    protection = ""
    if order.bracket:
        stop, profit = money(order.bracket.stop_price), money(order.bracket.take_profit_price)
        protection = f"\n[dim]stop {stop}, take profit {profit}[/]"
    return escape(order.reason) + protection + note


def _cuts(report: RunReport, paint: _Painter) -> Table:
    table = grid("Cut by the risk gate", "Rule", "For", "Trade", ">Wanted", ">Allowed", "Why")
    for cut in report.cuts:
        trade = f"{cut.side.value} {escape(cut.symbol)}"
        who = paint(cut.strategy)
        table.add_row(escape(cut.rule), who, trade, shares(cut.wanted_qty), shares(cut.allowed_qty), escape(cut.reason))
    return table


def _positions(report: RunReport, paint: _Painter) -> Table:
    columns = ("Strategy", "Symbol", ">Shares", ">Cost, USD", ">Price, USD", ">Value, USD", ">Weight", ">P&L, USD")
    table = grid("Positions", *columns)
    for name, sleeve in report.sleeves.items():
        for symbol, position in sleeve.positions.items():
            table.add_row(
                paint(name),
                escape(symbol),
                shares(position.qty),
                money(position.average_cost),
                money(position.price),
                money(position.value),
                f"{position.weight:.1%}",
                signed_money(position.unrealised_pnl),
            )
    return table


def _equity(day: Day, paint: _Painter) -> Table:
    table = grid("Equity, USD", "", ">Equity", ">Cash", ">Unrealised", ">Realised")
    for name, sleeve in day.report.sleeves.items():
        gains = signed_money(sleeve.unrealised_pnl), signed_money(sleeve.realised_pnl)
        table.add_row(paint(name), money(sleeve.equity), money(sleeve.cash), *gains)
    if day.report.equity is not None:
        table.add_row("[bold]account[/]", f"[bold]{money(day.report.equity)}[/]", "", "", "")
    return table


def _states(day: Day) -> Table:
    table = grid(f"Workflow, {seconds(day.story.seconds)}", "State", ">Visits", ">Time")
    for name in dict.fromkeys(visit.state for visit in day.story.visits if visit.kind in {"Task", "Map", "Wait"}):
        visits = [visit for visit in day.story.visits if visit.state == name]
        table.add_row(escape(name), str(len(visits)), seconds(sum(visit.seconds for visit in visits)))
    return table


def _summary_row(day: Day, strategies: Sequence[str]) -> list[str]:
    report = day.report
    equity = [money(report.sleeves[name].equity) if name in report.sleeves else "" for name in strategies]
    books = {True: "[green]agree[/]", False: "[red]differ[/]", None: ""}[day.books_agree]
    orders, filled = str(len(report.wanted)), str(sum(bool(order.filled_qty) for order in report.wanted))
    return [day.date_label, report.status.value.lower(), orders, filled, *equity, money(report.equity), books]
