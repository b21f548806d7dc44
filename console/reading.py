"""Runs as the pages show them, read from the platform. A run that has ended is read and drawn once."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from cli.day import Day, Result
from cli.places import STATE_MACHINE
from cli.report.equity_chart import equity_chart
from cli.report.ink import Press, strategy_roles
from cli.report.page import DayView, view_day
from cli.run_report import RunReport, read_report
from cli.workflow import Story, read_story
from console.graph import Graph, draw, read_course
from console.source import Source
from openbell.model import Order, Run, RunStatus
from openbell.runs import report_key

_KEPT = 64  # runs whose report, and whose drawings, are kept in memory
_PANELS = 24  # forecasts drawn, so that a run over hundreds of symbols stays a quick page


@dataclass(frozen=True)
class StateTime:
    """All stays in one state, in the order of the first."""

    state: str
    visits: int
    seconds: float
    items: int
    failures: tuple[str, ...]


@dataclass(frozen=True)
class RunPage:
    """A run in full; `view` is None while it is under way, for it has no report yet."""

    run: Run
    story: Story
    graph: Graph
    states: tuple[StateTime, ...]
    orders: tuple[Order, ...]  # as the ledger has them now
    view: DayView | None
    roles: dict[str, str]  # a colour for each strategy


class Reader:
    """Reads runs of one platform."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._machine = json.loads(STATE_MACHINE.read_text())
        self._course = read_course(self._machine)
        self._report = lru_cache(maxsize=_KEPT)(self._read_report)
        self._view = lru_cache(maxsize=_KEPT)(self._draw_view)

    def roles(self, names: Iterable[str] = ()) -> dict[str, str]:
        """A colour for each strategy that has a sleeve, and for `names`."""
        return strategy_roles({*self._source.ledger.sleeves(), *names})

    def run_page(self, run: Run) -> RunPage:
        """All that is known of a run."""
        ended = run.status is not RunStatus.RUNNING
        report = self._report(run) if ended else None
        roles = self.roles((*run.strategies, *(report.sleeves if report else ())))
        story = self._story(run)
        kinds = {name: state["Type"] for name, state in self._machine["States"].items()}
        return RunPage(
            run,
            story,
            draw(self._course, kinds, story),
            tuple(_times(story, kinds)),
            tuple(self._source.ledger.orders(run.run_id)),
            self._view(run, tuple(roles.items())) if ended else None,
            roles,
        )

    def equity(self, runs: Sequence[Run]) -> Markup | None:
        """Equity over those of `runs` (newest first) that completed; None if they are fewer than two."""
        reports = [self._report(run) for run in reversed(runs) if run.status is RunStatus.COMPLETED]
        if not reports or reports[0].account is None:
            return None
        days = tuple(Day(report, Story(), report.schedule) for report in reports)
        result = Result(days, reports[0].account.equity, "", "")
        return equity_chart(result, Press(), self.roles(result.strategies))

    def _story(self, run: Run) -> Story:
        return read_story(self._source.history(run.execution), self._machine["States"])

    def _read_report(self, run: Run) -> RunReport:
        """The report; of a run that ended without one, what the ledger says."""
        key = report_key(run.run_id)
        try:
            content = self._source.archive.get(key)
        except KeyError:
            return RunReport.model_validate(vars(run))
        return read_report(content, key)

    def _draw_view(self, run: Run, roles: tuple[tuple[str, str], ...]) -> DayView:
        day = Day(self._report(run), self._story(run), run.schedule or "hand")
        return view_day(day, run.run_id, _PANELS, Press(), dict(roles))


def _times(story: Story, kinds: dict[str, str]) -> Iterable[StateTime]:
    for name in dict.fromkeys(visit.state for visit in story.visits if kinds[visit.state] not in {"Succeed", "Fail"}):
        visits = [visit for visit in story.visits if visit.state == name]
        yield StateTime(
            name,
            len(visits),
            sum(visit.seconds for visit in visits),
            sum(visit.items for visit in visits),
            tuple(failure for visit in visits for failure in visit.failures),
        )
