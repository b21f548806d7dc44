"""Which market history is traded in, and at which moment of it a run starts."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from cli.arguments import DEFAULT_TIME
from cli.formats import count
from openbell.errors import InvalidInput
from openbell.model import NEW_YORK
from paper import BarsFileError, History, load_bars, load_sample

_FEWEST_SESSIONS = 31  # fewer are too few for any ticker's data checks
_SAMPLE_DATE = date(2022, 6, 15)  # of the sample: after a fall, so that strategies disagree; 32 years before it


@dataclass(frozen=True)
class Market:
    """A price history, and where it is from in words."""

    history: History
    source: str
    sample: bool

    @property
    def sessions(self) -> list[date]:
        """Days with bars, ascending."""
        return list(self.history.sessions)


def open_market(bars: Path | None) -> Market:
    """The bars in the file, or the sample that is shipped; InvalidInput says what is wrong with the file."""
    try:
        history = load_bars(bars) if bars else load_sample()
    except BarsFileError as error:
        raise InvalidInput(f"--bars {bars}: {error}") from error
    sessions = list(history.sessions)
    if len(sessions) < _FEWEST_SESSIONS:
        raise InvalidInput(
            f"--bars {bars}: has {count(len(sessions), 'session')}; expected at least {_FEWEST_SESSIONS}, "
            "of which all but the last are the past that strategies look at"
        )
    where = str(bars) if bars else "a sample of large US stocks shipped with the package skfolio"
    source = (
        f"{where}: {count(len(history.symbols), 'symbol')}, {len(sessions):,} sessions, {sessions[0]} to {sessions[-1]}"
    )
    return Market(history, source, sample=bars is None)


def start_of(market: Market, wanted: datetime | None, days: int) -> datetime:
    """The first run's moment: the wanted one, or 15:00 of a session that has all of the data's past and `days` to go.

    InvalidInput if the moment lies outside the data, or fewer than `days` sessions are left.
    """
    sessions = market.sessions
    if wanted is None:
        default = _SAMPLE_DATE if market.sample else sessions[-min(days, len(sessions))]
        wanted = datetime.combine(default, DEFAULT_TIME, NEW_YORK)
    first, last = sessions[0], sessions[-1]
    day = wanted.date()
    if not first < day <= last:
        after = first + timedelta(days=1)
        raise InvalidInput(f"--as-of {day} lies outside the data; expected a date from {after} to {last}")
    left = sum(session >= day for session in sessions)
    if left < days:
        raise InvalidInput(f"--days {days}: from {day} on the data has {count(left, 'session')}, the last one {last}")
    return wanted
