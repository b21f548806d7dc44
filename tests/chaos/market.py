"""A small market of made-up bars, wild enough that protective orders fire, and who trades in it."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache

import numpy as np

from openbell.config import PlatformConfig, parse_config
from openbell.model import NEW_YORK
from paper import BarArrays, History, Rules
from paper.sessions import nyse

SYMBOLS = ("ANT", "BEE", "CAT", "DOG", "ELK", "FOX")
CASH = Decimal(100_000)
UNMANAGED = ("FOX", Decimal(7))  # bought by hand before the first run: never to be touched
_FIRST, _LAST = date(2021, 1, 4), date(2021, 5, 28)
_BARS, _BARS_TO_FORECAST = 34, 70  # sessions before the first run: as few as will do, because every run reads them all
_DAILY_MOVE, _GAP, _REACH = 0.03, 0.01, 0.015  # standard deviations of log prices


@dataclass(frozen=True)
class Setting:
    """The circumstances of a play, beside the faults."""

    market: int = 0  # which made-up market
    closing: bool = False  # the run starts in the closing window, where orders fill at once
    fill_share: str = "1"  # of a market order that one print fills
    unfilled: str = "cancel"
    forecasts: bool = False
    dynamo: bool = False  # the ledger in a DynamoDB-like table, its transactions so small that plans come in chunks

    @property
    def at(self) -> time:
        """When runs start (New York)."""
        return time(15, 45) if self.closing else time(15, 30)

    @property
    def start(self) -> datetime:
        """When the first run starts."""
        bars = _BARS_TO_FORECAST if self.forecasts else _BARS
        return datetime.combine(nyse(_FIRST, _LAST).days[bars], self.at, NEW_YORK)

    @property
    def rules(self) -> Rules:
        """How the exchange fills."""
        return Rules(slippage_bps=Decimal(3), fill_share=Decimal(self.fill_share))


@cache
def history(market: int) -> History:
    """Bars of all symbols with opens, highs and lows."""
    random = np.random.default_rng(market)
    days = [session.day for session in nyse(_FIRST, _LAST).between(_FIRST, _LAST)]
    shape = (len(days), len(SYMBOLS))
    close = random.uniform(20, 200, len(SYMBOLS)) * np.exp(np.cumsum(random.normal(0, _DAILY_MOVE, shape), axis=0))
    opened = np.vstack([close[:1], close[:-1]]) * np.exp(random.normal(0, _GAP, shape))
    high = np.maximum(opened, close) * np.exp(np.abs(random.normal(0, _REACH, shape)))
    low = np.minimum(opened, close) * np.exp(-np.abs(random.normal(0, _REACH, shape)))
    return History(SYMBOLS, days, BarArrays(close.round(2), opened.round(2), high.round(2), low.round(2)))


@cache
def config(setting: Setting) -> PlatformConfig:
    """The configuration of a play in this process."""
    return config_from(setting, "tests.chaos.traders:")


def config_from(setting: Setting, traders: str) -> PlatformConfig:
    """Three traders in the same symbols, two of them opposed; a fourth that forecasts, if asked for.

    `traders` is the module or file of their code, with a colon.
    """
    entries = {
        "swinger": _entry(f"{traders}Swinger", "0.3", "s"),
        "rotator": _entry(f"{traders}Rotator", "0.25", "r"),
        "contrarian": _entry(f"{traders}Contrarian", "0.25", "r"),
    }
    if setting.forecasts:
        prophet = {"forecast": {"history": 60, "preset": "raw", "horizon": 2}}
        entries["forecaster"] = _entry(f"{traders}Forecaster", "0.15", "f", size=2) | prophet
    schedule = {"schedule": {"daily_at": f"{setting.at:%H:%M}"}}
    return parse_config(
        {
            "strategies": {name: entry | schedule for name, entry in entries.items()},
            "execution": {"max_rounds": 3, "unfilled": setting.unfilled},
            "risk": {"max_daily_loss": "0.3", "max_daily_turnover": "5"},
        },
        "chaos",
    )


def _entry(uses: str, allocation: str, salt: str, size: int = 5) -> dict[str, object]:
    return {
        "uses": uses,
        "allocation": allocation,
        "universe": {"members": "tradable", "size": size, "lookback": 3},
        "parameters": {"salt": salt},
    }
