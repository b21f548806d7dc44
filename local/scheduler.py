"""EventBridge Scheduler's schedules: when each is due, and what starting its target means."""

import json
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from pyawscron import AWSCron

from local.account import Clients
from local.failures import LocalCloudError

_START_EXECUTION = "arn:aws:scheduler:::aws-sdk:sfn:startExecution"
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}


@dataclass(frozen=True)
class Schedule:
    """A deployed schedule."""

    logical_id: str  # its name in the template
    name: str  # as deployed
    arn: str
    group: str
    expression: str  # cron(...), rate(...) or at(...)
    timezone: ZoneInfo
    enabled: bool
    target: Mapping[str, Any]  # as GetSchedule gives it

    @property
    def state_machine_arn(self) -> str:
        """The workflow that it starts; LocalCloudError if it starts something else."""
        arn = str(self.target["Arn"])
        if arn == _START_EXECUTION:
            return str(self._arguments["StateMachineArn"])
        if ":states:" in arn:
            return arn
        raise LocalCloudError(f"schedule {self.logical_id} starts {arn}; the local cloud starts only state machines")

    @property
    def input_text(self) -> str:
        """The execution's input as it is deployed, with <aws.scheduler...> still in it."""
        if self.target["Arn"] == _START_EXECUTION:
            return str(self._arguments.get("Input", "{}"))
        return str(self.target.get("Input", "{}"))

    @property
    def input(self) -> Any:
        """The execution's input, parsed, with <aws.scheduler...> still in it."""
        return json.loads(self.input_text)

    @property
    def execution_name(self) -> str | None:
        """The name that the target gives to the execution, with <aws.scheduler...> still in it."""
        return self._arguments.get("Name") if self.target["Arn"] == _START_EXECUTION else None

    @cached_property
    def _arguments(self) -> dict[str, Any]:
        return dict(json.loads(self.target["Input"]))

    def is_due(self, at: datetime) -> bool:
        """Whether it fires in the minute of `at` (zone-aware).

        A rate counts from midnight UTC of 1 January 1970, where AWS counts from the schedule's creation. In the hour
        that comes twice when summer time ends, cron and at fire the first time only, as on AWS.
        """
        kind, _, arguments = self.expression.partition("(")
        arguments = arguments.removesuffix(")")
        local = at.astimezone(self.timezone)
        match kind:
            case "rate":
                return math.floor(at.timestamp() / 60) % _rate_minutes(arguments) == 0
            case "cron" | "at" if local.fold:
                return False
            case "cron":
                return _cron_matches(arguments, local)
            case "at":
                once = datetime.fromisoformat(arguments).replace(tzinfo=self.timezone)
                return timedelta(0) <= local - once < timedelta(minutes=1)
        raise self._unknown()

    def next_after(self, at: datetime) -> datetime | None:
        """The first moment after `at` (zone-aware) at which it fires, in its own zone; None if it never does again."""
        kind, _, arguments = self.expression.partition("(")
        arguments = arguments.removesuffix(")")
        match kind:
            case "rate":
                step = 60 * _rate_minutes(arguments)
                return datetime.fromtimestamp((math.floor(at.timestamp() / step) + 1) * step, self.timezone)
            case "cron":
                return _next_of_cron(arguments, at, self.timezone)
            case "at":
                once = datetime.fromisoformat(arguments).replace(tzinfo=self.timezone)
                return once if once > at else None
        raise self._unknown()

    def _unknown(self) -> LocalCloudError:
        return LocalCloudError(f"schedule {self.logical_id}: {self.expression} is neither cron, rate nor at")

    def filled(self, text: str, at: datetime) -> str:
        """`text` with Scheduler's context attributes replaced, for the firing at `at`."""
        values = {
            "scheduled-time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "execution-id": uuid.uuid4().hex[:16],
            "attempt-number": "1",
            "schedule-arn": self.arn,
        }
        return re.sub(r"<aws\.scheduler\.([\w-]+)>", lambda found: values.get(found[1], found[0]), text)


def _cron_matches(fields: str, local: datetime) -> bool:
    # The library reckons in UTC only; wall-clock time that poses as UTC gives the answer in the schedule's time zone.
    minute = local.replace(second=0, microsecond=0, tzinfo=UTC)
    following = AWSCron(fields).occurrence(minute - timedelta(minutes=1)).next()
    return bool(following == minute)


def _next_of_cron(fields: str, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The next wall-clock time that matches; those that summer time leaves out or repeats fire never, or once."""
    cron = AWSCron(fields)
    wall = at.astimezone(zone).replace(tzinfo=UTC)  # it poses as UTC, as above
    while found := cron.occurrence(wall).next():
        wall = found
        moment: datetime = wall.replace(tzinfo=zone)
        exists = moment.astimezone(UTC).astimezone(zone).replace(tzinfo=UTC) == wall
        if exists and moment.astimezone(UTC) > at:
            return moment
    return None


def _rate_minutes(words: str) -> int:
    number, unit = words.split()
    return int(number) * _MINUTES[unit.removesuffix("s")]


def deployed_schedules(clients: Clients, logical_ids: Mapping[str, str]) -> tuple[Schedule, ...]:
    """The schedules that start a workflow; `logical_ids` has their names in the template by their deployed names.

    What others do, such as writing a metric at night, concerns nobody here.
    """
    scheduler = clients.get("scheduler")
    pages = scheduler.get_paginator("list_schedules").paginate()
    listed = [found for page in pages for found in page["Schedules"]]
    full = [scheduler.get_schedule(Name=found["Name"], GroupName=found["GroupName"]) for found in listed]
    schedules = [
        Schedule(
            logical_id=logical_ids.get(found["Name"], found["Name"]),
            name=found["Name"],
            arn=found["Arn"],
            group=found["GroupName"],
            expression=found["ScheduleExpression"],
            timezone=ZoneInfo(found.get("ScheduleExpressionTimezone", "UTC")),
            enabled=found["State"] == "ENABLED",
            target=found["Target"],
        )
        for found in full
        if ":states:" in found["Target"]["Arn"] or found["Target"]["Arn"] == _START_EXECUTION
    ]
    return tuple(sorted(schedules, key=lambda schedule: schedule.logical_id))


def fire(schedule: Schedule, at: datetime, clients: Clients) -> str:
    """Start the schedule's target as if it fired at `at` (zone-aware); gives the execution's ARN."""
    name = {"name": schedule.filled(schedule.execution_name, at)} if schedule.execution_name else {}
    begun = clients.get("stepfunctions").start_execution(
        stateMachineArn=schedule.state_machine_arn, input=schedule.filled(schedule.input_text, at), **name
    )
    return str(begun["executionArn"])
