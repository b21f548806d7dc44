"""Markets that tests of the laboratory play on."""

from functools import cache

import numpy as np

from paper import BarArrays, History
from tests.integration.workflow.stage import sample


@cache
def ohlc_market() -> History:
    """The last years of the sample with opens, highs and lows made up around its closes; some bars have none."""
    closes = sample().bars.close[-1100:]
    luck = np.random.default_rng(7)
    before = np.vstack([closes[:1], closes[:-1]])
    opens = before * (1 + luck.normal(0, 0.012, closes.shape))
    highs = np.maximum(opens, closes) * (1 + np.abs(luck.normal(0, 0.015, closes.shape)))
    lows = np.minimum(opens, closes) * (1 - np.abs(luck.normal(0, 0.015, closes.shape)))
    gaps = luck.random(closes.shape) < 0.02
    for prices in (opens, highs, lows):
        prices[gaps] = np.nan
    bars = BarArrays(close=closes.copy(), open=opens, high=highs, low=lows)
    return History(sample().symbols, sample().sessions[-1100:], bars)
