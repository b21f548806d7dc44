"""How good forecasts would have been: made as of many past sessions, and scored by what came."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter

import pandas as pd

from cli.formats import percent
from openbell.accuracy import Accuracy, Tally
from openbell.errors import InvalidInput
from openbell.forecasting.calibration import fewest_bars
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.scoring import tally
from openbell.forecasting.walk_forward import walk_forward

_TOLD = 5  # bars from one horizon that is told to the next
_NEAR = 0.03  # how far the share of closes in the interval may lie from what was promised


@dataclass(frozen=True)
class Record:
    """Sums over the scores by ticker and horizon (bars), and by ticker how many forecasts failed, with the last reason.

    `first`, `last`: the sessions as of which the first and the last forecasts were made. `sessions`: how many.
    """

    first: date
    last: date
    sessions: int
    interval_width: float
    tallies: Mapping[str, Mapping[int, Tally]]
    failed: Mapping[str, tuple[int, str]]

    @property
    def horizons(self) -> dict[int, Accuracy]:
        """Means over all tickers by horizon, ascending."""
        found = sorted({horizon for of_ticker in self.tallies.values() for horizon in of_ticker})
        return {
            horizon: sum((one[horizon] for one in self.tallies.values() if horizon in one), Tally()).accuracy
            for horizon in found
        }

    @property
    def told(self) -> dict[int, Accuracy]:
        """Those of the horizons that a person wants to see."""
        return told_of(self.horizons)

    @property
    def tickers(self) -> dict[str, Accuracy]:
        """Means over all horizons by ticker."""
        return {
            ticker: sum(of_ticker.values(), Tally()).accuracy for ticker, of_ticker in self.tallies.items() if of_ticker
        }

    @property
    def overall(self) -> Accuracy:
        """Means over everything."""
        return sum((one for of_ticker in self.tallies.values() for one in of_ticker.values()), Tally()).accuracy


def told_of(horizons: Mapping[int, Accuracy]) -> dict[int, Accuracy]:
    """The first horizon, the last one, and one for each week between them."""
    return {h: found for h, found in horizons.items() if h in {1, max(horizons)} or h % _TOLD == 0}


def rows_of(closes: pd.DataFrame, options: ForecastOptions, first: date | None, last: date | None, every: int) -> range:
    """The rows as of which to forecast; InvalidInput if there are none.

    Each has enough bars before it and a whole horizon after it, so that every horizon is judged on the same sessions.
    """
    if every < 1:
        raise InvalidInput(f"--every {every}: expected a number of sessions from 1 on")
    stamps = pd.DatetimeIndex(closes.index)
    low, high = fewest_bars(options) - 1, len(stamps) - options.horizon
    if first:
        low = max(low, int(stamps.searchsorted(pd.Timestamp(first))))
    if last:
        high = min(high, int(stamps.searchsorted(pd.Timestamp(last), side="right")))
    if low >= high:
        span = f"{stamps[0]:%Y-%m-%d} to {stamps[-1]:%Y-%m-%d}"
        asked = f"{f' from {first}' if first else ''}{f' up to {last}' if last else ''}"
        raise InvalidInput(
            f"no session{asked} has {fewest_bars(options)} bars up to it and {options.horizon} after it; "
            f"the data has {len(stamps):,}, {span}"
        )
    return range(low, high, every)


def score_past(
    closes: pd.DataFrame, rows: range, options: ForecastOptions, on_step: Callable[[], None] = lambda: None
) -> Record:
    """The record of forecasts as of the sessions at `rows`; `on_step` is called after each. `closes` as for Prices."""
    stamps = pd.DatetimeIndex(closes.index)
    tallies: dict[str, dict[int, Tally]] = {str(ticker): {} for ticker in closes.columns}
    failed: dict[str, tuple[int, str]] = {}
    for step in walk_forward(closes, rows, options, (options.history or len(closes)) + options.calibration):
        for ticker, scores in groupby(step.scores, key=attrgetter("symbol")):  # a forecast's scores lie together
            for horizon, found in tally(scores).items():
                tallies[ticker][horizon] = tallies[ticker].get(horizon, Tally()) + found
        for ticker, reason in step.failed.items():
            failed[ticker] = (failed.get(ticker, (0, ""))[0] + 1, reason)
        on_step()
    if not any(tallies.values()):
        raise InvalidInput(f"no forecast could be made and scored; {'; '.join(why for _, why in failed.values())}")
    first, last = stamps[rows[0]].date(), stamps[rows[-1]].date()
    return Record(first, last, len(rows), options.interval_width, tallies, failed)


def verdict_on(accuracy: Accuracy) -> str:
    """Whether forecasting was worth anything, in a few words."""
    if not accuracy.naive_mase > 0:
        return "the price did not move"
    size = percent(abs(accuracy.skill), 2 if abs(accuracy.skill) < 0.1 else 0)  # noqa: PLR2004
    return f"better than naive by {size}" if accuracy.skill > 0 else f"naive is better by {size}"


def verdicts(record: Record) -> list[str]:
    """What the record says, in sentences."""
    overall = record.overall
    said = [_on_error(overall), _on_interval(overall, record.interval_width)]
    worse = [ticker for ticker, found in record.tickers.items() if not found.skill > 0]
    if 0 < len(worse) < len(record.tickers):
        said.append(f"Naive is better for {', '.join(worse)}.")
    return said


def _on_error(found: Accuracy) -> str:
    size = percent(abs(found.skill), 2 if abs(found.skill) < 0.1 else 0)  # noqa: PLR2004
    if found.skill > 0:
        return f'The mean error is {size} smaller than that of naive, which says "tomorrow equals today".'
    return f'Naive is better: the mean error is {size} larger than that of "tomorrow equals today".'


def _on_interval(found: Accuracy, width: float) -> str:
    judged = (
        "too narrow" if found.coverage < width - _NEAR else "too wide" if found.coverage > width + _NEAR else "fair"
    )
    return f"The {percent(width, 0)} interval held {percent(found.coverage)} of the closes: {judged}."
