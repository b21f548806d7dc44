"""make calendar: write shared/openbell/data/nyse.csv, holidays and half days, from the package exchange_calendars."""

import csv
from datetime import date
from pathlib import Path

import exchange_calendars
import pandas as pd

_TARGET = Path(__file__).parents[1] / "shared" / "openbell" / "data" / "nyse.csv"
_FIRST, _YEARS_AHEAD = "1990-01-01", 5
_USUAL = "16:00"


def main() -> None:
    """Write the file and say what it has."""
    last = f"{date.today().year + _YEARS_AHEAD}-12-31"  # noqa: DTZ011 a year is all that is taken of it
    calendar = exchange_calendars.get_calendar("XNYS", start=_FIRST, end=last)
    sessions = set(calendar.sessions.date)
    rows = [(day.date(), "") for day in pd.bdate_range(_FIRST, last) if day.date() not in sessions]
    for session in calendar.sessions:
        close = f"{calendar.session_close(session).tz_convert('America/New_York'):%H:%M}"
        if close != _USUAL:
            rows.append((session.date(), close))
    with _TARGET.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("date", "close"))
        writer.writerows(sorted(rows))
    print(f"{_TARGET.name}: {len(rows)} days from {rows[0][0].year} to {last[:4]}")


if __name__ == "__main__":
    main()
