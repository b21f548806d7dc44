"""The strategies that ship, and how a configured one is built."""

from typing import Any

from openbell.config import PlatformConfig, StrategyConfig
from openbell.model import Signal
from openbell.portfolio.sizing import Sizing
from openbell.strategies.buy_and_hold import BuyAndHold
from openbell.strategies.loading import build
from openbell.strategies.low_volatility import LowVolatility
from openbell.strategies.mean_reversion import MeanReversion
from openbell.strategies.momentum import Momentum
from openbell.strategies.prophet_trend import ProphetTrend
from openbell.strategies.protocol import Context, Market, Parameters, Strategy, complete_window
from openbell.strategies.sma_cross import SmaCross

__all__ = [
    "SHIPPED",
    "Context",
    "Market",
    "Parameters",
    "Signal",
    "Sizing",
    "Strategy",
    "build_strategies",
    "build_strategy",
    "complete_window",
]

SHIPPED: dict[str, type[Strategy[Any]]] = {
    "buy_and_hold": BuyAndHold,
    "low_volatility": LowVolatility,
    "mean_reversion": MeanReversion,
    "momentum": Momentum,
    "prophet_trend": ProphetTrend,
    "sma_cross": SmaCross,
}


def build_strategies(config: PlatformConfig) -> dict[str, Strategy[Any]]:
    """The enabled strategies by name, with their parameters; ConfigError names strategy, field and what is allowed."""
    return {name: build_strategy(name, entry) for name, entry in config.enabled.items()}


def build_strategy(name: str, entry: StrategyConfig) -> Strategy[Any]:
    """The strategy of one entry, enabled or not; ConfigError as above."""
    return build(name, entry, SHIPPED)
