"""A backtest's figures on the terminal."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from cli.formats import count
from cli.grid import grid
from lab.figures import Figures
from lab.tear_sheet.verdict import beaten, headline, money_of, number, share, survivorship, verdicts


def tables(figures: Figures) -> Iterable[RenderableType]:
    """The verdict, what failed, the account beside buy-and-hold, the strategies, the drawdowns, the refusals."""
    told = "\n".join([headline(figures), *verdicts(figures)])
    yield Panel(
        f"[bold]{escape(told)}[/]\n{escape(survivorship(figures))}",
        border_style="green" if beaten(figures) else "yellow",
    )
    yield from _failures(figures)
    yield _account(figures)
    yield _strategies(figures)
    yield _drawdowns(figures)
    if figures.refusals:
        yield _refusals(figures)
    if figures.accuracy:
        yield _accuracy(figures)


def _failures(figures: Figures) -> Iterable[str]:
    for broken in figures.strategy_failures:
        runs = count(len(broken.days), "run")
        yield f"[red]{escape(broken.strategy)} failed in {runs}[/], first on {broken.days[0]}: {escape(broken.message)}"
    for name in figures.empty_universes:
        runs = count(figures.runs, "run")
        yield f"[yellow]{escape(name)}: its universe was empty in all {runs}[/]; nothing was ranked"
    for failed in figures.run_failures:
        runs = count(len(failed.days), "run")
        yield f"[yellow]{runs} without trading: {failed.error}[/], first on {failed.days[0]}: {escape(failed.message)}"


def _account(figures: Figures) -> Table:
    a, b, against = figures.account, figures.benchmark, figures.against
    low, high = figures.sharpe_interval
    table = grid(f"{figures.sessions[0]} to {figures.sessions[-1]}", "", ">Account", ">Buy and hold")
    rows = (
        ("Equity at the end, USD", money_of(a.end), money_of(b.end)),
        ("Growth a year", share(a.cagr), share(b.cagr)),
        ("Volatility a year", share(a.volatility), share(b.volatility)),
        ("Sharpe", number(a.sharpe), number(b.sharpe)),
        ("  95 % of resampled histories", f"{number(low)} to {number(high)}", ""),
        ("  chance that it is above 0", share(figures.probabilistic_sharpe), ""),
        ("Sortino", number(a.sortino), number(b.sortino)),
        ("Calmar", number(a.calmar), number(b.calmar)),
        ("Omega", number(a.omega), number(b.omega)),
        ("Deepest drawdown", share(a.max_drawdown), share(b.max_drawdown)),
        (
            "Value at risk, expected shortfall",
            _pair(a.value_at_risk, a.expected_shortfall),
            _pair(b.value_at_risk, b.expected_shortfall),
        ),
        ("Skew", number(a.skew), number(b.skew)),
        ("Alpha a year, beta", f"{share(against.alpha)}, {number(against.beta)}", ""),
        ("Information ratio", number(against.information_ratio), ""),
        (
            "Exposure, turnover a year",
            f"{share(a.exposure)}, {number(a.turnover)}",
            f"{share(b.exposure)}, {number(b.turnover)}",
        ),
        ("Commission, slippage, USD", f"{money_of(figures.costs.commission)}, {money_of(figures.costs.slippage)}", ""),
    )
    for row in rows:
        table.add_row(*row)
    return table


def _pair(first: float, second: float) -> str:
    return f"{share(first)}, {share(second)}"


def _strategies(figures: Figures) -> Table:
    columns = (
        ">Capital",
        ">Growth a year",
        ">Contribution",
        ">Sharpe",
        ">Drawdown",
        ">Round trips",
        ">Won",
        ">Profit factor",
        ">Expectancy",
        ">Costs",
    )
    table = grid("By strategy, on its own capital, USD", "Strategy", *columns)
    for name, one in figures.strategies.items():
        p, t = one.performance, one.trades
        table.add_row(
            escape(name),
            money_of(p.start),
            share(p.cagr),
            share(one.contribution),
            number(p.sharpe),
            share(p.max_drawdown),
            str(t.trips),
            share(t.win_rate),
            number(t.profit_factor),
            money_of(t.expectancy),
            money_of(one.costs.total),
        )
    return table


def _drawdowns(figures: Figures) -> Table:
    table = grid("Deepest drawdowns", "High", "Low", "Recovered", ">Depth", ">Sessions")
    for fall in figures.drawdowns:
        recovered = str(fall.recovered or "not yet")
        table.add_row(str(fall.peak), str(fall.trough), recovered, share(fall.depth), str(fall.sessions))
    return table


def _refusals(figures: Figures) -> Table:
    table = grid("Signals that became no trade, or a smaller one", "Rule", "Strategy", ">Times", "For example")
    for one in figures.refusals:
        example = f"{one.example.side.value} {one.example.symbol}: {one.example.reason}"
        table.add_row(one.rule.replace("_", " "), escape(one.strategy), str(one.count), escape(example))
    return table


def _accuracy(figures: Figures) -> Table:
    table = grid(
        "Forecasts",
        "Strategy",
        ">Bars ahead",
        ">Forecasts",
        ">Error",
        ">Naive error",
        ">Skill",
        ">Direction right",
        ">Inside the interval",
    )
    for name, found in figures.accuracy.items():
        for one in found:
            table.add_row(
                escape(name),
                str(one.horizon),
                str(one.forecasts),
                share(one.error),
                share(one.naive_error),
                number(one.skill, 3),
                share(one.hit_rate),
                share(one.coverage),
            )
    return table
