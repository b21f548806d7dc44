"""Who belongs to the S&P 500, as of the file's own date: no network, and no surprise between two deployments."""

import csv
from functools import cache
from importlib.resources import files


@cache
def sp500() -> tuple[str, ...]:
    """The members' symbols in alphabetical order, spelled as the broker spells them (BRK.B)."""
    text = (files("openbell") / "data" / "sp500.csv").read_text()
    return tuple(sorted(row["symbol"] for row in csv.DictReader(text.splitlines())))
