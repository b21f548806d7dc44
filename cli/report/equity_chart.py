"""How the account and each strategy did over several sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from cli.day import Result
from cli.formats import signed_percent
from cli.report.ink import Press, Sheet, ink

_WIDTH, _HEIGHT = 880, 260


@dataclass(frozen=True)
class _Line:
    name: str
    role: str
    at: tuple[int, ...]  # positions of the sessions
    change: tuple[float, ...]  # since the start, fraction


def equity_chart(result: Result, press: Press, roles: Mapping[str, str]) -> Markup | None:
    """Change of equity since the start, by strategy and in total; None if fewer than two runs told their equity."""
    lines = [_total(result), *(_strategy(result, name, roles[name]) for name in result.strategies)]
    lines = [line for line in lines if len(line.at) > 1]
    if not lines:
        return None
    with press.sheet(_WIDTH, _HEIGHT) as sheet:
        _draw(sheet, lines, [f"{day.report.as_of:%-d %b}" for day in result.days])
    told = "; ".join(f"{line.name} {signed_percent(line.change[-1], 2)}" for line in lines)
    return press.print(sheet, f"Change of equity since the start: {told}")


def _total(result: Result) -> _Line:
    told = [(i, day.report.equity) for i, day in enumerate(result.days) if day.report.equity is not None]
    return _Line("Account", "text", tuple(i for i, _ in told), tuple(float(e / result.cash - 1) for _, e in told))


def _strategy(result: Result, name: str, role: str) -> _Line:
    sleeves = [(i, day.report.sleeves[name]) for i, day in enumerate(result.days) if name in day.report.sleeves]
    told = [(i, s.realised_pnl + s.unrealised_pnl, s.equity) for i, s in sleeves]
    return _Line(name, role, tuple(i for i, _, _ in told), tuple(_gain(pnl, equity) for _, pnl, equity in told))


def _gain(pnl: Decimal, equity: Decimal) -> float:
    """Profit over the capital that the sleeve started with, which is its equity less its profit."""
    capital = equity - pnl
    return float(pnl / capital) if capital else 0.0


def _draw(sheet: Sheet, lines: list[_Line], labels: list[str]) -> None:
    axes = sheet.axes
    axes.axhline(0, color=ink("muted"), linewidth=1)
    for line in reversed(lines):
        width = 2.4 if line.role == "text" else 1.8
        change = [value * 100 for value in line.change]
        (drawn,) = axes.plot(line.at, change, color=ink(line.role), linewidth=width, marker="o", markersize=4)
        sheet.hint(drawn, f"{line.name}: {signed_percent(line.change[-1], 2)} since the start")
    axes.margins(x=0.015)
    _name_lines(sheet, lines)
    step = max(1, len(labels) // 8)
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    axes.set_ylabel("% since the start")
    axes.grid(visible=False, axis="x")


def _name_lines(sheet: Sheet, lines: list[_Line]) -> None:
    """Each line's name at its right end, moved up where two would overlap."""
    low, high = sheet.axes.get_ylim()
    gap = (high - low) * 0.075  # a line of text
    last = float("-inf")
    for line in sorted(lines, key=lambda line: line.change[-1]):
        last = max(line.change[-1] * 100, last + gap)
        text = f"{line.name} {signed_percent(line.change[-1], 2)}"
        sheet.axes.annotate(
            text, (line.at[-1], last), (9, 0), textcoords="offset points", va="center", color=ink(line.role)
        )
