"""Matplotlib figures as small inline SVG whose colours follow the page.

Charts are drawn with stand-in colours, one for each role, which become CSS variables of the page afterwards: so the
same drawing is right in light mode, in dark mode and in print, without a line of JavaScript.
"""

import html
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STRATEGY_COLOURS = 8  # beyond these, colours repeat
_ROLES = ("text", "muted", "grid", "line", "accent", "mark", *(f"s{index}" for index in range(STRATEGY_COLOURS)))
_STAND_INS = {role: f"#0102{index:02x}" for index, role in enumerate(_ROLES)}
PIXELS_PER_INCH = 72  # Matplotlib's SVG unit is 1/72 inch; one unit is one CSS pixel here


def chart_style(colours: Mapping[str, str]) -> Any:  # Matplotlib types the keys as a literal of hundreds of names
    """Matplotlib's settings for a chart, with a colour for each role."""
    return {
        "svg.fonttype": "none",  # text stays text: selectable, and in the page's own font
        "svg.hashsalt": "openbell",  # the same data gives the same bytes
        "text.parse_math": False,  # a dollar sign in a name is a dollar sign
        "font.size": 10,
        "text.color": colours["text"],
        "axes.labelcolor": colours["muted"],
        "axes.edgecolor": colours["grid"],
        "axes.linewidth": 1,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "grid.color": colours["grid"],
        "grid.linewidth": 0.8,
        "xtick.color": colours["grid"],
        "ytick.color": colours["grid"],
        "xtick.labelcolor": colours["muted"],
        "ytick.labelcolor": colours["muted"],
        "ytick.major.size": 0,
        "path.simplify_threshold": 0.4,
    }


_STYLE = chart_style(_STAND_INS)


def ink(role: str) -> str:
    """The stand-in colour for `role`: text, muted, grid, line, accent, mark, or s0 to s7 for strategies."""
    return _STAND_INS[role]


@dataclass
class Sheet:
    """A figure being drawn, with the hints that appear under the mouse."""

    figure: Figure
    axes: Axes
    hints: dict[str, str] = field(default_factory=dict)

    def hint(self, artist: Artist, text: str) -> None:
        """Show `text` when the mouse rests on `artist`."""
        name = f"hint-{len(self.hints)}"
        artist.set_gid(name)
        self.hints[name] = text


class Press:
    """Turns drawings into SVG; one for each page, because ids must be unique within it."""

    def __init__(self) -> None:
        self._numbers = count(1)

    @contextmanager
    def sheet(self, width: float, height: float) -> Iterator[Sheet]:
        """An empty chart of `width` by `height` CSS pixels in the page's style."""
        with mpl.rc_context(_STYLE):
            figure = Figure(figsize=(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH), layout="constrained")
            yield Sheet(figure, figure.subplots())

    def print(self, sheet: Sheet, description: str) -> Markup:
        """The drawing as an SVG element that reads `description` to those who cannot see it."""
        buffer = io.StringIO()
        with mpl.rc_context(_STYLE):
            sheet.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        return Markup(_tidy(buffer.getvalue(), f"c{next(self._numbers)}", sheet.hints, description))  # noqa: S704


def _tidy(svg: str, prefix: str, hints: dict[str, str], description: str) -> str:
    """Inline SVG from Matplotlib's file: our colours, our font, ids unique in the page, a description."""
    body = svg[svg.index("<svg") :]
    box = _found(r'viewBox="([^"]+)"', body)
    inner = body[body.index(">") + 1 : body.rindex("</svg>")]
    inner = re.sub(r"<metadata>.*?</metadata>", "", inner, flags=re.DOTALL)
    inner = re.sub(r'<defs>\s*<style type="text/css">.*?</style>\s*</defs>', "", inner, flags=re.DOTALL)
    inner = re.sub(r'<g id="([^"]+)">', lambda match: _group(match[1], hints), inner)
    inner = re.sub(r'((?:id="|href="#|url\(#))', rf"\g<1>{prefix}-", inner)
    inner = inner.replace("xlink:href", "href")
    inner = re.sub(r"font-family: [^;\"]+;?", "", inner)
    for role, colour in _STAND_INS.items():
        inner = inner.replace(colour, f"var(--{role})")
    inner = re.sub(r"\s*\n\s*", " ", inner)
    inner = re.sub(r"(\d+\.\d\d)\d+", r"\1", inner)  # a hundredth of a pixel is enough
    return f'<svg viewBox="{box}" role="img" aria-label="{html.escape(description)}">{inner}</svg>'


def _group(name: str, hints: dict[str, str]) -> str:
    return f"<g><title>{html.escape(hints[name])}</title>" if name in hints else "<g>"


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise ValueError(f"Matplotlib's SVG has no {pattern}")
    return match[1]


def strategy_roles(strategies: Iterable[str]) -> dict[str, str]:
    """A colour role for each strategy; the same set of names always gets the same colours."""
    return {name: f"s{index % STRATEGY_COLOURS}" for index, name in enumerate(sorted(strategies))}
