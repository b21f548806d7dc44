"""Small charts as inline SVG, readable on light and on dark pages: lines take the colour of the text around them."""

from collections.abc import Mapping, Sequence
from typing import Any

from openbell.widgets.markup import Markup, element

BARS = 60  # of closes before the forecast
_WIDTH, _HEIGHT, _EDGE = 300, 110, 4
_ACCENT = "#3b7ddd"  # on white and on black with enough contrast for a line


def forecast_chart(symbol: str, closes: Sequence[float], forecast: Mapping[str, Any]) -> Markup:
    """The last closes (USD) and what is expected of the next bars, with its interval.

    `forecast` has `yhat`, `yhat_lower`, `yhat_upper` (one value a bar) as the run's report keeps them.
    """
    past = [float(close) for close in closes[-BARS:]]
    bands = [[float(value) for value in forecast[key]] for key in ("yhat", "yhat_lower", "yhat_upper")]
    place = _Scale([*past, *(value for band in bands for value in band)], len(past) + len(bands[0]))
    expected, lower, upper = (list(enumerate(band, start=len(past))) for band in bands)
    known = list(enumerate(past))
    described = f"{symbol}: last close {past[-1]:.2f} USD, expected {bands[0][-1]:.2f}" if past else symbol
    drawn = [
        element("title", described),
        element("polygon", points=place.points(upper + lower[::-1]), fill=_ACCENT, fill_opacity="0.2", stroke="none"),
        element("polyline", points=place.points(known), fill="none", stroke="currentColor"),
        element("polyline", points=place.points(known[-1:] + expected), fill="none", stroke=_ACCENT, stroke_width="2"),
    ]
    return element("svg", *drawn, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", width="100%", aria_label=described)


class _Scale:
    """Where bars and prices are drawn."""

    def __init__(self, prices: Sequence[float], bars: int) -> None:
        self._low, high = min(prices), max(prices)
        self._range = (high - self._low) or 1.0
        self._step = (_WIDTH - 2 * _EDGE) / max(1, bars - 1)

    def points(self, values: Sequence[tuple[int, float]]) -> str:
        """(bar, price) as SVG's points; the highest price is drawn at the top."""
        tall = _HEIGHT - 2 * _EDGE
        return " ".join(
            f"{_EDGE + bar * self._step:.1f},{_EDGE + tall * (1 - (price - self._low) / self._range):.1f}"
            for bar, price in values
        )
