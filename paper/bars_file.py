"""Price histories from files: the sample that ships in a Python package, and anybody's daily bars.

`load_bars` reads CSV or Parquet with one row for each date and symbol: columns `date` (or `timestamp`), `symbol` (or
`ticker`, `name`), `close`, and where known `open`, `high`, `low`, `volume`, in any order and any case. A row whose
open, high or low is missing counts as a close-only bar. Prices that are missing, zero or negative are kept as they
are: one bad ticker must not take the file down. Everything that would shift prices in time or double them is refused.
"""

from collections.abc import Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paper.errors import BarsFileError
from paper.history import BarArrays, Floats, History
from paper.sessions import nyse

_SAMPLE = Path("datasets/data/sp500_dataset.csv.gz")
_SPELLINGS = {"timestamp": "date", "datetime": "date", "ticker": "symbol", "name": "symbol"}
_PRICES = ("open", "high", "low", "close", "volume")
_CSV_ENDINGS = (".csv", ".csv.gz", ".csv.zip", ".csv.bz2", ".csv.xz")
_SHOWN = 3


def load_sample() -> History:
    """20 large US stocks, 1990-01-02 to 2022-12-28: closes adjusted for splits and dividends, nothing else.

    The file is read out of the package skfolio, which is not imported. Raises BarsFileError if it is not installed.
    """
    package = find_spec("skfolio")
    if package is None or package.origin is None:
        raise BarsFileError("the sample prices ship in the package skfolio, which is not installed: run `uv sync`")
    path = Path(package.origin).parent / _SAMPLE
    if not path.exists():
        raise BarsFileError(f"{path}: no such file; this release of skfolio ships its S&P 500 data elsewhere")
    table = pd.read_csv(path, index_col=0)
    days = [date.fromisoformat(day) for day in table.index]
    return History([str(name) for name in table.columns], days, BarArrays(close=table.to_numpy(dtype=np.float64)))


def load_bars(path: Path | str) -> History:
    """The daily bars in a CSV or Parquet file; BarsFileError says what is wrong with it, where, and what to do."""
    table = _read(Path(path))
    table.columns = pd.Index([_column(name) for name in table.columns])
    _require_columns(table)
    if table.empty:
        raise BarsFileError("the file has no rows; expected one row for each date and symbol")
    symbols = table["symbol"].astype("string").str.strip().str.upper().str.replace("-", ".", regex=False)
    _refuse(table, symbols.isna() | (symbols == ""), "column symbol is empty", "name the symbol or delete the rows")
    codes, names = pd.factorize(symbols, sort=True)
    days = _days(table)
    _refuse_disorder(table, codes, days)
    present = sorted(set(days))
    rows = np.searchsorted(np.array(present, dtype="datetime64[D]"), np.array(days, dtype="datetime64[D]"))
    shape = (len(present), len(names))
    arrays = {name: _array(table, name, shape, rows, codes) for name in _PRICES if name in table}
    return History([str(name) for name in names], present, BarArrays(**arrays))


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise BarsFileError(f"{path}: no such file")
    try:
        if path.name.endswith((".parquet", ".pq")):
            table = pd.read_parquet(path)
            return table.reset_index() if any(table.index.names) else table
        if path.name.endswith(_CSV_ENDINGS):
            # A ticker may be called NA or TRUE: only empty cells of the price columns are missing.
            return pd.read_csv(path, dtype=_text_columns(path), keep_default_na=False, na_values=_missing(path))
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise BarsFileError(f"{path} cannot be read as a table: {error}") from error
    raise BarsFileError(f"{path.name}: unknown kind of file; expected .parquet, .csv or .csv.gz")


def _header(path: Path) -> list[str]:
    return [str(name) for name in pd.read_csv(path, nrows=0).columns]


def _text_columns(path: Path) -> dict[str, type]:
    return {name: str for name in _header(path) if _column(name) in {"date", "symbol"}}


def _missing(path: Path) -> dict[str, list[str]]:
    return {name: ["", "NA", "NaN", "nan", "null", "None"] for name in _header(path) if _column(name) in _PRICES}


