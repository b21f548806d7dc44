"""What the forecast benchmarks share: the sample prices, one core, and tables."""

import importlib.util
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def on_one_core(module: str) -> None:
    """Start the process anew with one thread for linear algebra, which only the environment can ask for."""
    if any(os.environ.get(name) != "1" for name in _THREADS):
        environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment)
    for name in ("cmdstanpy", "prophet"):
        logging.getLogger(name).disabled = True


def sample_closes() -> pd.DataFrame:
    """Closes of 20 large US stocks, 1990-2022, read as a file: importing the package that ships it is slow."""
    spec = importlib.util.find_spec("skfolio")
    if spec is None or spec.submodule_search_locations is None:
        raise SystemExit("the benchmark reads prices that skfolio ships: install the project's group 'local'")
    path = Path(spec.submodule_search_locations[0]) / "datasets/data/sp500_dataset.csv.gz"
    return pd.read_csv(path, index_col=0, parse_dates=True)


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under heads, columns aligned."""
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    print(f"\n{title}")
    for row in cells:
        print(
            "  ".join(
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        )
