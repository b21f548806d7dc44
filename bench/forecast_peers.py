"""Other forecasters on the same windows: naive, AutoETS and AutoARIMA of statsforecast, in an environment of their own.

Run by bench.forecast; as a script it is what runs in that environment and needs nothing of this project.
"""

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HORIZON = 10
BARS = 504
_WINDOWS = 4  # a ticker
_SECONDS = 600
_PYTHON = Path(__file__).resolve().parents[1] / ".tools" / "statsforecast" / "bin" / "python"


def compare_peers(closes: Any) -> dict[str, Any] | None:
    """Milliseconds, MASE and coverage of each peer and of our two presets; None if the peers cannot be installed."""
    windows, outcomes = _windows(closes)
    answers = _run_apart(windows)
    if answers is None:
        return None
    answers |= _ours(closes, len(windows))
    scores = {
        name: {"ms": round(answer["ms"], 2), **_accuracy(answer, windows, outcomes)} for name, answer in answers.items()
    }
    from bench.forecast_data import table  # noqa: PLC0415  not there where this runs as a script

    rows = [(name, *score.values()) for name, score in scores.items()]
    heads = ("forecaster", "ms per series", *(f"MASE {h}" for h in (1, 5, 10)), "coverage of 80 %")
    table(f"Peers on {len(windows)} windows of {BARS} bars, horizon {HORIZON}", heads, rows)
    return scores


def _ends(closes: Any) -> list[int]:
    return [len(closes) - HORIZON - 1500 * i for i in range(_WINDOWS)]


def _windows(closes: Any) -> tuple[list[list[float]], list[list[float]]]:
    prices = closes.to_numpy()
    places = [(end, column) for end in _ends(closes) for column in range(prices.shape[1])]
    windows = [prices[end - BARS : end, column].tolist() for end, column in places]
    return windows, [prices[end : end + HORIZON, column].tolist() for end, column in places]


def _run_apart(windows: list[list[float]]) -> dict[str, Any] | None:
    """Forecasts by this file run as a script where statsforecast is installed."""
    if not _PYTHON.exists():
        print("\npeers skipped: statsforecast is not installed (scripts/tools.sh statsforecast)")
        return None
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "windows.json"
        source.write_text(json.dumps(windows))
        command = [_PYTHON, Path(__file__).resolve(), source]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True, cwd=folder)
        except subprocess.TimeoutExpired:
            print(f"\npeers skipped: they took longer than {_SECONDS} s")
            return None
        except subprocess.CalledProcessError as error:
            print(f"\npeers skipped: {error.stderr.strip().splitlines()[-1]}")
            return None
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


def _ours(closes: Any, count: int) -> dict[str, Any]:
    """Our presets on the same windows; the calibrated one sees the 252 bars before them too."""
    from openbell.forecasting.batch import forecast_many  # noqa: PLC0415  not there where this runs as a script
    from openbell.forecasting.options import ForecastOptions  # noqa: PLC0415

    answers = {}
    for name in ("raw", "calibrated"):
        options = ForecastOptions.preset(name, horizon=HORIZON)
        start = time.perf_counter()
        batches = [forecast_many(closes.iloc[end - BARS - options.calibration : end], options) for end in _ends(closes)]
        seconds = time.perf_counter() - start
        made = [batch.made[str(ticker)] for batch in batches for ticker in closes.columns]
        parts = {key: [getattr(one, key).tolist() for one in made] for key in ("yhat", "yhat_lower", "yhat_upper")}
        answers[f"openbell {name}"] = {"ms": seconds / count * 1e3, **parts}
    return answers


def _accuracy(answer: dict[str, Any], windows: list[list[float]], outcomes: list[list[float]]) -> dict[str, float]:
    """MASE at 1, 5 and 10 bars and the share of closes inside the interval."""
    scales = [sum(abs(b - a) for a, b in itertools.pairwise(w)) / (len(w) - 1) for w in windows]
    mase = {
        f"mase_{bar}": round(
            sum(abs(o[bar - 1] - f[bar - 1]) / s for o, f, s in zip(outcomes, answer["yhat"], scales, strict=True))
            / len(windows),
            3,
        )
        for bar in (1, 5, 10)
    }
    inside = [
        low <= close <= high
        for lows, highs, truth in zip(answer["yhat_lower"], answer["yhat_upper"], outcomes, strict=True)
        for low, high, close in zip(lows, highs, truth, strict=True)
    ]
    return {**mase, "coverage": round(sum(inside) / len(inside), 3)}


def _serve(source: Path) -> None:
    """Forecast every window with every peer; statsforecast is installed only where this runs."""
    import numpy  # noqa: PLC0415
    from statsforecast import models  # type: ignore[import-not-found]  # noqa: PLC0415

    windows = [numpy.array(window) for window in json.loads(source.read_text())]
    peers: dict[str, Callable[[], Any]] = {
        "naive": models.Naive,
        "AutoETS": models.AutoETS,
        "AutoARIMA": models.AutoARIMA,
    }
    print(json.dumps({name: _forecast_all(make, windows) for name, make in peers.items()}))


def _forecast_all(make: Callable[[], Any], windows: list[Any]) -> dict[str, Any]:
    make().forecast(y=windows[0], h=HORIZON, level=[80])  # the first call compiles
    start = time.perf_counter()
    answers = [make().forecast(y=window, h=HORIZON, level=[80]) for window in windows]
    seconds = time.perf_counter() - start
    names = {"yhat": "mean", "yhat_lower": "lo-80", "yhat_upper": "hi-80"}
    parts = {ours: [answer[theirs].tolist() for answer in answers] for ours, theirs in names.items()}
    return {"ms": seconds / len(windows) * 1e3, **parts}


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
