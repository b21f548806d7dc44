"""What a strategy wants to hold against what it holds."""

from dataclasses import dataclass

from markupsafe import Markup

from cli.formats import percent
from cli.report.ink import Press, Sheet, ink
from cli.run_report import RunReport, SleevePart

_WIDTH, _ROW, _FRAME = 420, 22, 44


@dataclass(frozen=True)
class _Row:
    symbol: str
    actual: float
    target: float | None


def weights_chart(report: RunReport, strategy: str, press: Press, role: str) -> Markup | None:
    """Bars for weights held, marks for weights wanted (fractions of the sleeve); None if there are neither."""
    rows = _rows(report, strategy)
    if not rows:
        return None
    with press.sheet(_WIDTH, _FRAME + _ROW * len(rows)) as sheet:
        _draw(sheet, rows, role)
    told = "; ".join(f"{row.symbol} holds {percent(row.actual)}, wants {percent(row.target)}" for row in rows)
    return press.print(sheet, f"Weights of {strategy}: {told}")


def _rows(report: RunReport, strategy: str) -> list[_Row]:
    sleeve: SleevePart | None = report.sleeves.get(strategy)
    positions = sleeve.positions if sleeve else {}
    targets = {target.symbol: target.weight for target in report.targets if target.strategy == strategy}
    symbols = sorted(positions.keys() | targets.keys())
    rows = [_Row(s, positions[s].weight if s in positions else 0.0, targets.get(s)) for s in symbols]
    return sorted(rows, key=lambda row: (max(row.actual, row.target or 0.0), row.symbol))


def _draw(sheet: Sheet, rows: list[_Row], role: str) -> None:
    axes = sheet.axes
    bars = axes.barh(range(len(rows)), [row.actual * 100 for row in rows], height=0.58, color=ink(role), alpha=0.85)
    for bar, row in zip(bars, rows, strict=True):
        sheet.hint(bar, f"{row.symbol}: holds {percent(row.actual)}, wants {percent(row.target)} of the sleeve")
    for level, row in enumerate(rows):
        if row.target is not None:
            axes.vlines(row.target * 100, level - 0.42, level + 0.42, color=ink("text"), linewidth=2.2)
    axes.set_yticks(range(len(rows)), [row.symbol for row in rows])
    axes.grid(visible=False, axis="y")
    axes.set_xlim(left=0)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("% of the sleeve's equity")
