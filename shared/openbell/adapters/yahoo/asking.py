"""One question to Yahoo about one ticker, and what its answer means."""

import warnings
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pandas as pd
import yfinance
from yfinance.data import YfData
from yfinance.exceptions import YFPricesMissingError, YFRateLimitError

_ZONE = "America/New_York"
# Yahoo's own words when it has nothing under a name, or nothing for these days. Any other error may pass.
_NOTHING_THERE = ("No data found", "Data doesn't exist")


@dataclass(frozen=True)
class Question:
    """Which bars are asked for: from `start` to before `end`, or the last ones of a `period` such as 5d."""

    interval: str = "1d"
    start: date | datetime | None = None
    end: date | datetime | None = None
    period: str = ""
    adjusted: bool = True  # for splits and dividends; if not, for splits only

    def options(self) -> dict[str, Any]:
        """As yfinance wants it."""
        span = {"period": self.period} if self.period else {"start": self.start, "end": self.end}
        return {"interval": self.interval, "auto_adjust": self.adjusted, **span}


class Trouble(Enum):
    """Why there are no prices."""

    UNKNOWN = "Yahoo has nothing there"
    FAILED = "Yahoo did not answer, or with nothing that can be read"
    LIMITED = "Yahoo answers 429"


@dataclass(frozen=True)
class Silence:
    """A ticker without prices, and why."""

    trouble: Trouble
    why: str


def ask(symbol: str, question: Question, timeout: float) -> "pd.Series[float] | Silence":
    """The closes of `symbol` by the start of their bars (zone-aware, ascending, none missing), or why it has none."""
    try:
        frame = _ticker(symbol).history(actions=False, timeout=timeout, **question.options())
    except YFRateLimitError:
        return Silence(Trouble.LIMITED, "Yahoo refuses more requests for now (429)")
    except YFPricesMissingError as error:
        said = error.yahoo_reason or "an empty answer"
        known = any(words in said for words in _NOTHING_THERE)
        return Silence(Trouble.UNKNOWN if known else Trouble.FAILED, f"Yahoo says: {said}")
    except Exception as error:
        return Silence(Trouble.FAILED, f"no answer that can be read: {_brief(error)}")
    closes = frame["Close"].dropna() if "Close" in frame else pd.Series(dtype=float)
    return closes if len(closes) else Silence(Trouble.FAILED, "an answer without a single price")


def _ticker(symbol: str) -> Any:
    """Every US equity trades in New York's time: yfinance need not spend a request of its own to learn the zone."""
    ticker = yfinance.Ticker(to_yahoo(symbol))
    ticker._tz = _ZONE
    return ticker


def _brief(error: Exception) -> str:
    first = str(error).partition("\n")[0].partition(" See https")[0]
    return f"{type(error).__name__}: {first}"


def set_up_yfinance(cache_folder: Path) -> None:
    """Give yfinance a folder that may be written to, and have it raise what goes wrong, which otherwise it only logs.

    Holds for the process. Its use of pandas, deprecated in part, would fill a log with some lines for every ticker.
    """
    cache_folder.mkdir(parents=True, exist_ok=True)
    yfinance.set_tz_cache_location(str(cache_folder))
    yfinance.config.debug.hide_exceptions = False
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="^yfinance")


def forget_answers() -> None:
    """Drop yfinance's cache of answers: it keeps errors too, in a warm Lambda for hours."""
    YfData.cache_get.cache_clear()


def to_yahoo(symbol: str) -> str:
    """Yahoo's spelling of the broker's symbol: BRK.B is BRK-B there."""
    return symbol.replace(".", "-")
