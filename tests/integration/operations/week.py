"""A week of the whole platform in which everything goes wrong once: our own template in the local cloud."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from cli.effective import layer_files
from cli.own_broker import hand_over, parameters_for
from cli.places import TEMPLATE
from local import LocalCloud, Metric
from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.model import Halt, RunStatus
from paper import Credentials, PaperExchange, Side, Ticket, serve
from tests.builders import D
from tests.integration.operations.alarm_watch import AlarmWatch
from tests.integration.operations.recorded_calls import recorder
from tests.integration.workflow.stage import WEDNESDAY, config, sample

KEYS = Credentials("PKCANARYKEYID0000001", "canary-secret-5f1d8c0b7a6e4930")
_PATIENCE_S = 240.0


class Doorman:
    """Stands before the exchange; while `strict`, it rejects every second order."""

    def __init__(self) -> None:
        self.strict = False
        self._seen = 0

    def __call__(self, request: Request, proceed: Callable[[], Response]) -> Response:
        if (request.method, request.path) == ("POST", "/v2/orders"):
            self._seen += 1
        if self.strict and self._seen % 2 and request.method == "POST":
            said = {"code": 40310000, "message": "insufficient buying power"}
            return Response(json.dumps(said), 403, content_type="application/json")
        return proceed()


@dataclass
class Week:
    """The platform, and what became of it."""

    cloud: LocalCloud
    exchange: PaperExchange
    doorman: Doorman
    folder: Path
    watch: AlarmWatch
    told: dict[str, dict[str, str]] = field(default_factory=dict)  # the alarms' messages, by what caused them
    executions: list[str] = field(default_factory=list)  # ARNs
    widgets: dict[str, str] = field(default_factory=dict)  # HTML by widget
    heard: list[dict[str, Any]] = field(default_factory=list)  # events, as a rule on our bus delivered them

    @property
    def ledger(self) -> DynamoLedger:
        """The books."""
        return DynamoLedger(self.cloud.client("dynamodb"), self.cloud.outputs["TableName"])

    def run(self, cause: str) -> str:
        """One run by a schedule that is due, and a look at the alarms; gives the execution's status."""
        arn = self.cloud.fire(self.cloud.schedules_due()[0], self.exchange.now)
        self.executions.append(arn)
        deadline = time.monotonic() + _PATIENCE_S
        status = "RUNNING"
        while status == "RUNNING":
            assert time.monotonic() < deadline, f"{cause}: the run has not ended"
            time.sleep(0.2)
            status = self.cloud.client("stepfunctions").describe_execution(executionArn=arn)["status"]
        self.told[cause] = self.watch.look()
        return status

    def next_day(self) -> None:
        """The same time in the next session."""
        self.exchange.close_session()
        self.exchange.open_next_session(WEDNESDAY.time())

    def throttle(self, function: str, most: int | None) -> None:
        """Let Lambda run at most so many invocations of a function at once; None takes the limit away."""
        name, client = self.cloud.physical_id(function), self.cloud.client("lambda")
        if most is None:
            client.delete_function_concurrency(FunctionName=name)
        else:
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=most)

    def ask(self, widget: str, **parameters: str) -> str:
        """What the dashboard would show."""
        event = {"widget": widget, **parameters, "widgetContext": {"timeRange": {"end": 1655400000000}}}
        answer = self.cloud.client("lambda").invoke(
            FunctionName=self.cloud.physical_id("WidgetsFunction"), Payload=json.dumps(event)
        )
        shown: str = json.loads(answer["Payload"].read())
        return shown


@contextmanager
def a_week(folder: Path) -> Iterator[Week]:
    """The platform after its week; the cloud is still open."""
    exchange, doorman = PaperExchange(sample(), D(100000), WEDNESDAY, slippage_bps=2), Doorman()
    files = layer_files(config(), folder) | {"sitecustomize.py": recorder(folder)}
    with (
        serve(exchange, intercept=doorman, credentials=KEYS) as served,
        LocalCloud(
            template=TEMPLATE,
            parameters=parameters_for(served.url),
            work=folder,
            wait=lambda seconds: _pass_time(exchange, seconds),
            clock=lambda: exchange.now,
            layer_files=files,
            retry_scale=0.0,
        ) as cloud,
    ):
        hand_over(KEYS, cloud)
        week = Week(cloud, exchange, doorman, folder, AlarmWatch(cloud))
        _play(week)
        yield week


