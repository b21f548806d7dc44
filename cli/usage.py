"""What a platform has used, as its logs, histories and archive tell: what the bill is reckoned from."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openbell.codec import from_json
from openbell.config import PlatformConfig
from openbell.costs import Recorded
from openbell.errors import ConfigError, InvalidInput
from openbell.forecasts import WorkList, spec_id, work_list_key
from openbell.model import Run
from openbell.ports import Archive
from openbell.runs import RunInputs, inputs_key
from openbell.strategies import build_strategies

if TYPE_CHECKING:
    from cli.platform import Platform

_REPORT = re.compile(r"REPORT .*?Duration: ([\d.]+) ms.*?Memory Size: (\d+) MB")
_BILLED = re.compile(r"Billed Duration: ([\d.]+) ms")
_INIT = re.compile(r"Init Duration: ([\d.]+) ms")
_FUNCTION = re.compile(r"([A-Z]\w*Function)")


@dataclass(frozen=True)
class Forecasted:
    """How many tickers a run was to forecast: in all, and for each strategy that wanted them."""

    tickers: int
    by_strategy: Mapping[str, int]


def read_usage(platform: "Platform", runs: Sequence[Run], forecasts: Sequence[Forecasted]) -> Recorded:
    """What the ticks in the logs, and of the workflow these runs, have used; InvalidInput if no tick is recorded."""
    gb_seconds: defaultdict[str, float] = defaultdict(float)
    invocations: Counter[str] = Counter()
    for function, seconds in _reports(platform):
        gb_seconds[function] += seconds
        invocations[function] += 1
    if not invocations["OpenRunFunction"]:
        raise InvalidInput("no tick is recorded in the functions' logs yet: there is nothing to reckon from")
    histories = [history for run in runs if (history := platform.history(run.execution))]
    cloudwatch = platform.client("cloudwatch")
    return Recorded(
        ticks=invocations["OpenRunFunction"],
        gb_seconds=gb_seconds,
        invocations=invocations,
        histories=len(histories),
        transitions=sum(map(_transitions, histories)),
        batches=sum(_entered(history, "Forecast") for history in histories),
        orders=sum(_entered(history, "ExecuteSell") + _entered(history, "ExecuteBuy") for history in histories),
        forecasting=len(forecasts),
        tickers=sum(found.tickers for found in forecasts) / len(forecasts) if forecasts else 0.0,
        log_bytes=_log_bytes(platform),
        metrics=len(set(_metrics(cloudwatch))),
        alarms=sum(map(_watched, _alarms(cloudwatch, platform.place.stack))),
        dashboards=1,
    )


def _pages(client: Any, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    yield from client.get_paginator(operation).paginate(**arguments)


def _reports(platform: "Platform") -> Iterator[tuple[str, float]]:
    """Function (name in the template) and GB-seconds of every invocation that is in the logs still."""
    group = platform.outputs["FunctionLogsName"]
    wanted = {"logGroupName": group, "filterPattern": '"REPORT RequestId"'}
    for page in _pages(platform.client("logs"), "filter_log_events", **wanted):
        for event in page["events"]:
            function, report = _FUNCTION.search(event["logStreamName"]), _REPORT.search(event["message"])
            if function and report:
                yield function[1], billed_ms(event["message"]) / 1000 * int(report[2]) / 1024


def billed_ms(report: str) -> float:
    """What Lambda bills by its REPORT line; the start of a process is part of it."""
    if billed := _BILLED.search(report):
        return float(billed[1])
    ran, started = _REPORT.search(report), _INIT.search(report)
    return (float(ran[1]) if ran else 0.0) + (float(started[1]) if started else 0.0)


def _transitions(history: Sequence[Mapping[str, Any]]) -> int:
    """States entered, and tasks tried again."""
    kinds = Counter(str(event["type"]) for event in history)
    entered = sum(number for kind, number in kinds.items() if kind.endswith("StateEntered"))
    return entered + kinds["TaskScheduled"] - kinds["TaskStateEntered"]


def _entered(history: Sequence[Mapping[str, Any]], state: str) -> int:
    return sum(event.get("stateEnteredEventDetails", {}).get("name") == state for event in history)


def _log_bytes(platform: "Platform") -> int:
    groups = _pages(
        platform.client("logs"), "describe_log_groups", logGroupNamePrefix=platform.outputs["FunctionLogsName"]
    )
    return sum(int(group.get("storedBytes", 0)) for page in groups for group in page["logGroups"])


def _metrics(cloudwatch: Any) -> Iterator[tuple[str, ...]]:
    """Name and dimensions of each; the local cloud lists a metric as often as it was measured."""
    for page in _pages(cloudwatch, "list_metrics", Namespace="Openbell"):
        for metric in page["Metrics"]:
            yield (metric["MetricName"], *sorted(f"{pair['Name']}={pair['Value']}" for pair in metric["Dimensions"]))


def _alarms(cloudwatch: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    for page in _pages(cloudwatch, "describe_alarms", AlarmNamePrefix=f"{stack}-"):
        yield from page["MetricAlarms"]


def _watched(alarm: Mapping[str, Any]) -> int:
    """Metrics that an alarm is paid for."""
    return sum("MetricStat" in query for query in alarm.get("Metrics", [])) or 1


def read_forecasts(runs: Sequence[Run], archive: Archive) -> list[Forecasted]:
    """Of every run that came to forecast something."""
    found = (_forecasted(run, archive) for run in runs)
    return [each for each in found if each and each.tickers]


def _forecasted(run: Run, archive: Archive) -> Forecasted | None:
    try:
        inputs = from_json(RunInputs, archive.get(inputs_key(run.run_id)))
        work = from_json(WorkList, archive.get(work_list_key(run.run_id)))
    except KeyError:
        return None
    by_spec: Counter[str] = Counter()
    for batch in work.batches:
        by_spec[batch.spec] += len(batch.tickers)
    specs = {name: spec_id(inputs.config.strategies[name].forecast) for name in _forecasting(inputs.config, run)}
    return Forecasted(by_spec.total(), {name: by_spec[spec] for name, spec in specs.items()})


def _forecasting(config: PlatformConfig, run: Run) -> Sequence[str]:
    """The strategies that want forecasts; all of the run's if their code is not to be found here."""
    try:
        built = build_strategies(config)
    except ConfigError:
        return run.strategies
    return [name for name in run.strategies if built[name].needs_forecasts]