def _column(name: object) -> str:
    lower = str(name).strip().lower()
    return _SPELLINGS.get(lower, lower)


def _require_columns(table: pd.DataFrame) -> None:
    found = ", ".join(table.columns)
    missing = [name for name in ("date", "symbol", "close") if name not in table]
    if missing:
        raise BarsFileError(
            f"missing column {' and '.join(missing)}; found: {found}. Expected date (or timestamp), symbol (or ticker, "
            "name), close, and where known open, high, low, volume"
        )
    if table.columns.duplicated().any():
        raise BarsFileError(f"columns that mean the same: {found}; keep one of each")
    if 0 < sum(name in table for name in ("open", "high", "low")) < 3:  # noqa: PLR2004 - all of them
        raise BarsFileError(f"open, high and low must be there together or not at all; found: {found}")


def _days(table: pd.DataFrame) -> list[date]:
    """The session of each row; every distinct text is parsed once."""
    codes, texts = pd.factorize(table["date"])
    parsed = [_day(text) for text in texts]
    parsed.append(None)  # what factorize codes as -1: a missing date
    wrong = np.array([day is None for day in parsed])[codes]
    _refuse(
        table,
        pd.Series(wrong, index=table.index),
        "column date is not a day",
        "write 2022-06-15; only daily bars can be read, so a time other than midnight is refused",
    )
    days = [day for day in parsed if day is not None]
    sessions = set(nyse(min(days), max(days)).days)
    closed = np.array([day is not None and day not in sessions for day in parsed])[codes]
    _refuse(
        table,
        pd.Series(closed, index=table.index),
        "the New York Stock Exchange was closed on this date",
        "delete the rows or correct their dates",
    )
    return [day for code in codes if (day := parsed[code]) is not None]


def _day(value: Any) -> date | None:
    """A day, or midnight of a day in New York or UTC; None for anything else."""
    try:
        instant = pd.Timestamp(value)
    except (ValueError, TypeError):
        return None
    if pd.isna(instant):
        return None
    local = instant if instant.tz is None else instant.tz_convert("America/New_York")
    midnight = next((found for found in (local, instant) if found == found.normalize()), None)
    return None if midnight is None else midnight.date()


def _refuse_disorder(table: pd.DataFrame, codes: np.ndarray[Any, Any], days: Sequence[date]) -> None:
    """Rows grouped by symbol or by date are fine; one symbol's rows running back in time, or twice, are not."""
    keys = pd.DataFrame({"symbol": codes, "day": np.array(days, dtype="datetime64[D]")}, index=table.index)
    _refuse(table, keys.duplicated(), "a second row for the same date and symbol", "keep one of them")
    back = keys.groupby("symbol")["day"].diff() < pd.Timedelta(0)
    _refuse(table, back, "an earlier date after a later one of the same symbol", "sort the file by date")


def _array(
    table: pd.DataFrame, name: str, shape: tuple[int, int], rows: np.ndarray[Any, Any], codes: np.ndarray[Any, Any]
) -> Floats:
    numbers = pd.to_numeric(table[name], errors="coerce").astype("float64")
    unreadable = (numbers.isna() & table[name].notna()) | np.isinf(numbers)
    _refuse(table, unreadable, f"column {name} is not a number", "correct it, or leave it empty if it is not known")
    array = np.full(shape, np.nan)
    array[rows, codes] = numbers.to_numpy()
    return array


def _refuse(table: pd.DataFrame, wrong: "pd.Series[bool]", what: str, remedy: str) -> None:
    """BarsFileError that shows the first rows of those that are wrong, numbered from 1 after the header."""
    found = np.flatnonzero(wrong.to_numpy(dtype=bool))
    if not len(found):
        return
    columns = [name for name in ("date", "symbol", *_PRICES) if name in table]
    shown = [f"row {at + 1}: {', '.join(str(v) for v in table.loc[table.index[at], columns])}" for at in found[:_SHOWN]]
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    raise BarsFileError(f"{what} in {len(found):,} of {len(table):,} rows ({'; '.join(shown)}{more}): {remedy}")
