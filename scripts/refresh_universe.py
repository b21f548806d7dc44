"""make universe: write shared/openbell/data/sp500.csv from the index list in the package pytickersymbols."""

import csv
import sys
from pathlib import Path

from pytickersymbols import PyTickerSymbols

_TARGET = Path(__file__).parents[1] / "shared" / "openbell" / "data" / "sp500.csv"
_LEAST = 490  # the index has some 503 listings: fewer means that the source is broken


def main() -> None:
    """Write the file and say how many members it has."""
    stocks = PyTickerSymbols().get_stocks_by_index("S&P 500")
    members = sorted({(stock["symbol"].replace("-", "."), stock["name"]) for stock in stocks})
    if len(members) < _LEAST:
        sys.exit(f"pytickersymbols lists {len(members)} members; expected at least {_LEAST}. Nothing was written.")
    with _TARGET.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("symbol", "name"))
        writer.writerows(members)
    print(f"{_TARGET.name}: {len(members)} members")


if __name__ == "__main__":
    main()