def _pass_time(exchange: PaperExchange, seconds: float) -> None:
    exchange.wait(seconds)


def _listen(week: Week) -> str:
    """A rule on our bus that sends all that comes to a queue; gives the queue's URL."""
    sqs, events = week.cloud.client("sqs"), week.cloud.client("events")
    url: str = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    where = {"EventBusName": week.cloud.outputs["EventBusName"]}
    events.put_rule(Name="everything", EventPattern=json.dumps({"source": ["openbell"]}), **where)
    events.put_targets(Rule="everything", Targets=[{"Id": "listener", "Arn": arn}], **where)
    return url


def _hear(week: Week, url: str) -> None:
    sqs = week.cloud.client("sqs")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            week.heard.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _play(week: Week) -> None:
    listener = _listen(week)
    week.told["deployed"] = week.watch.look()
    week.doorman.strict = True
    assert week.run("rejections") == "SUCCEEDED"
    week.doorman.strict = False
    week.next_day()
    _leave_the_lease(week)
    assert week.run("a good day") == "SUCCEEDED"
    week.next_day()
    week.exchange.submit(Ticket("KO", Side.BUY, D(7)))  # by hand: the account changes outside of the platform
    week.throttle("ForecastFunction", 0)
    assert week.run("no forecasts") == "FAILED"
    week.throttle("ForecastFunction", None)
    week.next_day()
    week.ledger.set_halt(Halt("a look at it", "alice", week.exchange.now))
    assert week.run("halt") == "SUCCEEDED"
    week.ledger.clear_halt()
    _sell_by_hand(week)
    week.next_day()
    assert week.run("drift") == "SUCCEEDED"
    for widget in ("state", "positions", "plan", "forecasts"):
        week.widgets[widget] = week.ask(widget)
    week.widgets["an unknown run"] = week.ask("run", run_id="20200101-0000-0000")
    completed = next(run for run in week.ledger.runs() if run.status is RunStatus.COMPLETED)
    week.widgets["a good run"] = week.ask("forecasts", run_id=completed.run_id)
    _hear(week, listener)
    _trouble_of_aws(week)


def _leave_the_lease(week: Week) -> None:
    """As an execution does whose AbortRun failed for good: it has ended, and the lease is its own for an hour."""
    _, _, dead = week.executions[0].rpartition(":")
    assert week.ledger.acquire_lease(dead, week.exchange.now, 3600)


def _sell_by_hand(week: Week) -> None:
    """A person closes a position that a strategy owns, and the protective orders that rest on it."""
    week.exchange.cancel_all()
    week.exchange.close_position(week.exchange.positions()[0].symbol)


def _trouble_of_aws(week: Week) -> None:
    """What the local cloud's Scheduler does not do: lose a tick, be refused; and half an hour in which nothing runs."""
    week.cloud.client("sqs").send_message(QueueUrl=week.cloud.outputs["MissedTicksUrl"], MessageBody="{}")
    week.told["missed tick"] = week.watch.look()
    week.cloud.client("sqs").send_message(QueueUrl=week.cloud.outputs["UndeliveredEventsUrl"], MessageBody="{}")
    week.told["undelivered event"] = week.watch.look()
    now = datetime.now(UTC)
    group = {"ScheduleGroup": f"{week.cloud.physical_id('Ticks')}"}
    week.watch.of_aws.append(Metric("AWS/Scheduler", "TargetErrorCount", group, 1.0, "Count", now))
    week.told["refused start"] = week.watch.look()
    week.told["silence"] = week.watch.look(now + timedelta(minutes=31))
