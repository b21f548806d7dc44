"""Made-up markets and configurations by a seed: wild prices, gaps, splits, dividends; strategies of all kinds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np

from openbell.config import PlatformConfig, parse_config
from paper import BarArrays, History
from paper.history import Dividend, Floats, Split
from paper.sessions import nyse

SYMBOLS = ("ANT", "BEE", "CAT", "DOG", "ELK", "FOX", "GNU", "HEN")
FIRST, LAST = date(2021, 1, 4), date(2021, 6, 30)
WARM_UP = 40  # sessions before anything is traded
_RATIOS = ("2", "3", "1.5", "4", "0.5", "0.1", "0.125", "1.02")
_STRATEGIES: dict[str, dict[str, Any]] = {
    "tests.chaos.traders:Swinger": {},
    "tests.chaos.traders:Rotator": {},
    "tests.chaos.traders:Contrarian": {},
    "sma_cross": {"fast": 2, "slow": 5},
    "mean_reversion": {"trend": 10, "oversold": 50},
    "momentum": {"hold": 3, "lookback": 20, "skip": 2},
    "low_volatility": {"hold": 2, "lookback": 20},
    "buy_and_hold": {},
}


@dataclass(frozen=True)
class Wildness:
    """How often what happens, as fractions: bars without a close, without an open, days a symbol moves far."""

    lone_opens: float = 0.0
    no_bar: float = 0.0
    no_open: float = 0.0
    leaps: float = 0.0
    splits: int = 0
    dividends: int = 0
    only_closes: bool = False


def wildness(random: Random) -> Wildness:
    """Any of them, and often none."""
    return Wildness(
        lone_opens=random.choice((0, 0, 0.02)),
        no_bar=random.choice((0, 0, 0.01)),
        no_open=random.choice((0, 0.03)),
        leaps=random.choice((0, 0.01)),
        splits=random.choice((0, 0, 2, 5)),
        dividends=random.choice((0, 0, 3, 6)),
        only_closes=random.random() < 0.2,
    )


def market(seed: int, wild: Wildness) -> History:
    """Bars of all symbols; those of old shares before each split."""
    random, chance = np.random.default_rng(seed), Random(seed)
    days = [session.day for session in nyse(FIRST, LAST).between(FIRST, LAST)]
    shape = (len(days), len(SYMBOLS))
    moves = random.normal(0, 0.025, shape) + np.where(random.random(shape) < wild.leaps, 0.2, 0.0)
    close = random.uniform(5, 300, len(SYMBOLS)) * np.exp(np.cumsum(moves, axis=0))
    opened = np.vstack([close[:1], close[:-1]]) * np.exp(random.normal(0, 0.01, shape))
    high = np.maximum(opened, close) * np.exp(np.abs(random.normal(0, 0.012, shape)))
    low = np.minimum(opened, close) * np.exp(-np.abs(random.normal(0, 0.012, shape)))
    splits = [
        Split(chance.choice(SYMBOLS), chance.choice(days[WARM_UP:]), Decimal(chance.choice(_RATIOS)), lieu)
        for lieu in [chance.random() < 0.5 for _ in range(wild.splits)]
    ]
    splits = list({(split.symbol, split.ex_date): split for split in splits}.values())
    for array in (close, opened, high, low):
        for split in splits:
            array[: days.index(split.ex_date), SYMBOLS.index(split.symbol)] *= float(split.ratio)
    _cut_holes(random, wild, close, (opened, high, low))
    prices = [array.round(2) for array in (close, opened, high, low)]
    bars = BarArrays(prices[0]) if wild.only_closes else BarArrays(*prices)
    return History(SYMBOLS, days, bars, splits, _dividends(chance, days, wild.dividends))


def _cut_holes(random: np.random.Generator, wild: Wildness, close: Floats, others: Sequence[Floats]) -> None:
    nothing = random.random(close.shape) < wild.no_bar
    close[nothing | (random.random(close.shape) < wild.lone_opens)] = np.nan
    no_open = nothing | (random.random(close.shape) < wild.no_open)
    for array in others:
        array[no_open] = np.nan


def _dividends(chance: Random, days: Sequence[date], number: int) -> list[Dividend]:
    found = {}
    for _ in range(number):
        place = chance.randrange(WARM_UP, len(days) - 6)
        symbol, rate = chance.choice(SYMBOLS), Decimal(chance.randint(1, 300)) / 100
        found[symbol, days[place]] = Dividend(symbol, days[place], rate, days[place + chance.choice((0, 1, 5))])
    return list(found.values())


def configuration(random: Random) -> PlatformConfig:
    """Two to four strategies, some of the same kind, and any execution and limits."""
    kinds = random.choices(list(_STRATEGIES), k=random.randint(2, 4))
    allocation = Decimal(random.choice((100, 95, 60))) / 100 / len(kinds)
    fraction = allocation.quantize(Decimal("0.01"), "ROUND_DOWN")
    entries = {
        f"s{number}_{kind.rpartition(':')[2].lower()}": _entry(random, kind) for number, kind in enumerate(kinds)
    }
    content = {
        "strategies": {name: entry | {"allocation": str(fraction)} for name, entry in entries.items()},
        "execution": {
            "unfilled": random.choice(("leave", "cancel", "reprice")),
            "max_rounds": random.choice((1, 1, 2, 12)),
            "poll_seconds": random.choice((10, 60)),
            "reprice_bps": random.choice((1, 50, 300)),
        },
        "risk": _risk(random),
        "data": {"max_missing": "0.95", "max_age_sessions": random.choice((0, 3))},
    }
    return parse_config(content, "made up")


def _entry(random: Random, kind: str) -> dict[str, Any]:
    parameters = dict(_STRATEGIES[kind])
    if kind.startswith("tests."):
        parameters["salt"] = random.choice("ab")
    parameters["cash_buffer"] = random.choice(("0", "0.05"))
    if random.random() < 0.3:
        parameters["max_weight"] = "0.2"
    return {
        "uses": kind,
        "universe": {"members": "tradable", "size": random.choice((3, 6, 8)), "lookback": random.choice((3, 20))},
        "fractional": random.random() < 0.3,
        "overnight": random.choice(("hold", "hold", "hold", "exit")),
        "forecast": {"history": 60, "preset": "raw"},
        "parameters": parameters,
    }


def _risk(random: Random) -> dict[str, str]:
    wide = {"max_daily_loss": "0.9", "max_daily_turnover": "5"}
    if random.random() < 0.5:
        return wide
    tight = {
        "max_position": "0.1",
        "max_daily_turnover": "0.4",
        "max_order_notional": "4000",
        "max_gross_exposure": "0.7",
        "max_slippage": "0.005",
        "max_price_move": "0.03",
        "min_order_notional": "200",
    }
    return wide | dict(random.sample(sorted(tight.items()), 3))
