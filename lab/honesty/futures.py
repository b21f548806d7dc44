"""Histories that agree up to a moment, and differ in all that comes after it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from paper.history import BarArrays, Floats, History

_NOISE = 0.05  # standard deviation of a session's change, several times that of any stock


class Future(StrEnum):
    """What is done to everything that a run must not have seen."""

    NOISE = "noise"
    SHUFFLED = "shuffled"
    REMOVED = "removed"


@dataclass(frozen=True)
class _Part:
    """The rows from the run's own session on."""

    row: int
    luck: np.random.Generator


def with_future(history: History, session: date, future: Future, seed: int = 0) -> History:
    """`history` as a run in the hours of `session` may know it, and another future behind that.

    A run knows all bars before its session and the opening price of its own; the close, and with it high and low, are
    part of the future. Splits and dividends after the session never happen.
    """
    part = _Part(history.sessions.index(session), np.random.default_rng(seed))
    bars = _ALTERED[future](history.bars, part)
    splits = [split for split in history.splits if split.ex_date <= session]
    dividends = [dividend for dividend in history.dividends if dividend.ex_date <= session]
    return History(history.symbols, history.sessions[: len(bars.close)], bars, splits, dividends)


def _removed(bars: BarArrays, part: _Part) -> BarArrays:
    arrays = {name: array[: part.row + 1].copy() for name, array in _arrays(bars).items()}
    return _closing_at(
        arrays, part.row, arrays["open"][-1] if "open" in arrays else np.full(bars.close.shape[1], np.nan)
    )


def _shuffled(bars: BarArrays, part: _Part) -> BarArrays:
    order = np.arange(len(bars.close))
    drawn = part.luck.permutation(order[part.row :])
    order[part.row :] = np.roll(drawn, 1) if drawn[0] == part.row else drawn  # the session's own close must move
    arrays = {name: array[order] for name, array in _arrays(bars).items()}
    return _closing_at(_with_row(arrays, bars, part.row), part.row, arrays["close"][part.row])


def _noise(bars: BarArrays, part: _Part) -> BarArrays:
    rows = len(bars.close) - part.row
    factors = np.exp(np.cumsum(part.luck.normal(0, _NOISE, (rows, bars.close.shape[1])), axis=0))
    arrays = {name: array.copy() for name, array in _arrays(bars).items()}
    for array in arrays.values():
        array[part.row :] *= factors
    return _closing_at(_with_row(arrays, bars, part.row), part.row, arrays["close"][part.row].copy())


_ALTERED: dict[Future, Callable[[BarArrays, _Part], BarArrays]] = {
    Future.REMOVED: _removed,
    Future.SHUFFLED: _shuffled,
    Future.NOISE: _noise,
}


def _arrays(bars: BarArrays) -> dict[str, Floats]:
    return {name: array for name, array in vars(bars).items() if array is not None}


def _with_row(arrays: dict[str, Floats], bars: BarArrays, row: int) -> dict[str, Floats]:
    """`arrays` with the true opening prices of `row`, which are no future."""
    if bars.open is not None:
        arrays["open"][row] = bars.open[row]
    return arrays


def _closing_at(arrays: dict[str, Floats], row: int, closes: Floats) -> BarArrays:
    """Another close of `row`, and a high and low that go with it and with its open."""
    arrays["close"][row] = closes
    if "open" in arrays:
        arrays["high"][row] = np.maximum(arrays["open"][row], closes)
        arrays["low"][row] = np.minimum(arrays["open"][row], closes)
    return BarArrays(**arrays)
