"""The strategies that ship, and how a configured one is built."""

from typing import Any

from pydantic import ValidationError

from openbell.config import PlatformConfig, explain
from openbell.errors import ConfigError
from openbell.strategies.momentum import Momentum
from openbell.strategies.prophet_trend import ProphetTrend
from openbell.strategies.protocol import Context, Market, Parameters, Strategy

__all__ = ["SHIPPED", "Context", "Market", "Parameters", "Strategy", "build_strategies"]

SHIPPED: dict[str, type[Strategy[Any]]] = {"momentum": Momentum, "prophet_trend": ProphetTrend}


def build_strategies(config: PlatformConfig) -> dict[str, Strategy[Any]]:
    """The enabled strategies by name, with their parameters; ConfigError names strategy, field and what is allowed."""
    return {name: _build(name, entry.uses or name, entry.parameters) for name, entry in config.enabled.items()}


def _build(name: str, code: str, parameters: dict[str, Any]) -> Strategy[Any]:
    if code not in SHIPPED:
        raise ConfigError(f"strategies.{name}: there is no strategy {code!r}; allowed: {', '.join(sorted(SHIPPED))}")
    kind = SHIPPED[code]
    try:
        return kind(kind.parameters_model.model_validate(parameters))
    except ValidationError as error:
        raise ConfigError(explain(error, f"strategies.{name}.parameters")) from error
