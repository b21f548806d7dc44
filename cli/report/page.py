"""The page: numbers, charts and tables put into one file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cli import formats
from cli.day import Day, Result
from cli.report.equity_chart import equity_chart
from cli.report.forecast_chart import ForecastPanel, forecast_panels
from cli.report.ink import Press, strategy_roles
from cli.report.summary import headline, key_figures
from cli.report.timeline_chart import timeline_chart
from cli.report.weights_chart import weights_chart

TEMPLATES = PackageLoader("cli.report")
_EARLIER_DAYS_PANELS = 6  # forecasts drawn for each day but the last, so that a month stays a quick page


@dataclass(frozen=True)
class DayView:
    """One run with its drawings."""

    anchor: str
    day: Day
    forecasts: list[ForecastPanel]
    weights: Mapping[str, Markup]
    timeline: Markup | None


def write_page(result: Result, path: Path) -> None:
    """Write the report of `result` to `path`; OSError if that cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(build_page(result), encoding="utf-8")


def build_page(result: Result) -> str:
    """The report as one HTML document without any reference to the outside."""
    press = Press()
    roles = strategy_roles(result.strategies)
    environment = Environment(loader=TEMPLATES, autoescape=True)
    dress(environment)
    return environment.get_template("page.html.j2").render(
        result=result,
        roles=roles,
        headline=headline(result),
        figures=key_figures(result),
        equity=equity_chart(result, press, roles),
        days=[_view(result, index, press, roles) for index in range(len(result.days))],
    )


def _view(result: Result, index: int, press: Press, roles: Mapping[str, str]) -> DayView:
    day = result.days[index]
    panels = len(day.report.forecasts.made) if day is result.last else _EARLIER_DAYS_PANELS
    return view_day(day, f"day-{index + 1}", panels, press, roles)


def view_day(day: Day, anchor: str, panels: int, press: Press, roles: Mapping[str, str]) -> DayView:
    """What `day.html.j2` shows of one run, with at most `panels` forecasts; `roles` has a colour for each strategy."""
    drawn = {name: weights_chart(day.report, name, press, roles[name]) for name in day.report.sleeves}
    return DayView(
        anchor,
        day,
        forecast_panels(day.report, press, roles, panels),
        {name: chart for name, chart in drawn.items() if chart},
        timeline_chart(day.story, press),
    )


def dress(environment: Environment) -> None:
    """Give the environment what the report's templates rely on: filters, functions, how text is treated."""
    environment.autoescape = True
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True
    names = ("money", "signed_money", "shares", "percent", "signed_percent", "score", "bps", "seconds")
    environment.filters |= {name: getattr(formats, name) for name in names}
    environment.filters["tone"] = _tone
    environment.globals["count"] = formats.count


def _tone(value: float) -> str:
    """CSS class of a gain or a loss."""
    return "good" if value > 0 else "bad" if value < 0 else ""
