"""What handlers print: kept in CloudWatch Logs, and lines in the embedded metric format become metrics."""

import json
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import unix_time_millis
from moto.logs.models import logs_backends

from local.account import ACCOUNT_ID, REGION
from local.meter import Meter

_TAIL_BYTES = 4096  # what Lambda returns with LogType=Tail


@dataclass(frozen=True)
class Metric:
    """One value of one metric."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    value: float
    unit: str
    at: datetime  # UTC


class Stream:
    """The log stream of one worker process."""

    def __init__(self, shipper: "LogShipper", function: str, group: str, name: str) -> None:
        self._shipper = shipper
        self._function = function
        self._group = group
        self.name = name
        self._tail = b""

    def line(self, text: str) -> None:
        """Ship one line."""
        text = text.replace("\r", "\n")  # so the runtime client marks line ends inside one event
        self._tail = (self._tail + text.encode() + b"\n")[-_TAIL_BYTES:]
        self._shipper.ship(self._function, self._group, self.name, text)

    def take_tail(self) -> bytes:
        """The last 4 KB since the last time."""
        tail, self._tail = self._tail, b""
        return tail


class LogShipper:
    """Ships lines to their log groups, which are made when missing, and metrics to CloudWatch."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._lock = threading.Lock()
        self._lines: defaultdict[str, list[str]] = defaultdict(list)
        self._metrics: list[Metric] = []

    def open(self, function: str, group: str, version: str) -> Stream:
        """A new stream in `group` for a process of `function`."""
        name = f"{datetime.now(UTC):%Y/%m/%d}/{function}[{version}]{uuid.uuid4().hex}"
        logs = logs_backends[ACCOUNT_ID][REGION]
        with self._lock:
            if group not in logs.groups:
                logs.create_log_group(group, {})
            logs.create_log_stream(group, name)
        return Stream(self, function, group, name)

    def ship(self, function: str, group: str, stream: str, text: str) -> None:
        """Keep one line of a handler."""
        metrics = read_metrics(text)
        with self._lock:
            self._lines[function].append(text)
            self._metrics.extend(metrics)
            if group in logs_backends[ACCOUNT_ID][REGION].groups:
                event = {"timestamp": int(unix_time_millis()), "message": text}
                logs_backends[ACCOUNT_ID][REGION].put_log_events(group, stream, [event])
            for metric in metrics:
                self._meter.put(metric.namespace, metric.name, metric.dimensions, metric.value, metric.unit)

    def lines(self, function: str) -> tuple[str, ...]:
        """All lines of a function, by its name in the template, oldest first."""
        with self._lock:
            return tuple(self._lines[function])

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics of all functions, oldest first."""
        with self._lock:
            return tuple(self._metrics)


def read_metrics(line: str) -> tuple[Metric, ...]:
    """The metrics in a line of the embedded metric format.

    None in any other line, nor in one that does not give what it declares: CloudWatch leaves both as they are, too.
    """
    if '"_aws"' not in line:
        return ()
    try:
        return tuple(_declared(json.loads(line)))
    except (ValueError, TypeError, KeyError):
        return ()


def _declared(root: Mapping[str, Any]) -> Iterator[Metric]:
    at = datetime.fromtimestamp(root["_aws"]["Timestamp"] / 1000, UTC)
    for group in root["_aws"]["CloudWatchMetrics"]:
        for names in group["Dimensions"] or [[]]:
            dimensions = {name: str(root[name]) for name in names}
            for metric in group["Metrics"]:
                yield from _values(root, group["Namespace"], dimensions, metric, at)


def _values(
    root: Mapping[str, Any], namespace: str, dimensions: Mapping[str, str], metric: Mapping[str, Any], at: datetime
) -> Iterator[Metric]:
    found = root[metric["Name"]]
    for value in found if isinstance(found, list) else [found]:
        yield Metric(namespace, metric["Name"], dimensions, float(value), metric.get("Unit", "None"), at)
