"""The whole platform in the local cloud, whose handler processes are killed while they work."""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import local.cloud
from cli.effective import layer_files
from cli.own_broker import hand_over, parameters_for
from cli.places import STATE_MACHINE, TEMPLATE
from cli.workflow import read_story
from local import LocalCloud
from local.patching import replaced
from local.server import moto_server
from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.codec import from_json
from openbell.model import Sleeve
from openbell.runs import Decisions, decisions_key
from paper import PaperExchange, new_credentials, serve
from tests.chaos.evidence import Evidence, ask
from tests.chaos.invariants import violations
from tests.chaos.killer import Kill, Killer
from tests.chaos.market import CASH, Setting, config_from, history

_SETTING = Setting(forecasts=True)
_TRADERS = Path(__file__).with_name("traders.py")
_MOST_SECONDS = 120.0  # that an execution may take

KILLS: tuple[Kill, ...] = (
    Kill("OpenRun", "dynamodb.PutItem", after=True),
    Kill("OpenRun", "dynamodb.TransactWriteItems", after=False),
    Kill("OpenRun", "dynamodb.TransactWriteItems", after=True),
    Kill("OpenRun", "s3.PUT", after=True),
    Kill("OpenRun", "broker.GET-positions", after=True, times=2),
    Kill("SelectUniverse", "s3.PUT", after=True),
    Kill("SelectUniverse", "broker.GET-assets", after=False, times=2),
    Kill("Forecast", "dynamodb.PutItem", after=True),
    Kill("AggregateSignals", "dynamodb.TransactWriteItems", after=False),
    Kill("AggregateSignals", "dynamodb.TransactWriteItems", after=True),
    Kill("AggregateSignals", "dynamodb.TransactWriteItems", after=False, times=2),
    Kill("ExecuteOrder", "dynamodb.TransactWriteItems", after=False),
    Kill("ExecuteOrder", "dynamodb.TransactWriteItems", after=True),
    Kill("ExecuteOrder", "dynamodb.TransactWriteItems", after=True, times=2),
    Kill("ExecuteOrder", "broker.POST-orders", after=False),
    Kill("ExecuteOrder", "broker.POST-orders", after=True),
    Kill("ExecuteOrder", "broker.POST-orders", after=False, times=2),
    Kill("ExecuteOrder", "broker.POST-orders", after=True, nth=1, times=2),
    Kill("ExecuteOrder", "broker.GET-orders-by_client_order_id", after=True),
    Kill("SettleOrders", "dynamodb.TransactWriteItems", after=False),
    Kill("SettleOrders", "dynamodb.TransactWriteItems", after=True),
    Kill("SettleOrders", "dynamodb.TransactWriteItems", after=True, times=2),
    Kill("CloseRun", "s3.PUT", after=True),
    Kill("CloseRun", "dynamodb.TransactWriteItems", after=True),
    Kill("CloseRun", "dynamodb.TransactWriteItems", after=False, times=2),
)


@dataclass(frozen=True)
class Killed:
    """What came of one schedule: a session with a kill, and a clean one if that run did not complete."""

    kill: Kill
    victims: int
    ended: tuple[str, ...]  # how the executions ended
    violations: tuple[str, ...]
    seconds: float


