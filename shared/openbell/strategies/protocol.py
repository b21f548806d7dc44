"""What a strategy is, and what it gets to see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from openbell.forecasts import Forecast
from openbell.model import Position, Signal
from openbell.portfolio.sizing import Sizing, SizingRule


class Parameters(BaseModel):
    """Parameters of a strategy: unknown ones are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cash_buffer: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.05")  # of the sleeve's equity, never invested
    max_weight: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)  # of the sleeve's equity, in one symbol at most


@dataclass(frozen=True)
class Market:
    """What universe selection may see: closes of every candidate, complete sessions only, USD adjusted.

    `closes` is `(n_sessions, n_candidates)`, ascending session dates.
    """

    closes: pd.DataFrame


@dataclass(frozen=True)
class Context:
    """What a strategy knows when it decides: nothing that happened after `session`'s last complete bar.

    `closes`: `(n_sessions, n_symbols)` adjusted closes in USD of its universe and holdings, sessions before `session`.
    `prices`: last traded raw prices in USD. `forecasts` by symbol, only if the strategy asks for them.
    """

    session: date
    closes: pd.DataFrame
    prices: Mapping[str, Decimal]
    forecasts: Mapping[str, Forecast]
    holdings: Mapping[str, Position]
    last_rebalance: date | None

    @property
    def rebalanced_this_month(self) -> bool:
        """Whether it has given signals in the month of `session` before; only told with `Sizing.REBALANCE`."""
        last, now = self.last_rebalance, self.session
        return last is not None and (last.year, last.month) == (now.year, now.month)


def complete_window(closes: pd.DataFrame, bars: int, skip: int = 0) -> pd.DataFrame:
    """The last `bars` rows of `closes` less the very last `skip`, `(bars, n_complete)`: symbols without a gap in them.

    With fewer rows no symbol is complete.
    """
    end = max(len(closes) - skip, 0)
    window = closes.iloc[max(end - bars, 0) : end]
    return window.loc[:, window.notna().all()] if len(window) == bars else window.iloc[:, :0]


class Strategy[P: Parameters]:
    """A strategy: parameters, a universe, and signals. Subclasses override `signals` and what differs.

    It is made anew for every run and keeps no state: all it may remember is in the context.
    """

    parameters_model: ClassVar[type[Parameters]] = Parameters
    needs_forecasts: ClassVar[bool] = False
    sizing: ClassVar[Sizing] = Sizing.REBALANCE

    def __init__(self, parameters: P) -> None:
        self.parameters = parameters

    def universe(self, market: Market, size: int, lookback: int) -> tuple[str, ...]:
        """Symbols in the order of preference, `size` at most: by default the best mean daily return of `lookback` bars.

        Candidates that have fewer bars are not ranked. Ties go by the symbol.
        """
        means = complete_window(market.closes, lookback + 1).pct_change().mean()
        ranked = sorted(means.items(), key=lambda item: (-float(item[1]), str(item[0])))
        return tuple(str(symbol) for symbol, _ in ranked[:size])

    def signals(self, context: Context) -> list[Signal]:
        """One signal for each symbol on which the strategy has an opinion now; none means: leave it as it is."""
        raise NotImplementedError

    def sizing_rule(self) -> SizingRule:
        """How its signals become weights."""
        return SizingRule(self.sizing, self.parameters.cash_buffer, max_weight=self.parameters.max_weight)
