"""The outcome of a backtest in plain sentences, and the few figures that matter most."""

from dataclasses import dataclass
from math import isnan

from cli.formats import percent, signed_percent
from lab.figures import Against, Figures, Performance

_ROUNDING = 0.005
_CERTAIN = 0.95  # of a chance, from where luck is no good explanation any more


@dataclass(frozen=True)
class KeyFigure:
    """A figure: what it is, its value, and a line below."""

    label: str
    value: str
    detail: str
    tone: str = ""  # good, bad or nothing


def headline(figures: Figures) -> str:
    """Whether buy-and-hold was beaten, in one sentence."""
    names = list(figures.strategies)
    if not names:
        return "No run was completed, so that nothing was traded."
    if len(names) == 1:
        only = figures.strategies[names[0]]
        return _sentence(names[0], only.performance, only.against, figures.benchmark)
    return _sentence("The account", figures.account, figures.against, figures.benchmark)


def verdicts(figures: Figures) -> list[str]:
    """The same of each strategy on its own capital, where there are several; what luck can do; money that lay idle."""
    found = figures.strategies.items() if len(figures.strategies) > 1 else ()
    told = [_sentence(name, one.performance, one.against, figures.benchmark) for name, one in found]
    told += _luck(figures)
    if figures.idle > _ROUNDING and figures.strategies:
        told.append(f"{percent(figures.idle, 0)} of the account was in no strategy's sleeve and lay idle.")
    return told


def _luck(figures: Figures) -> list[str]:
    """What chance alone could have done."""
    chance, (low, high) = figures.probabilistic_sharpe, figures.sharpe_interval
    if not figures.strategies or isnan(chance):
        return []
    told = f"The account's true Sharpe ratio is above 0 with a chance of {percent(chance)} (probabilistic Sharpe ratio)"
    if not isnan(low):
        told += f"; 95 % of resampled histories have one from {number(low)} to {number(high)}"
    by_luck = chance < _CERTAIN or low <= 0
    return [f"{told}. {'That can be luck.' if by_luck else 'Luck seldom does that, unless many variants were tried.'}"]


def survivorship(figures: Figures) -> str:
    """Whether the candidates were known on the day, or are those that lasted."""
    if figures.membership:
        return figures.membership.told
    return (
        "Candidates were the symbols of the data at its end, chosen among companies that lasted, as today's members of "
        "an index are: survivorship bias flatters every line, buy-and-hold included. A file of members of each day "
        "(--members) helps, if the data has those that failed too."
    )


def verdict_of(figures: Figures) -> dict[str, bool | str | list[str]]:
    """The verdict for programs."""
    return {
        "beat_buy_and_hold": beaten(figures),
        "told": [headline(figures), *verdicts(figures)],
        "survivorship": survivorship(figures),
    }


def _sentence(who: str, performance: Performance, against: Against, benchmark: Performance) -> str:
    verb = "beat" if against.beaten else "did not beat"
    return (
        f"{who} {verb} buy-and-hold after costs: {percent(performance.cagr)} a year against {percent(benchmark.cagr)}."
    )


def beaten(figures: Figures) -> bool:
    """Whether what the headline speaks of beat buy-and-hold."""
    found = [one.against for one in figures.strategies.values()]
    return (found[0] if len(found) == 1 else figures.against).beaten if found else False


def key_figures(figures: Figures) -> list[KeyFigure]:
    """Growth, Sharpe ratio, drawdown, trades, costs, exposure of the account."""
    account, benchmark = figures.account, figures.benchmark
    low, high = figures.sharpe_interval
    return [
        KeyFigure(
            "Growth a year",
            signed_percent(account.cagr),
            f"buy-and-hold {signed_percent(benchmark.cagr)}",
            "good" if figures.against.beaten else "bad",
        ),
        KeyFigure(
            "Sharpe ratio",
            number(account.sharpe),
            f"95 % of resampled histories: {number(low)} to {number(high)}; "
            f"above 0 with a chance of {share(figures.probabilistic_sharpe)}",
        ),
        KeyFigure("Deepest drawdown", percent(account.max_drawdown), f"buy-and-hold {percent(benchmark.max_drawdown)}"),
        KeyFigure("Equity, USD", money_of(account.end), f"from {money_of(account.start)}"),
        KeyFigure(
            "Round trips",
            f"{figures.trades.trips:,}",
            f"{share(figures.trades.win_rate)} won, {figures.trades.still_open} open",
        ),
        KeyFigure("Costs, USD", money_of(figures.costs.total), f"turnover {number(account.turnover)} a year"),
    ]


def number(value: float, digits: int = 2) -> str:
    """A plain number with a true minus and no negative zero; a dash where it is not known."""
    if isnan(value):
        return "\N{EN DASH}"
    text = f"{value:,.{digits}f}"
    negative = text.startswith("-") and any(digit in text for digit in "123456789")
    return f"\N{MINUS SIGN}{text[1:]}" if negative else text.removeprefix("-")


def share(value: float) -> str:
    """A fraction as per cent; a dash where it is not known."""
    return percent(None if isnan(value) else value)


def money_of(value: float) -> str:
    """USD, whole; a dash where it is not known."""
    return number(value, 0)
