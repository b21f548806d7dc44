"""The stage on which runs are played: the paper exchange, and the local cloud made from our own template."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from cli.arguments import RunOptions
from cli.books import compare_books
from cli.day import Alert
from cli.effective import layer_files, on_local_market
from cli.failures import failure_note
from cli.market import Market
from cli.own_broker import hand_over, parameters_for
from cli.places import STATE_MACHINE, TEMPLATE
from cli.run_report import RunReport, read_report
from cli.workflow import Event, Story
from local import LocalCloud, Schedule
from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.config import PlatformConfig
from openbell.model import RunStatus
from openbell.runs import report_key
from paper import Intercept, PaperExchange, new_credentials, serve


@dataclass(frozen=True)
class Execution:
    """An execution that was started, and what started it."""

    arn: str
    started_by: str

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.arn.rsplit(":", 1)[-1]


class Stage:
    """What a rehearsal does with the exchange and the cloud, and nothing else."""

    def __init__(self, exchange: PaperExchange, cloud: LocalCloud, config: PlatformConfig) -> None:
        self.exchange = exchange
        self._cloud = cloud
        self._config = config
        self.ledger = DynamoLedger(cloud.client("dynamodb"), cloud.outputs["TableName"])
        self.states: tuple[str, ...] = tuple(json.loads(STATE_MACHINE.read_text())["States"])

    @property
    def address(self) -> str:
        """Where the local cloud's services are, with the key that they ask for."""
        return self._cloud.address

    def starts(self) -> list[Callable[[], Execution]]:
        """What is to be started now: a schedule that fires while a strategy is due, else a manual execution."""
        now = self.exchange.now
        fires = self._cloud.schedules_due(now)
        if fires and self._config.due(now, self.exchange.market.calendar.next_close(now)):
            return [partial(self._fire, fires[0], now)]  # a second one at the same tick would find it taken
        return [self.by_hand]

    def _fire(self, schedule: Schedule, at: datetime) -> Execution:
        return Execution(self._cloud.fire(schedule, at), f"the schedule {schedule.logical_id}")

    def by_hand(self, name: str = "") -> Execution:
        """Start an execution as a person would, under a name of one's own if one is given."""
        begun = self._cloud.client("stepfunctions").start_execution(
            stateMachineArn=self._cloud.outputs["LiveMachineArn"],
            input=json.dumps({"strategies": list(self._config.enabled)}),
            **({"name": name} if name else {}),
        )
        return Execution(begun["executionArn"], "hand, because no schedule that the strategies follow is due now")

    def stop(self, execution: Execution) -> None:
        """Stop an execution that is under way."""
        self._cloud.client("stepfunctions").stop_execution(executionArn=execution.arn)

    def events(self, execution: Execution) -> Sequence[Event]:
        """The execution's history so far, oldest first."""
        pages = self._cloud.client("stepfunctions").get_paginator("get_execution_history")
        return [event for page in pages.paginate(executionArn=execution.arn) for event in page["events"]]

    def report(self, execution: Execution, story: Story) -> RunReport:
        """The run's report; for a run that wrote none (skipped, or failed at once) what the ledger says."""
        run = self.ledger.run_of(execution.name)
        if run and run.status is not RunStatus.SKIPPED:
            bucket, key = self._cloud.outputs["BucketName"], report_key(run.run_id)
            found = self._cloud.client("s3").get_object(Bucket=bucket, Key=key)
            return read_report(found["Body"].read(), f"s3://{bucket}/{key}")
        if run:
            return RunReport.model_validate(vars(run))
        failed = {"run_id": execution.name, "as_of": self.exchange.now, "status": RunStatus.FAILED}
        return RunReport.model_validate(failed | {"note": failure_note(story)})

    def differences(self) -> tuple[str, ...]:
        """Where the ledger's sleeves and the exchange's positions differ."""
        held = {position.symbol: position.qty for position in self.exchange.positions()}
        return compare_books(self.ledger.sleeves(), held)


@contextmanager
def open_stage(
    options: RunOptions,
    config: PlatformConfig,
    market: Market,
    start: datetime,
    work: Path,
    on_alert: Callable[[Alert], None],
    intercept: Intercept | None = None,
) -> Iterator[Stage]:
    """The stage with its exchange standing at `start`; everything is torn down at the end, whatever happens.

    `intercept` stands between the functions and the exchange, as `paper.serve` describes it.
    """
    exchange = PaperExchange(market.history, cash=options.equity, at=start, slippage_bps=options.slippage_bps)
    keys = new_credentials()
    with (
        serve(exchange, intercept=intercept, credentials=keys) as served,
        LocalCloud(
            template=TEMPLATE,
            parameters=parameters_for(served.url),
            work=work,
            wait=lambda seconds: _pass_time(exchange, seconds),
            clock=lambda: exchange.now,
            on_alert=lambda alert: on_alert(Alert(alert.subject, alert.message)),
            layer_files=layer_files(on_local_market(config), work),
            bundles=options.bundles,
        ) as cloud,
    ):
        hand_over(keys, cloud)
        yield Stage(exchange, cloud, config)


def _pass_time(exchange: PaperExchange, seconds: float) -> None:
    exchange.wait(seconds)
