"""A small market with one good symbol, and a strategy whose only parameter is which symbol it holds."""

from datetime import date
from pathlib import Path

import numpy as np

from openbell.config import PlatformConfig, parse_config
from paper import BarArrays, History
from paper.sessions import nyse

SESSIONS = tuple(nyse(date(2021, 1, 4), date(2021, 12, 31)).days)[:120]
SYMBOLS = ("DOWN", "FLAT", "UP")
HOLDS = '''
from openbell.model import Signal
from openbell.portfolio.sizing import Sizing
from openbell.strategies import Context, Parameters, Strategy


class Picks(Parameters):
    pick: str = "FLAT"
    patience: int = 0


class Holds(Strategy[Picks]):
    """Holds one symbol from the first run on."""

    parameters_model = Picks
    sizing = Sizing.ENTER

    def signals(self, context: Context) -> list[Signal]:
        if self.parameters.pick == "BOOM":
            raise RuntimeError("out of ideas")
        if self.parameters.pick in context.holdings or len(context.closes) < self.parameters.patience:
            return []
        return [Signal(self.parameters.pick, 1.0, "picked")]
'''


def market(crash_after: date | None = None) -> History:
    """UP gains and DOWN loses half a per cent a day, with noise; after `crash_after` UP falls instead."""
    luck = np.random.default_rng(1)
    drift = np.tile([-0.005, 0.0, 0.005], (len(SESSIONS), 1))
    if crash_after:
        drift[[day > crash_after for day in SESSIONS], 2] = -0.02
    closes = 100 * np.exp(np.cumsum(drift + luck.normal(0, 0.004, drift.shape), axis=0))
    return History(SYMBOLS, SESSIONS, BarArrays(close=closes))


def config(folder: Path, code: str = HOLDS) -> PlatformConfig:
    """A configuration with the strategy `holds`, whose code is written to `folder`."""
    (folder / "holds.py").write_text(code)
    entry = {"uses": f"{folder / 'holds.py'}:Holds", "allocation": "1", "universe": {"size": 3, "lookback": 5}}
    return parse_config({"strategies": {"holds": entry}, "risk": {"max_position": "1"}}, "the test")
