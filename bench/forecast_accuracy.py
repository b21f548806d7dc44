"""How good the forecasts are out of sample, and which option is worth what.

    python -m bench.forecast_accuracy [--quick]

Walk-forward: at each as-of date only the bars up to it are handed over. The defaults were settled with the whole
period in view; its two halves show whether they agree. Prints tables; the last line is one JSON object.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.forecast_data import on_one_core, sample_closes, table
from openbell.accuracy import Accuracy, Tally
from openbell.forecasting.options import ForecastOptions
from openbell.forecasting.scoring import BarScore, tally
from openbell.forecasting.walk_forward import walk_forward

HORIZONS = (1, 5, 10)
_FIRST, _EVERY = 1300, 20  # bar of the first as-of date, bars between two
_BARS = 756  # handed over

VARIANTS: dict[str, ForecastOptions] = {
    "calibrated (default)": ForecastOptions(horizon=10),
    "raw": ForecastOptions.preset("raw", horizon=10),
    "raw on 504 bars": ForecastOptions.preset("raw", horizon=10, history=504),
    "raw + anchor": ForecastOptions.preset("raw", horizon=10, history=504, anchor=1.0),
    "raw + anchor, no seasons": ForecastOptions.preset(
        "raw", horizon=10, history=504, anchor=1.0, yearly_seasonality=0, weekly_seasonality=0
    ),
    "default, USD not log": ForecastOptions(horizon=10, log_prices=False),
    "default, history 252": ForecastOptions(horizon=10, history=252),
    "default, prior 0.05": ForecastOptions(horizon=10, changepoint_prior_scale=0.05),
    "default, prior 0.5": ForecastOptions(horizon=10, changepoint_prior_scale=0.5),
    "default, changepoints to 95 %": ForecastOptions(horizon=10, changepoint_range=0.95),
    "default, weekly season": ForecastOptions(horizon=10, weekly_seasonality=3),
    "default, yearly season": ForecastOptions(horizon=10, yearly_seasonality=10),
    "default, anchor 0.99 a bar": ForecastOptions(horizon=10, anchor=0.99),
    "default, undamped": ForecastOptions(horizon=10, damping=1.0),
    "default, weight 0.5 not learnt": ForecastOptions(horizon=10, learn_weight=False),
    "default, weight 1 not learnt": ForecastOptions(horizon=10, learn_weight=False, trend_weight=1.0),
    "default, calibration 126": ForecastOptions(horizon=10, calibration=126),
    "default, model's intervals": ForecastOptions(horizon=10, intervals="model"),
}
_QUICK = ("calibrated (default)", "raw")


@dataclass(frozen=True)
class Scored:
    """Scores of one variant, each with the position of its as-of date and the skill known then."""

    scores: tuple[BarScore, ...]
    dates: tuple[int, ...]
    skills: tuple[float | None, ...]

    def of(self, horizon: int, first: int = 0, last: int = sys.maxsize) -> Accuracy:
        """Accuracy at one horizon over the as-of dates from `first` to before `last`."""
        pairs = zip(self.scores, self.dates, strict=True)
        return _mean([one for one, place in pairs if one.horizon == horizon and first <= place < last])


def main() -> None:
    """Measure, print, and end with the JSON line."""
    on_one_core("bench.forecast_accuracy")
    closes = sample_closes()
    ends = list(range(_FIRST, len(closes) - 10, _EVERY))
    names = _QUICK if "--quick" in sys.argv else tuple(VARIANTS)
    results = {name: _walk_forward(closes, ends, VARIANTS[name]) for name in names}
    half = len(ends) // 2
    split = f"{closes.index[ends[half]]:%Y-%m-%d}"
    _print_errors(
        results,
        half,
        f"{len(ends)} dates x {closes.shape[1]} tickers, {closes.index[ends[0]]:%Y} to 2022; second half from {split}",
    )
    _print_intervals(results, half)
    default = results["calibrated (default)"]
    _print_tickers(default, closes)
    _print_skill(default)
    print(json.dumps({name: _summary(result) for name, result in results.items()}))


def _walk_forward(closes: pd.DataFrame, ends: Sequence[int], options: ForecastOptions) -> Scored:
    scores: list[BarScore] = []
    dates: list[int] = []
    skills: list[float | None] = []
    for place, step in enumerate(walk_forward(closes, ends, options, _BARS)):
        scores += step.scores
        dates += [place] * len(step.scores)
        skills += [step.skills[one.symbol] for one in step.scores]
    return Scored(tuple(scores), tuple(dates), tuple(skills))


def _mean(scores: Sequence[BarScore]) -> Accuracy:
    return sum(tally(scores).values(), Tally()).accuracy


def _print_errors(results: dict[str, Scored], half: int, title: str) -> None:
    naive = next(iter(results.values()))
    rows: list[list[str]] = [["naive (last close)", *(f"{naive.of(h).naive_mase:.3f}" for h in HORIZONS), *[""] * 6]]
    for name, result in results.items():
        whole = [result.of(h) for h in HORIZONS]
        halves = [result.of(h, *part).skill for h in HORIZONS for part in ((0, half), (half,))]
        rows.append([name, *(f"{one.mase:.3f}" for one in whole), *(f"{100 * skill:+.2f}" for skill in halves)])
    heads = [
        "MASE at",
        *(f"{h} bars" for h in HORIZONS),
        *(f"{part} {h}" for h in HORIZONS for part in ("1st half", "2nd half")),
    ]
    table(f"Errors, {title}; right: % better than naive", heads, rows)


def _print_intervals(results: dict[str, Scored], half: int) -> None:
    rows = []
    for name, result in results.items():
        whole = [result.of(h) for h in HORIZONS]
        later = [result.of(h, half) for h in HORIZONS]
        cover = [f"{100 * one.coverage:.1f}" for one in (*whole, *later)]
        rows.append([name, *cover, *(f"{1e4 * one.pinball:.1f}" for one in whole), f"{100 * whole[2].hit_rate:.1f}"])
    heads = ["80 % intervals", *(f"{h} bars" for h in HORIZONS), *(f"2nd half {h}" for h in HORIZONS)]
    heads += [*(f"loss {h}" for h in HORIZONS), "direction 10"]
    table("Coverage in %, pinball loss in bps of the price, share of right directions in %", heads, rows)


def _print_tickers(result: Scored, closes: pd.DataFrame) -> None:
    rows = []
    for ticker in closes.columns:
        per = [_mean([s for s in result.scores if s.symbol == ticker and s.horizon == h]) for h in HORIZONS]
        rows.append(
            [
                str(ticker),
                str(per[0].bars),
                *(f"{100 * one.skill:+.2f}" for one in per),
                *(f"{100 * one.coverage:.1f}" for one in per),
            ]
        )
    heads = ["default, by ticker", "windows", *(f"skill {h}" for h in HORIZONS), *(f"covered {h}" for h in HORIZONS)]
    table("Skill in % against naive, coverage in %", heads, rows)


def _print_skill(result: Scored) -> None:
    """What a gate on past skill would have left."""
    rows = []
    for name, low, high in (("below 0", -np.inf, 0.0), ("0 to 1 %", 0.0, 0.01), ("above 1 %", 0.01, np.inf)):
        row: list[str] = [name]
        for horizon in HORIZONS:
            kept = [
                one
                for one, skill in zip(result.scores, result.skills, strict=True)
                if one.horizon == horizon and skill is not None and low < skill <= high
            ]
            row += [str(len(kept)), f"{100 * _mean(kept).skill:+.2f}"] if kept else ["0", ""]
        rows.append(row)
    table(
        "Skill afterwards, by skill shown before",
        ["past skill", *(x for h in HORIZONS for x in (f"bars {h}", f"skill {h}"))],
        rows,
    )


def _summary(result: Scored) -> dict[str, Any]:
    return {
        str(h): {
            "mase": round(one.mase, 4),
            "naive_mase": round(one.naive_mase, 4),
            "coverage": round(one.coverage, 4),
            "hit_rate": round(one.hit_rate, 4),
            "forecasts": one.bars,
        }
        for h in HORIZONS
        for one in [result.of(h)]
    }


if __name__ == "__main__":
    main()
