"""The project as another release: a copy with changes, deployed over the one that runs."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.effective import layer_files
from cli.own_broker import hand_over, parameters_for
from cli.places import TEMPLATE
from local import LocalCloud
from openbell.adapters.dynamo.ledger import DynamoLedger
from paper import Credentials, PaperExchange, serve
from tests.builders import D
from tests.integration.workflow.stage import WEDNESDAY, only_momentum, sample

STATES = ("OpenRun", "SelectUniverse", "AggregateSignals", "ExecuteOrder", "SettleOrders", "CloseRun")
KEYS = Credentials("PKRELEASES0000000001", "no-secret-of-anybody")
_SHIPPED = ("functions", "shared", "statemachine", "lab", "paper")
_PATIENCE_S = 120.0


def copy_of_the_project(folder: Path) -> Path:
    """Everything that is deployed, in `folder`; gives the template."""
    for name in _SHIPPED:
        shutil.copytree(TEMPLATE.parent / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return Path(shutil.copy(TEMPLATE, folder))


def change(file: Path, old: str, new: str) -> None:
    """Replace the one place in `file` that says `old`."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new))


@dataclass
class Platform:
    """The project's template at the paper exchange."""

    cloud: LocalCloud
    exchange: PaperExchange
    while_waiting: list[Callable[[], None]]  # called once, when a run waits for fills

    @property
    def ledger(self) -> DynamoLedger:
        """The books."""
        return DynamoLedger(self.cloud.client("dynamodb"), self.cloud.outputs["TableName"])

    def run(self) -> str:
        """A run that a schedule starts, to its end; gives the execution's status."""
        return self.ended(self.cloud.fire(self.cloud.schedules_due()[0], self.exchange.now))

    def by_hand(self) -> str:
        """A run that a person starts, to its end; gives the execution's status."""
        states = self.cloud.client("stepfunctions")
        arn = self.cloud.outputs["LiveMachineArn"]
        return self.ended(states.start_execution(stateMachineArn=arn, input="{}")["executionArn"])

    def ended(self, arn: str) -> str:
        """The execution's status when it has ended."""
        deadline = time.monotonic() + _PATIENCE_S
        while (status := self._status(arn)) == "RUNNING":
            assert time.monotonic() < deadline, "the run has not ended"
            time.sleep(0.1)
        return status

    def _status(self, arn: str) -> str:
        return str(self.cloud.client("stepfunctions").describe_execution(executionArn=arn)["status"])

    def next_day(self) -> None:
        """The same time in the next session."""
        self.exchange.close_session()
        self.exchange.open_next_session(WEDNESDAY.time())

    def versions_used(self) -> dict[str, list[str]]:
        """The versions of each state's function that were invoked, in their order, by the state's name."""
        said = {state: self.cloud.logs(f"{state}Function") for state in STATES}
        return {
            state: [line.rpartition(" ")[2] for line in lines if line.startswith("START ")]
            for state, lines in said.items()
        }


@contextmanager
def a_platform(
    folder: Path, files: Mapping[str, Path] | None = None, *, as_deployed: bool = False, **parameters: str
) -> Iterator[Platform]:
    """The platform on a Wednesday at three, with one strategy, whose buys are limited, and keys in the secret.

    With `as_deployed` it is as a first deployment leaves it: schedules as the template has them, and no keys.
    `files` of the layer and `parameters` of the template come on top.
    """
    exchange = PaperExchange(sample(), D(100000), WEDNESDAY, slippage_bps=2)
    while_waiting: list[Callable[[], None]] = []

    def wait(seconds: float) -> None:
        acts, while_waiting[:] = tuple(while_waiting), ()
        for act in acts:
            act()
        exchange.wait(seconds)

    with (
        serve(exchange, credentials=KEYS) as served,
        LocalCloud(
            template=TEMPLATE,
            parameters=parameters_for(served.url) | ({"ScheduleState": "DISABLED"} if as_deployed else {}) | parameters,
            work=folder,
            wait=wait,
            clock=lambda: exchange.now,
            layer_files=layer_files(only_momentum(risk={"max_order_notional": 10000}), folder) | dict(files or {}),
            retry_scale=0.0,
        ) as cloud,
    ):
        if not as_deployed:
            hand_over(KEYS, cloud)
        yield Platform(cloud, exchange, while_waiting)