@dataclass
class Stage:
    """An exchange, the cloud, and what they told."""

    exchange: PaperExchange
    cloud: LocalCloud
    killer: Killer
    alerts: list[tuple[str, str]]
    executions: dict[str, str] = field(default_factory=dict)
    granted: dict[str, Decimal] = field(default_factory=dict)

    @property
    def ledger(self) -> DynamoLedger:
        """The ledger, without Lambdas in between."""
        return DynamoLedger(self.cloud.client("dynamodb"), self.cloud.outputs["TableName"])

    def run(self) -> str:
        """One execution; gives its status."""
        states = self.cloud.client("stepfunctions")
        begun = states.start_execution(stateMachineArn=self.cloud.outputs["LiveMachineArn"], input="{}")
        arn = begun["executionArn"]
        deadline = time.monotonic() + _MOST_SECONDS
        while (status := states.describe_execution(executionArn=arn)["status"]) == "RUNNING":
            if time.monotonic() > deadline:
                raise TimeoutError(f"execution {arn} is still running: {self._last_states(arn)}")
            time.sleep(0.05)
        self.executions[arn.rsplit(":", 1)[-1]] = status
        return str(status)

    def _last_states(self, arn: str) -> list[str]:
        history = self.cloud.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
        return [visit.state for visit in read_story(history, json.loads(STATE_MACHINE.read_text())["States"]).visits]

    def next_session(self) -> None:
        """The same time of the next session."""
        self.exchange.close_session()
        self.exchange.open_next_session(_SETTING.at)

    def evidence(self) -> Evidence:
        """What the promises are judged by."""
        told = ask(self.ledger)
        self.granted = self.granted or {name: _granted(sleeve) for name, sleeve in told.sleeves.items()}
        crosses = [
            cross
            for run in told.runs
            if self.ledger.plan_sealed(run.run_id)
            for cross in from_json(Decisions, self._file(decisions_key(run.run_id))).plan.crosses
        ]
        return Evidence(
            **vars(told),
            exchange=self.exchange,
            unmanaged={},
            granted=self.granted,
            lowest={name: sleeve.cash for name, sleeve in told.sleeves.items()},
            crosses=crosses,
            alerts=self.alerts,
            executions=self.executions,
            reports=self._reports(),
        )

    def _file(self, key: str) -> bytes:
        found = self.cloud.client("s3").get_object(Bucket=self.cloud.outputs["BucketName"], Key=key)
        content: bytes = found["Body"].read()
        return content

    def _reports(self) -> frozenset[str]:
        pages = self.cloud.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.cloud.outputs["BucketName"])
        return frozenset(item["Key"] for page in found for item in page.get("Contents", ()))


def _granted(sleeve: Sleeve) -> Decimal:
    return sleeve.cash - sleeve.realised_pnl + sum((p.cost for p in sleeve.positions.values()), Decimal(0))


@contextmanager
def staged(work: Path) -> Iterator[Stage]:
    """The platform on a made-up market, all calls of its functions under the killer's eyes."""
    exchange = PaperExchange(history(_SETTING), CASH, _SETTING.start, rules=_SETTING.rules)
    keys = new_credentials()
    killer, alerts = Killer(), list[tuple[str, str]]()
    config = config_from(_SETTING, f"{_TRADERS}:")
    with (
        serve(exchange, intercept=killer.intercept, credentials=keys) as served,
        replaced(local.cloud, "moto_server", killer.watching(moto_server)),
        LocalCloud(
            template=TEMPLATE,
            parameters=parameters_for(served.url),
            work=work,
            wait=lambda seconds: _pass_time(exchange, seconds),
            clock=lambda: exchange.now,
            on_alert=lambda alert: alerts.append((alert.subject, alert.message)),
            retry_scale=0.05,
            layer_files=layer_files(config, work),
        ) as cloud,
    ):
        hand_over(keys, cloud)
        yield Stage(exchange, cloud, killer, alerts)


def _pass_time(exchange: PaperExchange, seconds: float) -> None:
    exchange.wait(seconds)


def campaign(kills: Sequence[Kill]) -> Iterator[Killed]:
    """One schedule after the other, each a session or two of the same platform; the first session is clean."""
    with tempfile.TemporaryDirectory(prefix="openbell-chaos-") as work, staged(Path(work)) as stage:
        stage.run()
        stage.evidence()
        for kill in kills:
            yield _play(stage, kill)


def _play(stage: Stage, kill: Kill) -> Killed:
    begun = time.monotonic()
    stage.next_session()
    stage.killer.plan(kill)
    ended = [stage.run()]
    victims = stage.killer.rest()
    if ended != ["SUCCEEDED"] or kill.times > 1:
        stage.next_session()
        ended.append(stage.run())
    found = violations(stage.evidence())
    found += [] if ended[-1] == "SUCCEEDED" else [f"next_run: the clean run ended as {ended[-1]}"]
    return Killed(kill, victims, tuple(ended), tuple(found), time.monotonic() - begun)
