"""The strategies that ship, and how a configured one is built."""

from dataclasses import dataclass
from typing import Any

from openbell.config import PlatformConfig, StrategyConfig
from openbell.errors import ConfigError
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
    "Built",
    "Context",
    "Market",
    "Parameters",
    "Signal",
    "Sizing",
    "Strategy",
    "build_each",
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


@dataclass(frozen=True)
class Built:
    """Strategies by name, and why the others could not be built."""

    strategies: dict[str, Strategy[Any]]
    failed: dict[str, str]


def build_each(config: PlatformConfig) -> Built:
    """Every enabled strategy that can be built: wrong code or parameters of one are that one's failure."""
    built = Built({}, {})
    for name in config.enabled:
        try:
            built.strategies[name] = build(
                name, config.strategies[name], SHIPPED, config.seconds_of(name, len(config.enabled))
            )
        except ConfigError as error:
            built.failed[name] = f"ConfigError: {error}"
    return built


def build_strategies(config: PlatformConfig) -> dict[str, Strategy[Any]]:
    """The enabled strategies by name, with their parameters; ConfigError names strategy, field and what is allowed."""
    return {name: build_strategy(name, entry) for name, entry in config.enabled.items()}


def build_strategy(name: str, entry: StrategyConfig) -> Strategy[Any]:
    """The strategy of one entry, enabled or not; ConfigError as above."""
    return build(name, entry, SHIPPED, float(entry.max_seconds))
