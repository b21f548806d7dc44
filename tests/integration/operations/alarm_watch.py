"""CloudWatch's alarms, evaluated over what the local cloud has measured; who goes into alarm publishes as AWS does."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

from local import LocalCloud, Metric

_BREACHES = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}
_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {"Sum": sum, "Maximum": max, "Average": fmean}


@dataclass
class AlarmWatch:
    """Looks at every deployed alarm when told to, and remembers its state."""

    cloud: LocalCloud
    of_aws: list[Metric] = field(default_factory=list)  # what AWS's own services would have measured
    states: dict[str, str] = field(default_factory=dict)  # by the alarm's name in the template

    def look(self, at: datetime | None = None) -> dict[str, str]:
        """What those say that go into alarm now, or at another moment: their messages by name in the template."""
        self.of_aws += _queue_depths(self.cloud)
        now = at or datetime.now(UTC)
        told = {}
        for name, alarm in _deployed(self.cloud).items():
            before, after = self.states.get(name, "INSUFFICIENT_DATA"), self._state(name, alarm, now)
            self.states[name] = after
            if after == "ALARM" != before and alarm["ActionsEnabled"]:
                told[name] = _publish(self.cloud, alarm)
        return told

    def _state(self, name: str, alarm: Mapping[str, Any], now: datetime) -> str:
        query, filled = _query(alarm)
        periods = [
            _statistic(query, [*self.cloud.metrics, *self.of_aws], now - number * _period(query))
            for number in range(alarm["EvaluationPeriods"])
        ]
        if filled is not None and any(value is not None for value in periods):
            periods = [filled if value is None else value for value in periods]
        known = [value for value in periods if value is not None]
        breaching = sum(_BREACHES[alarm["ComparisonOperator"]](value, alarm["Threshold"]) for value in known)
        missing = len(periods) - len(known)
        if missing == len(periods) and alarm["TreatMissingData"] == "ignore":
            return self.states.get(name, "INSUFFICIENT_DATA")
        breaching += missing * (alarm["TreatMissingData"] == "breaching")
        return "ALARM" if breaching >= alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) else "OK"


def _deployed(cloud: LocalCloud) -> dict[str, Mapping[str, Any]]:
    found = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {re.split("-", alarm["AlarmName"])[-2]: alarm for alarm in found}  # <stack>-<name in the template>-<letters>


def _query(alarm: Mapping[str, Any]) -> tuple[Mapping[str, Any], float | None]:
    """What is watched, and with what number missing periods are filled, if they are."""
    if "Metrics" not in alarm or not alarm["Metrics"]:
        return {**alarm, "Stat": alarm["Statistic"]}, None
    by_id = {query["Id"]: query for query in alarm["Metrics"]}
    (returned,) = [query for query in alarm["Metrics"] if query.get("ReturnData")]
    expression = re.fullmatch(r"FILL\((\w+), (\d+)\)", returned["Expression"])
    assert expression, f"{returned['Expression']}: only FILL(metric, number) is known here"
    stat = by_id[expression[1]]["MetricStat"]
    return {**stat["Metric"], "Period": stat["Period"], "Stat": stat["Stat"]}, float(expression[2])


def _period(query: Mapping[str, Any]) -> timedelta:
    return timedelta(seconds=query["Period"])


def _statistic(query: Mapping[str, Any], metrics: Iterable[Metric], end: datetime) -> float | None:
    wanted = {dimension["Name"]: dimension["Value"] for dimension in query["Dimensions"]}
    values = [
        metric.value
        for metric in metrics
        if (metric.namespace, metric.name, dict(metric.dimensions)) == (query["Namespace"], query["MetricName"], wanted)
        and end - _period(query) < metric.at <= end
    ]
    return float(_STATISTICS[query["Stat"]](values)) if values else None


def _publish(cloud: LocalCloud, alarm: Mapping[str, Any]) -> str:
    message = {"AlarmName": alarm["AlarmName"], "AlarmDescription": alarm["AlarmDescription"], "NewStateValue": "ALARM"}
    for topic in alarm["AlarmActions"]:
        cloud.client("sns").publish(
            TopicArn=topic, Subject=f'ALARM: "{alarm["AlarmName"]}"', Message=json.dumps(message)
        )
    return str(alarm["AlarmDescription"])


def _queue_depths(cloud: LocalCloud) -> Sequence[Metric]:
    """SQS measures its queues by itself."""
    return [_depth(cloud, cloud.outputs[output]) for output in ("MissedTicksUrl", "UndeliveredEventsUrl")]


def _depth(cloud: LocalCloud, url: str) -> Metric:
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    depth = float(attributes["ApproximateNumberOfMessages"])
    dimensions = {"QueueName": url.rsplit("/", 1)[-1]}
    return Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", dimensions, depth, "Count", datetime.now(UTC))
