"""A small market of made-up bars, wild enough that protective orders fire, and who trades in it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache

import numpy as np

from openbell.config import PlatformConfig, parse_config
from openbell.model import NEW_YORK
from paper import BarArrays, Dividend, History, Rules, Split
from paper.sessions import nyse

SYMBOLS = ("ANT", "BEE", "CAT", "DOG", "ELK", "FOX")
CASH = Decimal(100_000)
UNMANAGED = Decimal(7)  # shares that the owner bought by hand before the first run
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
    companies: bool = False  # shares are split and dividends paid in the first sessions
    fractional: bool = False  # a strategy buys parts of shares
    hostile: bool = False  # one more strategy, whose code misbehaves
    edited: bool = False  # the configuration changes after the run with the faults
    slow: bool = False  # the broker takes a moment to end an order

    @property
    def at(self) -> time:
        """When runs start (New York)."""
        return time(15, 45) if self.closing else time(15, 30)

    @property
    def start(self) -> datetime:
        """When the first run starts."""
        return datetime.combine(nyse(_FIRST, _LAST).days[self.bars], self.at, NEW_YORK)

    @property
    def bars(self) -> int:
        """Sessions before the first run."""
        return _BARS_TO_FORECAST if self.forecasts else _BARS

    @property
    def rules(self) -> Rules:
        """How the exchange fills."""
        return Rules(slippage_bps=Decimal(3), fill_share=Decimal(self.fill_share))


SWITCHES = tuple(each.name for each in fields(Setting) if each.default is False)


@cache
def history(setting: Setting) -> History:
    """Bars of all symbols, and what their companies do."""
    plain = _bars(setting.market)
    if not setting.companies:
        return plain
    second, third, fourth = plain.sessions[setting.bars + 1 : setting.bars + 4]
    splits = (
        Split("ANT", second, Decimal(2)),
        Split("DOG", second, Decimal("1.5")),
        Split("FOX", third, Decimal(2)),
        Split("CAT", third, Decimal("0.25"), cash_in_lieu=True),
    )
    dividends = (
        Dividend("BEE", second, Decimal("0.37"), third),
        Dividend("ELK", third, Decimal("0.81"), fourth),
        Dividend("FOX", fourth, Decimal("1.13"), fourth),
    )
    return History(SYMBOLS, plain.sessions, _in_old_shares(plain, splits), splits, dividends)


def _in_old_shares(plain: History, splits: Sequence[Split]) -> BarArrays:
    """The bars, with those before a split at the prices of the old shares."""
    factors = np.ones((len(plain.sessions), len(SYMBOLS)))
    for split in splits:
        factors[[day < split.ex_date for day in plain.sessions], plain.columns[split.symbol]] *= float(split.ratio)
    bars = plain.bars
    return BarArrays(*(part * factors for part in (bars.close, bars.open, bars.high, bars.low) if part is not None))


@cache
def _bars(market: int) -> History:
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
def config(setting: Setting, *, edited: bool = False) -> PlatformConfig:
    """The configuration of a play in this process; `edited`: with a strategy renamed, and another one removed."""
    return config_from(setting, "tests.chaos.traders:", edited=edited)


def config_from(setting: Setting, traders: str, *, edited: bool = False) -> PlatformConfig:
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
    if setting.fractional:
        entries["rotator"] |= {"fractional": True}
    if setting.hostile:
        entries["hostile"] = _entry(f"{traders}Hostile", "0.1", "h")
    if edited:
        entries = {"jumper": entries["swinger"], "rotator": entries["rotator"]}
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
