"""Which state of the workflow took how long, and when."""

from markupsafe import Markup

from cli.formats import seconds
from cli.report.ink import Press, Sheet, ink
from cli.workflow import Story, Visit

_WIDTH, _ROW, _FRAME = 880, 22, 44
_DRAWN = frozenset({"Task", "Map", "Wait", "Parallel"})  # the others take no time worth a row


def timeline_chart(story: Story, press: Press) -> Markup | None:
    """A row for each state, a bar for each visit, in seconds since the start; None if there was no visit."""
    visits = [visit for visit in story.visits if visit.kind in _DRAWN]
    if not visits:
        return None
    rows = list(dict.fromkeys(visit.state for visit in visits))
    with press.sheet(_WIDTH, _FRAME + _ROW * len(rows)) as sheet:
        _draw(sheet, visits, rows)
    told = "; ".join(f"{row} {seconds(_total(visits, row))}" for row in rows)
    return press.print(sheet, f"Time in each state: {told}")


def _total(visits: list[Visit], state: str) -> float:
    return sum(visit.seconds for visit in visits if visit.state == state)


def _draw(sheet: Sheet, visits: list[Visit], rows: list[str]) -> None:
    axes = sheet.axes
    start = visits[0].entered
    ends = {}
    for visit in visits:
        begin = (visit.entered - start).total_seconds()
        colour = ink("mark" if visit.failures else "accent")
        bars = axes.barh(rows.index(visit.state), max(visit.seconds, 0.01), left=begin, height=0.6, color=colour)
        sheet.hint(bars.patches[0], f"{visit.state}: {seconds(visit.seconds)}")
        ends[visit.state] = begin + visit.seconds
    for level, row in enumerate(rows):
        total = seconds(_total(visits, row))
        axes.annotate(total, (ends[row], level), (5, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, max(ends.values()) * 1.1 or 1)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("seconds since the start")
