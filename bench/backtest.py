"""How much faster than Backtrader, with the same trades: daily sma_cross over many tickers in one portfolio.

    python -m bench.backtest [--quick]

Both run one after the other, in turns, on real closes of 20 large US stocks; CPU seconds, without imports, and without
what makes the price tables. Then prophet_trend with a weekly refit beside stock Prophet, measured on a sample and
scaled. Prints tables; the last line is one JSON object. `--quick` leaves the second market and stock Prophet out.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import time as time_of_day
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.forecast_data import on_one_core, sample_closes, table
from lab.backtest import backtest
from lab.forecasts import ForecastStore
from lab.outcome import BacktestSettings, Outcome
from lab.trades import fills_of
from openbell.config import PlatformConfig, parse_config
from paper import BarArrays, History

FAST, SLOW = 50, 200
CASH = 1_000_000
CASH_BUFFER = 0.05
_ROUNDS = 3
_SECONDS = 1800
_STOCK_FITS = 12  # of stock Prophet, whose median is scaled


@dataclass(frozen=True)
class Race:
    """One market, played by both: the least CPU seconds of the rounds, and the fills."""

    name: str
    ours: float
    documented: float
    lean: float
    fills: int
    same: bool
    runs: int
    asked: int


def main() -> None:
    """Measure, print, and end with the JSON line."""
    on_one_core("bench.backtest")
    closes, quick = sample_closes(), "--quick" in sys.argv
    markets = [("20 tickers x 8,313 days", _history(closes))]
    if not quick:
        markets.append(("100 tickers x 2,520 days", _stretches(closes)))
    races = [race for name, history in markets if (race := _race(name, history))]
    _print_races(races)
    walk = None if quick else _prophet_walk(closes)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer = {
        "backtrader_ratio": round(races[0].documented / races[0].ours, 1) if races else None,
        "backtrader_lean_ratio": round(races[0].lean / races[0].ours, 1) if races else None,
        "backtrader_ratio_100": round(races[1].documented / races[1].ours, 1) if len(races) > 1 else None,
        "trades_equal": all(race.same for race in races) if races else None,
        "prophet_walk_ratio": walk,
        "peak_mib": round(memory),
    }
    print(json.dumps(answer))


def _history(closes: pd.DataFrame) -> History:
    history = History(
        list(closes.columns), [day.date() for day in closes.index], BarArrays(closes.to_numpy(dtype=float))
    )
    _ = history.calendar  # the exchange's holidays are worked out once for all backtests
    return history


def _stretches(closes: pd.DataFrame) -> History:
    """The 20 tickers five times, each time another stretch of their history, all on the last 2,520 dates."""
    starts = [len(closes) - 2520 - 1440 * number for number in range(5)]
    prices = np.concatenate([closes.to_numpy(dtype=float)[start : start + 2520] for start in starts], axis=1)
    names = [f"{name}{number}" for number in range(5) for name in closes.columns]
    return _history(pd.DataFrame(prices, closes.index[-2520:], names))


def _config(size: int) -> PlatformConfig:
    entry = {
        "allocation": "1",
        "universe": {"members": "tradable", "size": size, "lookback": SLOW},  # Backtrader, too, begins a bar later
        "parameters": {"fast": FAST, "slow": SLOW, "cash_buffer": str(CASH_BUFFER)},
    }
    wide = {"max_daily_turnover": "10", "max_order_notional": "1e12", "max_price_move": "1", "max_daily_loss": "1"}
    content = {
        "strategies": {"sma_cross": entry},
        "risk": {**wide, "max_position": _max_position(size)},
        "data": {"max_jump": 10},
    }
    return parse_config(content, "bench")


def _max_position(size: int) -> str:
    """Part of the equity in one symbol, such that all of them together leave money over."""
    return str(round(0.8 / size, 4))


def _race(name: str, history: History) -> Race | None:
    settings = BacktestSettings(
        history.sessions[0], history.sessions[-1], at=time_of_day(12), cash=Decimal(CASH), slippage_bps=Decimal(0)
    )
    config, store = _config(len(history.symbols)), ForecastStore(None)
    seconds: list[float] = []
    theirs: list[dict[str, Any]] = []
    outcome: Outcome | None = None
    for _ in range(_ROUNDS):
        start = time.process_time()
        outcome = backtest(history, config, settings, store)
        seconds.append(time.process_time() - start)
        found = _backtrader(history) if len(theirs) < _ROUNDS - 1 else theirs[-1]
        if found is None:
            return None
        theirs.append(found)
    if outcome is None:
        return None
    ours = _fills(outcome)
    return Race(
        name,
        min(seconds),
        min(one["documented"]["cpu"] for one in theirs),
        min(one["lean"]["cpu"] for one in theirs),
        len(ours),
        all(ours == sorted(map(tuple, one[shape]["fills"])) for one in theirs for shape in ("documented", "lean")),
        outcome.runs,
        outcome.asked,
    )


def _fills(outcome: Outcome) -> list[tuple[str, str, str, int]]:
    return sorted((f.day.isoformat(), f.symbol, f.side.value, int(f.qty)) for f in fills_of(outcome))


def _backtrader(history: History) -> dict[str, Any] | None:
    """The peers' answer; None if Backtrader cannot be installed."""
    uv = shutil.which("uv") or os.environ.get("UV")
    if uv is None:
        print("Backtrader left out: uv is needed to install it apart; put it on the PATH or name it in UV")
        return None
    task = {
        "symbols": list(history.symbols),
        "days": [day.isoformat() for day in history.sessions],
        "closes": history.bars.close.T.tolist(),
        "cash": CASH,
        "fast": FAST,
        "slow": SLOW,
        "cash_buffer": CASH_BUFFER,
        "max_position": float(_max_position(len(history.symbols))),
    }
    command = [uv, "run", "--isolated", "--no-project", "--python", sys.executable]
    command += ["--with", "backtrader==1.9.78.123", "--with", "pandas", "python", "-W", "ignore"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "task.json"
        file.write_text(json.dumps(task))
        script = Path(__file__).with_name("backtest_peers.py")
        try:
            done = subprocess.run(
                [*command, str(script), str(file)],
                capture_output=True, text=True, timeout=_SECONDS, check=True, cwd=folder,
            )  # fmt: skip
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            told = (error.stderr or "it took too long") if isinstance(error.stderr, str) else "it took too long"
            print(f"Backtrader left out: {told.strip().splitlines()[-1]}")
            return None
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _print_races(races: Sequence[Race]) -> None:
    heads = (
        "sma_cross 50/200, one portfolio",
        "ours s",
        "Backtrader s",
        "ratio",
        "lean s",
        "ratio",
        "fills",
        "equal",
        "runs",
        "asked",
    )
    rows = [
        (
            race.name,
            f"{race.ours:.2f}",
            f"{race.documented:.1f}",
            f"{race.documented / race.ours:.1f}x",
            f"{race.lean:.1f}",
            f"{race.lean / race.ours:.1f}x",
            race.fills,
            "yes" if race.same else "NO",
            race.runs,
            race.asked,
        )
        for race in races
    ]
    table("CPU seconds; Backtrader with CrossOver and observers, and lean: neither of them", heads, rows)


def _prophet_walk(closes: pd.DataFrame) -> float:
    """prophet_trend over five years, 20 tickers, weekly: stock Prophet's loop over ours."""
    entry = {"allocation": "1", "universe": {"members": "tradable", "size": 20}}
    config = parse_config({"strategies": {"prophet_trend": entry}, "data": {"max_jump": 10}}, "bench")
    store = ForecastStore(None)
    start = time.process_time()
    outcome = backtest(_history(closes), config, BacktestSettings(date(2018, 1, 2), date(2022, 12, 28), "1w"), store)
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
