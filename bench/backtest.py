"""How fast a backtest is, beside Backtrader, backtesting.py and vectorbt: daily sma_cross over many tickers.

    python -m bench.backtest [--quick]

Each contestant runs as a process of its own on real closes of 20 large US stocks, one after the other; CPU seconds,
without what makes the price tables. Then prophet_trend with a weekly refit beside stock Prophet, measured on a sample
and scaled. Prints tables; the last line is one JSON object. `--quick` leaves the second market and stock Prophet out.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.contestants.contest import Task
from bench.contestants.ours import history_of
from bench.forecast_data import on_one_core, sample_closes, table
from lab.backtest import backtest
from lab.forecasts import ForecastStore
from lab.outcome import BacktestSettings
from openbell.config import parse_config

ROOT = Path(__file__).resolve().parents[1]
_SECONDS = 1800
_STOCK_FITS = 12  # of stock Prophet, whose median is scaled


@dataclass(frozen=True)
class Entrant:
    """Who takes part: a module of bench.contestants, and the environment under .tools that it needs, if any."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    peer: str = ""
    portfolio: bool = True  # one for all symbols, so that its fills are ours to the share

    @property
    def python(self) -> Path:
        """What runs it."""
        return ROOT / ".tools" / self.peer / "bin" / "python" if self.peer else Path(sys.executable)


OURS = Entrant("ours", "ours")
PEERS = (
    Entrant("Backtrader as documented", "in_backtrader"),
    Entrant("Backtrader lean", "in_backtrader", ("lean",)),
    Entrant("backtesting.py, ticker by ticker", "in_backtesting", peer="backtesting", portfolio=False),
    Entrant("vectorbt, each ticker alone", "in_vectorbt", peer="vectorbt", portfolio=False),
)


@dataclass(frozen=True)
class Result:
    """CPU seconds and fills of one entrant: `cold` with imports and the first play, `warm` the least of the later."""

    cold: float
    warm: float
    fills: list[list[Any]]
    peak_mib: float


@dataclass(frozen=True)
class Race:
    """One market, played by all who could."""

    name: str
    ours: Result
    peers: Mapping[Entrant, Result]

    def ratio(self, name: str) -> float | None:
        """How much longer than ours somebody takes, warm; None if he did not take part."""
        return next((round(r.warm / self.ours.warm, 2) for e, r in self.peers.items() if e.name == name), None)

    @property
    def equal(self) -> bool:
        """Whether all that have one portfolio made the same fills."""
        return all(result.fills == self.ours.fills for entrant, result in self.peers.items() if entrant.portfolio)


def main() -> None:
    """Measure, print, and end with the JSON line."""
    on_one_core("bench.backtest")
    closes, quick = sample_closes(), "--quick" in sys.argv
    markets = {"20 tickers x 8,313 days": _task(closes)}
    if not quick:
        markets["100 tickers x 2,520 days"] = _stretches(closes)
    races = [_race(name, task) for name, task in markets.items()]
    for race in races:
        _print(race)
    walk = None if quick else _prophet_walk(closes)
    first = races[0]
    answer = {
        "backtrader_ratio": first.ratio("Backtrader as documented"),
        "backtrader_lean_ratio": first.ratio("Backtrader lean"),
        "backtrader_ratio_100": races[1].ratio("Backtrader as documented") if len(races) > 1 else None,
        "backtesting_ratio": first.ratio("backtesting.py, ticker by ticker"),
        "vectorbt_ratio": first.ratio("vectorbt, each ticker alone"),
        "trades_equal": all(race.equal for race in races),
        "prophet_walk_ratio": walk,
        "peak_mib": round(max(race.ours.peak_mib for race in races)),
    }
    print(json.dumps(answer))


def _task(closes: pd.DataFrame) -> Task:
    return Task(
        symbols=[str(name) for name in closes.columns],
        days=[day.date().isoformat() for day in closes.index],
        closes=closes.to_numpy(dtype=float).T.tolist(),
        cash=1_000_000,
        fast=50,
        slow=200,
        cash_buffer=0.05,
        max_position=round(0.8 / len(closes.columns), 4),  # such that all of them together leave money over
    )


def _stretches(closes: pd.DataFrame) -> Task:
    """The 20 tickers five times, each time another stretch of their history, all on the last 2,520 dates."""
    starts = [len(closes) - 2520 - 1440 * number for number in range(5)]
    prices = np.concatenate([closes.to_numpy(dtype=float)[start : start + 2520] for start in starts], axis=1)
    names = [f"{name}{number}" for number in range(5) for name in closes.columns]
    return _task(pd.DataFrame(prices, closes.index[-2520:], names))


