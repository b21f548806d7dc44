"""Forecasts and their record as tables for people."""

from collections.abc import Mapping
from math import isfinite

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.forecasting.ahead import Outlook
from cli.forecasting.past import Record, verdict_on, verdicts
from cli.formats import count, percent, signed_percent
from cli.grid import grid
from openbell.accuracy import Accuracy


def print_outlook(console: Console, outlook: Outlook) -> None:
    """What is expected of one ticker, and what its past forecasts were worth."""
    result = outlook.result
    console.print(
        f"[bold]{escape(outlook.ticker)}[/]  {usd(result.last_close)} USD on {outlook.as_of:%a %-d %B %Y}, "
        f"expected {signed_percent(outlook.change)} in {count(len(result.yhat), 'session')} "
        f"[dim]({result.engine} engine)[/]",
        highlight=False,
    )
    console.print(skill_in_words(outlook), highlight=False)
    known = any(map(isfinite, outlook.came))
    heads = ["Session", ">Expected, USD", ">Change", f">{percent(result.interval_width, 0)} from", ">to"]
    table = grid("", *heads, *([">Came, USD"] if known else []))
    bars = zip(result.sessions, result.yhat, result.yhat_lower, result.yhat_upper, outlook.came, strict=True)
    for session, yhat, lower, upper, came in bars:
        cells = [f"{session:%a %-d %b %Y}", usd(yhat), signed_percent(yhat / result.last_close - 1, 2)]
        cells += [usd(lower), usd(upper)]
        table.add_row(*cells, *([_came(came, lower, upper)] if known else []))
    console.print(table)


def usd(price: float) -> str:
    """A price with the decimals that tell something: 0.2453, 134.63."""
    return f"{price:,.2f}" if price >= 1 else f"{price:.4f}"


def skill_in_words(outlook: Outlook) -> str:
    """What the ticker's own past forecasts were worth against "tomorrow equals today"."""
    skill = outlook.result.skill
    if skill is None:
        return "[dim]Its past forecasts were not scored: too few bars for that.[/]"
    over = f"over its last {count(outlook.scored, 'forecast')}"
    if skill > 0:
        return f"[green]Better than naive[/] by {percent(skill, 2)} {over}."
    return f"[yellow]Naive is better here[/]: skill {signed_percent(skill, 2)} {over}."


def print_record(console: Console, record: Record, title: str) -> None:
    """The accuracy by horizon, the verdict, and what could not be forecast."""
    console.print(
        f"[bold]{escape(title)}[/]  {record.sessions:,} sessions from {record.first} to {record.last}, "
        f"{count(len(record.tickers), 'ticker')}",
        highlight=False,
    )
    console.print(accuracy_table("", record.told))
    for sentence in verdicts(record):
        console.print(escape(sentence), highlight=False)
    for number, reason in record.failed.values():
        console.print(f"[dim]{count(number, 'forecast')} could not be made; the last: {escape(reason)}[/]")


def accuracy_table(title: str, by_horizon: Mapping[int, Accuracy]) -> Table:
    """A row for each horizon."""
    heads = ("Bars ahead", ">Scored", ">Error", ">MASE", ">Naive", ">Hits", ">In interval", ">Loss, bps", "Verdict")
    table = grid(title, *heads)
    for horizon, found in by_horizon.items():
        table.add_row(
            str(horizon),
            f"{found.bars:,}",
            percent(found.mape, 2),
            f"{found.mase:.3f}",
            f"{found.naive_mase:.3f}",
            percent(found.hit_rate if isfinite(found.hit_rate) else None),
            percent(found.coverage),
            f"{found.pinball * 1e4:.1f}",
            verdict_on(found),
        )
    return table


def _came(close: float, lower: float, upper: float) -> str:
    if not isfinite(close):
        return ""
    return usd(close) if lower <= close <= upper else f"[yellow]{usd(close)} outside[/]"
