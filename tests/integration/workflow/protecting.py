"""A strategy that enters one symbol on a Wednesday, and leaves it on a day of the test's choosing: a stage for it."""

from datetime import date
from typing import Any, ClassVar

from openbell.config import PlatformConfig, parse_config
from openbell.model import Signal
from openbell.strategies import Context
from openbell.strategies.protocol import Parameters
from paper.orders import Order
from tests.integration.lab.buys_on import BuysOn, BuysOnParameters
from tests.integration.workflow.stage import Stage


class InAndOutParameters(BuysOnParameters):
    """`leave`: from when on the holding is to be sold."""

    leave: date = date(2099, 1, 1)


class InAndOut(BuysOn):
    """Buys its symbol on `day` and sells it from `leave` on."""

    parameters_model: ClassVar[type[Parameters]] = InAndOutParameters
    parameters: InAndOutParameters

    def signals(self, context: Context) -> list[Signal]:
        if context.session >= self.parameters.leave and context.holdings:
            return [Signal(self.parameters.symbol, -1.0, "it is time to leave")]
        return super().signals(context)


def in_and_out(leave: str = "2099-01-01", symbol: str = "KO", day: str = "2022-06-15", **more: Any) -> PlatformConfig:
    """The strategy alone: a stop 10 % below its entry, at a limit of 15 %, and a profit 40 % above."""
    parameters = {"symbol": symbol, "day": day, "leave": leave, "stop": "0.1", "stop_limit": "0.15"}
    entry = {
        "allocation": "0.5",
        "uses": "tests.integration.workflow.protecting:InAndOut",
        "universe": {"members": "tradable", "size": 20, "lookback": 60},
        "parameters": parameters | {"take_profit": "0.4"},
    }
    return parse_config({"strategies": {"in_and_out": entry}} | more, "test")


def resting(stage: Stage) -> list[Order]:
    """Open sells at the exchange."""
    return [order for order in stage.exchange.orders() if order.status.open and order.side.value == "sell"]
