"""What a strategy is shown in these tests: the market as of Wednesday, 15 June 2022."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import pandas as pd

from openbell.forecasts import Forecast
from openbell.model import Position, Signal
from openbell.strategies.protocol import Context

TODAY = date(2022, 6, 15)


def context(
    frame: pd.DataFrame | None = None,
    forecasts: Mapping[str, Forecast] | None = None,
    held: tuple[str, ...] = (),
    last_rebalance: date | None = None,
) -> Context:
    """A context with one share of each symbol in `held`."""
    holdings = {symbol: Position(Decimal(1), Decimal(100)) for symbol in held}
    shown = frame if frame is not None else pd.DataFrame()
    return Context(TODAY, shown, {}, forecasts or {}, holdings, last_rebalance)


def scores(signals: Sequence[Signal]) -> dict[str, float]:
    """The scores by symbol."""
    return {signal.symbol: signal.score for signal in signals}
