"""Who belonged to an index on which day: a file that is shared widely, and what of it a backtest can use.

The file is CSV with the columns `date` and `tickers`; `tickers` is a quoted list separated by commas, complete, and
holds from its date until that of the next row. BRK-B and BRK.B are the same. A ticker with a month behind it
(AAL-199702), by which some files tell a company that is gone from the one that has its ticker now, is a symbol of its
own.
"""

import csv
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openbell.errors import InvalidInput

_COLUMNS = ("date", "tickers")
_OLD = timedelta(days=180)  # an index changes several times a year
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.")


@dataclass(frozen=True)
class Membership:
    """Members from each of `days` (ascending) until the next of them; `source` is told as it is."""

    days: tuple[date, ...]
    members: tuple[frozenset[str], ...]
    source: str

    def on(self, day: date) -> frozenset[str]:
        """The members on a day; InvalidInput before the first row, as nobody knows them."""
        place = bisect_right(self.days, day)
        if not place:
            raise InvalidInput(f"--members {self.source}: begins on {self.days[0]}; who belonged on {day} is not known")
        return self.members[place - 1]

    def flags(self, days: Sequence[date], symbols: Sequence[str]) -> NDArray[np.bool_]:
        """Which of `symbols` belonged on each day, `(n_days, n_symbols)`; InvalidInput before the first row."""
        rows = {id(found): np.array([symbol in found for symbol in symbols]) for found in map(self.on, days)}
        return np.array([rows[id(self.on(day))] for day in days])


@dataclass(frozen=True)
class Coverage:
    """How far a membership could be followed in a backtest."""

    source: str
    first: date  # of its rows
    last: date
    until: date  # the backtest's last session
    without_bars: tuple[str, ...]  # members in the backtest's days of which the data has nothing at all
    missing: float  # share of the members that are without bars, over all sessions

    @property
    def told(self) -> str:
        """In a sentence or two."""
        text = f"Candidates were the members of the day as {self.source} has them ({self.first} to {self.last})."
        if self.until - self.last > _OLD:
            text += f" Its last row was taken to hold until {self.until}."
        if not self.without_bars:
            return f"{text} The data has bars of all of them."
        shown = ", ".join(self.without_bars[:5]) + (", ..." if len(self.without_bars) > 5 else "")  # noqa: PLR2004
        return (
            f"{text} The data has no bars of {len(self.without_bars)} of them ({shown}), on average {self.missing:.1%} "
            "of a day's members: these could not be bought, and if they are those that failed, that still flatters."
        )


def coverage(membership: Membership, sessions: Sequence[date], symbols: Collection[str]) -> Coverage:
    """What of the membership could be followed on `sessions` with bars of `symbols`."""
    known = frozenset(symbols)
    unknown = {found: found - known for found in set(map(membership.on, sessions))}
    members, missing = 0, 0
    for day in sessions:
        found = membership.on(day)
        members, missing = members + len(found), missing + len(unknown[found])
    without = sorted(frozenset().union(*unknown.values()))
    first, last = membership.days[0], membership.days[-1]
    return Coverage(membership.source, first, last, sessions[-1], tuple(without), missing / members)


def read_membership(path: Path) -> Membership:
    """The membership in a file; InvalidInput names the file, the line and what is wrong with it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(path, file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"--members {path} cannot be read: {error}") from error
    if not rows:
        raise InvalidInput(f"--members {path}: has no rows; expected a date and its tickers in each")
    return Membership(tuple(day for day, _ in rows), tuple(found for _, found in rows), str(path))


def _rows(path: Path, lines: Iterator[str]) -> Iterator[tuple[date, frozenset[str]]]:
    reader = csv.reader(lines)
    header = _header(path, next(reader, []))
    before = date.min
    for cells in (cells for cells in reader if cells):
        where = f"--members {path}, line {reader.line_num}"
        if len(cells) != len(header):
            raise InvalidInput(
                f"{where}: has {len(cells)} cells where the header has {len(header)}; expected the tickers of a day in "
                'one cell in quotes, such as 1996-01-02,"AAPL,BRK.B"'
            )
        named = dict(zip(header, cells, strict=True))
        day = _day(named["date"], where)
        if day <= before:
            raise InvalidInput(f"{where}: {day} comes after {before}; expected one row a date, the earliest first")
        before = day
        yield day, _tickers(named["tickers"], where)


def _header(path: Path, cells: Sequence[str]) -> list[str]:
    header = [name.strip().lower() for name in cells]
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise InvalidInput(
            f"--members {path}: has no column {' and '.join(missing)}; found {', '.join(header) or 'nothing'}; "
            'expected date,tickers, and rows such as 1996-01-02,"AAPL,BRK.B"'
        )
    return header


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput(f"{where}: {text!r} is not a date; expected one such as 1996-01-02") from error


def _tickers(text: str, where: str) -> frozenset[str]:
    found = [ticker.strip().upper().replace("-", ".") for ticker in text.split(",")]
    strange = [ticker for ticker in found if not ticker or not _LETTERS.issuperset(ticker)]
    if strange:
        told = repr(strange[0]) if strange[0] else "an empty one"
        raise InvalidInput(f"{where}: {told} among the tickers; expected tickers such as AAPL or BRK.B, by commas")
    return frozenset(found)
