"""The whole platform within a test: exchange, local cloud, our own template."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from cli.arguments import RunOptions
from cli.consoles import progress
from cli.day import Alert
from cli.follow import follow
from cli.live import LiveDisplay
from cli.market import Market
from cli.run_report import RunReport
from cli.stage import Stage, open_stage
from cli.workflow import Story
from openbell.config import PlatformConfig
from paper import History, Intercept
from tests.integration.workflow.stage import WEDNESDAY, config, sample


@dataclass
class Played:
    """An open stage, and the alerts that came."""

    stage: Stage
    alerts: list[Alert] = field(default_factory=list)

    def run(self, name: str = "") -> tuple[RunReport, Story]:
        """One execution, started by the schedule that is due, or by hand under a name of its own."""
        (start,) = self.stage.starts()
        execution = self.stage.by_hand(name) if name else start()
        with LiveDisplay(progress()) as display:
            story = follow(lambda: self.stage.events(execution), self.stage.states, display)
        return self.stage.report(execution, story), story


@contextmanager
def playing(
    work: Path,
    settings: PlatformConfig | None = None,
    intercept: Intercept | None = None,
    market: History | None = None,
    at: datetime = WEDNESDAY,
) -> Iterator[Played]:
    """The platform at a moment of market history."""
    options = RunOptions(
        as_of=at,
        days=1,
        strategies=(),
        bars=None,
        config=Path(),
        equity=Decimal(100000),
        slippage_bps=Decimal(2),
        report=None,
        keep=False,
    )
    told = Market(market or sample(), "test", sample=True)
    alerts: list[Alert] = []
    with open_stage(options, settings or config(), told, at, work, alerts.append, intercept) as stage:
        yield Played(stage, alerts)
