"""Price series for the tests: real closes as the sample data ships them, and made ones."""

import importlib.util
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


@cache
def sample_closes() -> pd.DataFrame:
    """Closes of 20 large US stocks, 1990-2022, read as a file: importing the package that ships it is slow."""
    spec = importlib.util.find_spec("skfolio")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    path = Path(spec.submodule_search_locations[0]) / "datasets/data/sp500_dataset.csv.gz"
    return pd.read_csv(path, index_col=0, parse_dates=True)


def closes_until(end: str, bars: int, *tickers: str) -> pd.DataFrame:
    """The last `bars` sample closes up to the date `end`; of all tickers if none is named."""
    frame = sample_closes().loc[:end].iloc[-bars:]
    return frame[list(tickers)] if tickers else frame


def walk(bars: int, *, seed: int = 1, start: float = 100.0, volatility: float = 0.015) -> Floats:
    """A random walk of prices."""
    steps = np.random.default_rng(seed).normal(0.0003, volatility, bars)
    return np.asarray(start * np.exp(np.cumsum(steps)), dtype=np.float64)


def frame_of(last: date = date(2022, 12, 28), **series: Floats) -> pd.DataFrame:
    """Closes by ticker on consecutive weekdays that end with `last`."""
    bars = len(next(iter(series.values())))
    return pd.DataFrame(series, index=pd.bdate_range(end=last, periods=bars))


def prophet_frame(series: "pd.Series[float]") -> pd.DataFrame:
    """The two columns that Prophet wants."""
    return pd.DataFrame({"ds": series.index, "y": series.to_numpy()})
