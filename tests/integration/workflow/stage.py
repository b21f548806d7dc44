"""A desk over the paper exchange, all in this process: what a test of the use cases plays on."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import pandas as pd

from lab.exchange import ExchangeBroker, ExchangeData
from lab.workflow import run_workflow
from openbell.adapters.memory.archive import MemoryArchive
from openbell.adapters.memory.executions import MemoryExecutions
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.config import PlatformConfig, parse_config
from openbell.model import NEW_YORK
from openbell.ports import Broker, Desk, Executions
from openbell.workflow.close_run import ClosedRun
from openbell.workflow.open_run import RunRequest
from paper import BarArrays, History, PaperExchange, Rules, load_sample
from tests.builders import D

WEDNESDAY = datetime(2022, 6, 15, 15, tzinfo=NEW_YORK)

sample = cache(load_sample)


def config(**changes: Any) -> PlatformConfig:
    """Two strategies over all that the exchange trades; sections of the configuration may be given."""
    universe = {"members": "tradable", "size": 20}
    content: dict[str, Any] = {
        "strategies": {
            "momentum": {
                "allocation": "0.4",
                "universe": universe | {"lookback": 252},
                "parameters": {"hold": 3, "lookback": 252, "skip": 21},
            },
            "prophet_trend": {"allocation": "0.5", "universe": {"members": "tradable", "size": 4, "lookback": 60}},
        }
    }
    return parse_config(content | changes, "test")


def only_momentum(**changes: Any) -> PlatformConfig:
    """A configuration without forecasts, which makes a run fast."""
    return config(**changes).only(("momentum",))


def history(closes: pd.DataFrame) -> History:
    """A market with these closes only."""
    days = [day.date() for day in closes.index]
    return History(list(closes.columns), days, BarArrays(closes.to_numpy(dtype=float)))


@dataclass
class RecordedAlerts:
    """Alerts, kept."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    def alert(self, subject: str, message: str) -> None:
        self.sent.append((subject, message))


class Stage:
    """An exchange, a desk on it, and runs."""

    def __init__(
        self,
        settings: PlatformConfig | None = None,
        market: History | None = None,
        at: datetime = WEDNESDAY,
        broker: type[ExchangeBroker] = ExchangeBroker,
        cash: str = "100000",
        fill_share: str = "1",
    ) -> None:
        self.config = settings or only_momentum()
        self.exchange = PaperExchange(market or sample(), D(cash), at, rules=Rules(D(2), D(fill_share)))
        self.ledger = MemoryLedger()
        self.archive = MemoryArchive()
        self.alerts = RecordedAlerts()
        self.broker: Broker = broker(self.exchange)
        self.desk = Desk(self.broker, self.ledger, self.archive, self.alerts)
        self.data = ExchangeData(self.exchange)

    def run(
        self, execution: str = "first", schedule: str = "daily", tick: str = "", executions: Executions | None = None
    ) -> ClosedRun:
        """One whole run."""
        request, ended = RunRequest(execution, schedule, tick), executions or MemoryExecutions()
        return run_workflow(request, self.config, self.desk, self.data, (), self.exchange.wait, ended)

    def next_day(self) -> None:
        """The same time in the next session."""
        time = self.exchange.now.time().replace(hour=15, minute=0, second=0)
        self.exchange.close_session()
        self.exchange.open_next_session(time)

    def held(self) -> dict[str, D]:
        """Shares at the exchange."""
        return {position.symbol: position.qty for position in self.exchange.positions()}

    def owned(self) -> dict[str, D]:
        """Shares in all sleeves together."""
        total: dict[str, D] = {}
        for sleeve in self.ledger.sleeves().values():
            for symbol, position in sleeve.positions.items():
                total[symbol] = total.get(symbol, D(0)) + position.qty
        return total