def _race(name: str, task: Task) -> Race:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.json"
        task.write(path)
        before = _run(OURS, path)
        peers = {peer: result for peer in PEERS if (result := _run(peer, path))}
        rounds = [result for result in (before, _run(OURS, path)) if result]
    if not rounds:
        raise SystemExit("our own backtest failed: see above")
    return Race(name, min(rounds, key=lambda result: result.warm), peers)


def _run(entrant: Entrant, task: Path) -> Result | None:
    """What an entrant answers; None, with the reason printed, if it cannot take part."""
    if not entrant.python.exists():
        print(f"{entrant.name} left out: not installable here, or not installed yet (scripts/tools.sh {entrant.peer})")
        return None
    command = [str(entrant.python), "-W", "ignore", "-m", f"bench.contestants.{entrant.module}", str(task)]
    try:
        done = subprocess.run(
            [*command, *entrant.arguments], capture_output=True, text=True, timeout=_SECONDS, check=True, cwd=ROOT
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        told = error.stderr if isinstance(error.stderr, str) and error.stderr.strip() else "it took too long"
        print(f"{entrant.name} left out: {told.strip().splitlines()[-1]}")
        return None
    return Result(**json.loads(done.stdout.splitlines()[-1]))


def _print(race: Race) -> None:
    heads = (race.name, "cold s", "warm s", "of ours, cold", "warm", "MiB", "fills", "as ours")
    everybody = {OURS: race.ours, **race.peers}
    rows = [
        (
            entrant.name,
            f"{result.cold:.2f}",
            f"{result.warm:.3f}",
            f"{result.cold / race.ours.cold:.1f}x",
            f"{result.warm / race.ours.warm:.2f}x",
            f"{result.peak_mib:.0f}",
            len(result.fills),
            _sameness(result, race.ours, portfolio=entrant.portfolio),
        )
        for entrant, result in everybody.items()
    ]
    table(
        "sma_cross 50/200, CPU seconds; cold: imports and the first play in a process, warm: the ones after",
        heads,
        rows,
    )


def _sameness(result: Result, ours: Result, *, portfolio: bool) -> str:
    """To the share, or for tickers on their own, whose sizes differ, how many fills are on the same days."""
    if portfolio:
        return "to the share" if result.fills == ours.fills else "NO"
    days = {tuple(fill[:3]) for fill in ours.fills}
    return f"{sum(tuple(fill[:3]) in days for fill in result.fills)} on the same days"


def _prophet_walk(closes: pd.DataFrame) -> float:
    """prophet_trend over five years, 20 tickers, weekly: stock Prophet's loop over ours."""
    entry = {"allocation": "1", "universe": {"members": "tradable", "size": 20}}
    config = parse_config({"strategies": {"prophet_trend": entry}, "data": {"max_jump": 10}}, "bench")
    store = ForecastStore(None)
    start = time.process_time()
    outcome = backtest(
        history_of(_task(closes)), config, BacktestSettings(date(2018, 1, 2), date(2022, 12, 28), "1w"), store
    )
    ours = time.process_time() - start
    stock = _stock_seconds(closes) * store.made
    heads = ("prophet_trend, weekly refit, 5 years", "forecasts", "ours s", "stock Prophet s (scaled)", "ratio")
    row = (f"{outcome.asked} runs", store.made, f"{ours:.1f}", f"{stock:.0f}", f"{stock / ours:.0f}x")
    table(
        f"Forecasts, decisions, orders and books against the fits and predictions alone, {_STOCK_FITS} measured",
        heads,
        [row],
    )
    return round(stock / ours, 1)


def _stock_seconds(closes: pd.DataFrame) -> float:
    """Median CPU seconds of stock Prophet for one ticker: fit 504 bars, predict 15."""
    from prophet import Prophet  # noqa: PLC0415 a second of import, for this table only

    seconds = []
    for number in range(_STOCK_FITS):
        end = len(closes) - 90 * number
        window = closes.iloc[end - 504 : end, number]
        frame = pd.DataFrame({"ds": window.index, "y": window.to_numpy()})
        future = pd.DataFrame({"ds": pd.bdate_range(window.index[-1], periods=16)[1:]})
        start, children = time.process_time(), _children()
        Prophet().fit(frame).predict(future)
        seconds.append(time.process_time() - start + _children() - children)
    return float(np.median(seconds))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
