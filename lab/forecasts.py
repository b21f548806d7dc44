"""Forecasts of a backtest, kept on disk: the second time the same closes and options come, they are read, not made."""

import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from openbell.codec import from_json, to_json
from openbell.forecasts import Forecast, ForecastConfig
from openbell.workflow.forecast import forecast_tickers

_FORMAT = "2"  # to be raised when what is made from the same closes and options changes


@dataclass(frozen=True)
class Forecasts:
    """Forecasts by symbol, and why others could not be made."""

    made: Mapping[str, Forecast]
    failed: Mapping[str, str]


@dataclass(frozen=True)
class _Kept:
    made: tuple[Forecast, ...]
    failed: dict[str, str]


class ForecastStore:
    """Makes forecasts, or reads them from `folder`; without a folder it makes them each time."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.made = 0
        self.read = 0

    def get(self, closes: pd.DataFrame, tickers: Sequence[str], spec: ForecastConfig) -> Forecasts:
        """Forecasts of `tickers`, columns of `closes` `(n_sessions, n_symbols)`, by one specification."""
        frame = closes[list(tickers)].iloc[-spec.bars :]
        key = _key(frame, spec)
        kept = self._read(key)
        if kept is None:
            kept = _make(frame, spec)
            self._write(key, kept)
            self.made += len(kept.made)
        else:
            self.read += len(kept.made)
        return Forecasts({forecast.symbol: forecast for forecast in kept.made}, kept.failed)

    def _read(self, key: str) -> _Kept | None:
        """What is kept; None if nothing is, or nothing that can be read."""
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            return from_json(_Kept, path.read_bytes())
        except ValidationError:
            return None

    def _write(self, key: str, kept: _Kept) -> None:
        """Whole or not at all: a backtest may be stopped at any time."""
        path = self._path(key)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(to_json(kept))
        Path(file.name).replace(path)

    def _path(self, key: str) -> Path | None:
        return self._folder / f"{key}.json" if self._folder else None


class ForecastMemory(ForecastStore):
    """Keeps forecasts in memory: many trials in one process share them.

    At most `most_bytes` of them; those that come when it is full are made each time.
    """

    def __init__(self, most_bytes: int) -> None:
        super().__init__(None)
        self._left = most_bytes
        self._kept: dict[str, bytes] = {}

    def _read(self, key: str) -> _Kept | None:
        return from_json(_Kept, zlib.decompress(self._kept[key])) if key in self._kept else None

    def _write(self, key: str, kept: _Kept) -> None:
        content = zlib.compress(to_json(kept), level=1)
        if len(content) <= self._left:
            self._left -= len(content)
            self._kept[key] = content


def _key(frame: pd.DataFrame, spec: ForecastConfig) -> str:
    digest = sha256(f"{_FORMAT}\n{spec.model_dump_json()}\n{','.join(map(str, frame.columns))}\n".encode())
    digest.update(frame.index.to_numpy().astype("datetime64[D]").tobytes())
    digest.update(frame.to_numpy().tobytes())
    return digest.hexdigest()[:32]


def _make(frame: pd.DataFrame, spec: ForecastConfig) -> _Kept:
    """All at once, which is many times faster; ticker by ticker if one of them brings all down, as its Lambda would."""
    try:
        made, failed = forecast_tickers(frame, spec)
    except Exception:
        parts = [_make_alone(frame, str(ticker), spec) for ticker in frame.columns]
        return _Kept(
            tuple(forecast for part in parts for forecast in part.made),
            {ticker: why for part in parts for ticker, why in part.failed.items()},
        )
    return _Kept(tuple(made), failed)


def _make_alone(frame: pd.DataFrame, ticker: str, spec: ForecastConfig) -> _Kept:
    try:
        made, failed = forecast_tickers(frame[[ticker]], spec)
    except Exception as error:  # a ticker's trouble is its own, whatever it is
        return _Kept((), {ticker: f"{type(error).__name__}: {error}"})
    return _Kept(tuple(made), failed)
