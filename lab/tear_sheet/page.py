"""The page: numbers, charts and tables put into one file, in the look of the run's report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from cli import formats
from cli.report.ink import Press, strategy_roles
from lab.figures import Figures
from lab.tear_sheet import charts
from lab.tear_sheet.verdict import beaten, headline, key_figures, money_of, number, share, survivorship, verdicts
from lab.trades import RoundTrip

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STRONG = 0.10  # a month's return that has the full colour
_TRIPS_SHOWN = 10


@dataclass(frozen=True)
class MonthCell:
    """A month's return, and how strongly its cell is coloured (per cent); None: no session in that month."""

    value: float | None
    strength: int

    @property
    def tone(self) -> str:
        """CSS class of a gain or a loss."""
        return "" if not self.value else "up" if self.value > 0 else "down"

    @property
    def text(self) -> str:
        """Per cent without the sign, as a heat map has no room for it; empty if there is no value."""
        return "" if self.value is None else number(self.value * 100, 1)


@dataclass(frozen=True)
class YearRow:
    """The months of a year, and what the year made."""

    year: int
    months: tuple[MonthCell, ...]
    total: MonthCell


def write_tear_sheet(figures: Figures, settings: Sequence[str], fills: str, path: Path) -> None:
    """Write the tear sheet to `path`; OSError if that cannot be. `settings` and `fills` are told as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(build_tear_sheet(figures, settings, fills), encoding="utf-8")


def build_tear_sheet(figures: Figures, settings: Sequence[str], fills: str) -> str:
    """The tear sheet as one HTML document without any reference to the outside."""
    press = Press()
    roles = strategy_roles(figures.strategies)
    ended = sorted((trip for trip in figures.trips if trip.left), key=lambda trip: trip.pnl)
    return (
        _environment()
        .get_template("tear_sheet.html.j2")
        .render(
            figures=figures,
            roles=roles,
            headline=headline(figures),
            beaten=beaten(figures),
            verdicts=verdicts(figures),
            survivorship=survivorship(figures),
            key_figures=key_figures(figures),
            settings=settings,
            fills=fills,
            years=year_rows(figures),
            months=_MONTHS,
            best=_shown(ended[::-1], won=True),
            worst=_shown(ended, won=False),
            equity=charts.equity_chart(figures, press, roles),
            drawdown=charts.drawdown_chart(figures, press),
            rolling=charts.sharpe_chart(figures, press),
            exposure=charts.exposure_chart(figures, press, roles),
            turnover=charts.turnover_chart(figures, press),
            gains=charts.trades_chart(figures, press),
        )
    )


def _shown(trips: Sequence[RoundTrip], *, won: bool) -> list[RoundTrip]:
    return [trip for trip in trips if (trip.pnl > 0) is won and trip.pnl][:_TRIPS_SHOWN]


def year_rows(figures: Figures) -> list[YearRow]:
    """The monthly returns, a row for each year."""
    rows = []
    for year in sorted({year for year, _ in figures.monthly}):
        values = [figures.monthly.get((year, month)) for month in range(1, 13)]
        total = 1.0
        for value in values:
            total *= 1 + (value or 0.0)
        rows.append(YearRow(year, tuple(_cell(value, _STRONG) for value in values), _cell(total - 1, 3 * _STRONG)))
    return rows


def _cell(value: float | None, strong: float) -> MonthCell:
    return MonthCell(value, 0 if value is None else min(100, round(abs(value) / strong * 100)))


def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("lab.tear_sheet"), PackageLoader("cli.report")]),  # which has the style
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"money": money_of, "number": number, "share": share}
    environment.filters["signed"] = formats.signed_percent
    environment.filters["tone"] = lambda value: "good" if value > 0 else "bad" if value < 0 else ""
    environment.globals["count"] = formats.count
    return environment
