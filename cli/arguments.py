"""The arguments of `openbell run`, checked before anything is started."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path

from cli.places import ROOT
from openbell.errors import InvalidInput
from openbell.model import NEW_YORK

DEFAULT_TIME = time(15)  # New York, when the daily schedule fires
_MAX_DAYS = 260  # a year of sessions; each is a whole execution of the workflow


@dataclass(frozen=True)
class RunOptions:
    """What to run: which moment of market history, for how many sessions, with what money."""

    as_of: datetime | None  # New York; None: a good moment of the data is chosen
    days: int
    strategies: tuple[str, ...]  # empty: all that the configuration enables
    bars: Path | None
    config: Path
    equity: Decimal  # USD
    slippage_bps: Decimal
    report: Path | None  # None: reports/<range>.html
    keep: bool  # leave the work folder behind
    bundles: Path | None = None  # what make package built, to be run in place of the sources


def parse_moment(text: str, option: str = "--as-of", of_a_date: time = DEFAULT_TIME) -> datetime:
    """A moment in New York from `2022-06-15T15:00`, `2022-06-15 15:00` or `2022-06-15` (then at `of_a_date`).

    A moment with a UTC offset is converted. InvalidInput for anything else, and for dates that do not exist.
    """
    try:
        if len(text) == len("2022-06-15"):
            return datetime.combine(date.fromisoformat(text), of_a_date, NEW_YORK)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{option} {text}: {error}; expected a New York time such as 2022-06-15T15:00") from error
    return moment.astimezone(NEW_YORK) if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)


def parse_days(days: int) -> int:
    """The number of sessions; InvalidInput outside 1 to 260."""
    if not 1 <= days <= _MAX_DAYS:
        raise InvalidInput(f"--days {days}: expected a number of sessions from 1 to {_MAX_DAYS}")
    return days


def parse_equity(text: str) -> Decimal:
    """The starting cash in USD; InvalidInput unless it is above 0."""
    return _number(text, "--equity", "an amount above 0 in USD, such as 100000", above=Decimal(0))


def parse_slippage(text: str) -> Decimal:
    """The paper exchange's slippage in basis points; InvalidInput unless it lies from 0 to 1000."""
    expected = "basis points from 0 to 1000, such as 2"
    bps = _number(text, "--slippage-bps", expected, above=Decimal(-1))
    if not 0 <= bps <= 1000:  # noqa: PLR2004 ten per cent
        raise InvalidInput(f"--slippage-bps {text}: expected {expected}")
    return bps


def parse_bundles(folder: Path | None) -> Path | None:
    """The folder with the built bundles; InvalidInput if one is not there, or what Lambda offers is not beside it."""
    if folder is None:
        return None
    names = (handler.parent.name.title().replace("_", "") for handler in (ROOT / "functions").glob("*/app.py"))
    needed = ("template.yaml", "../runtime", "SharedLayer", *(f"{name}Function" for name in sorted(names)))
    lacking = [part for part in needed if not (folder / part).exists()]
    if lacking:
        raise InvalidInput(
            f"--bundles {folder}: expected what make package builds, .aws-sam/build; build it first "
            f"(there is no {lacking[0]})"
        )
    return folder


def parse_strategies(text: str) -> tuple[str, ...]:
    """The names in a comma-separated list, each once, in its order; InvalidInput if one is empty."""
    if not text:
        return ()
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise InvalidInput(f"--strategies {text!r}: expected names separated by commas, such as momentum,prophet_trend")
    return tuple(dict.fromkeys(names))


def _number(text: str, option: str, expected: str, above: Decimal) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise InvalidInput(f"{option} {text}: expected {expected}") from error
    if not number.is_finite() or number <= above:
        raise InvalidInput(f"{option} {text}: expected {expected}")
    return number
