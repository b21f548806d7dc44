"""A drawing in the report's style as a file of its own: an SVG that follows light and dark mode, or a PNG."""

import io
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from cli.report.ink import PIXELS_PER_INCH, Press, chart_style, ink
from openbell.errors import InvalidInput

type Ink = Callable[[str], str]  # the colour of a role, as `cli.report.ink.ink` has them
type Draw = Callable[[Figure, Ink], None]  # onto an empty figure

_CSS = Path(__file__).with_name("templates") / "page.css"
_DOTS_PER_INCH = 2 * PIXELS_PER_INCH  # twice as fine as the page, for screens that are
_ENDINGS = (".svg", ".png")


def check_chart_path(path: Path, option: str) -> None:
    """InvalidInput if no chart can be written to `path`."""
    if path.suffix.lower() not in _ENDINGS:
        raise InvalidInput(f"{option} {path}: expected a file that ends in {' or '.join(_ENDINGS)}")
    if not path.absolute().parent.is_dir():
        raise InvalidInput(f"{option} {path}: there is no folder {path.parent}")


def write_chart(path: Path, width: float, height: float, draw: Draw, description: str) -> None:
    """Draw `width` by `height` CSS pixels into `path`; InvalidInput if that cannot be written."""
    make = _svg if path.suffix.lower() == ".svg" else _png
    content = make(width, height, draw, description)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error


def _svg(width: float, height: float, draw: Draw, description: str) -> bytes:
    press = Press()
    with press.sheet(width, height) as sheet:
        sheet.figure.clear()
        draw(sheet.figure, ink)
    inline = press.print(sheet, description)
    light, dark = (
        ";".join(f"--{role}:{colour}" for role, colour in colours.items())
        for colours in (_palettes()["light"], _palettes()["dark"])
    )
    style = (
        f":root{{{light};background:var(--card);font-family:system-ui,sans-serif}}"
        f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
    )
    size = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
    return str(inline).replace("<svg", size, 1).replace(">", f"><style>{style}</style>", 1).encode()


def _png(width: float, height: float, draw: Draw, description: str) -> bytes:
    colours = _palettes()["light"]
    buffer = io.BytesIO()
    with mpl.rc_context(chart_style(colours)):
        figure = Figure(figsize=(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH), layout="constrained")
        draw(figure, colours.__getitem__)
        figure.savefig(
            buffer, format="png", dpi=_DOTS_PER_INCH, facecolor=colours["card"], metadata={"Description": description}
        )
    return buffer.getvalue()


@cache
def _palettes() -> Mapping[str, Mapping[str, str]]:
    """The page's colours by role, in light and in dark mode."""
    light, dark, *_ = re.findall(r":root\{([^}]*)\}", _CSS.read_text())
    return {name: dict(re.findall(r"--(\w+):(#\w+)", block)) for name, block in (("light", light), ("dark", dark))}
