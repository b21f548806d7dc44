"""EventBridge: executions tell how they end, and rules deliver to workflows, functions, topics and queues."""

import copy
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from moto.events.models import Rule, events_backends
from moto.stepfunctions.parser.backend.execution import Execution

from local.account import ACCOUNT_ID, REGION, Clients
from local.failures import Failures
from local.patching import replaced

type Event = Mapping[str, Any]


def status_change(execution: Execution) -> dict[str, Any]:
    """The PutEvents entry that Step Functions sends when an execution's status changes."""
    detail = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date),
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "output": json.dumps(execution.output) if execution.status == "SUCCEEDED" else None,
        "error": execution.error,
        "cause": execution.cause,
    }
    return {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Resources": [execution.exec_arn],
        "Detail": json.dumps(detail),
    }


def _milliseconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)


def put_event(entry: Mapping[str, Any]) -> None:
    """Put one event on the default bus."""
    events_backends[ACCOUNT_ID][REGION].put_events([dict(entry)])


@contextmanager
def rules_deliver(clients: Clients, failures: Failures) -> Iterator[None]:
    """Rules send to all their targets inside the block.

    Stock raises for workflows, functions and topics, and sends every event to rules that have only a schedule.
    """
    send_stock = Rule.send_to_targets

    def send_to_targets(self: Rule, original_event: Event, transform_input: bool = True) -> None:
        if self.state != "ENABLED" or not self.event_pattern.get_pattern():
            return
        if not self.event_pattern.matches_event(original_event):
            return
        rest = copy.copy(self)
        rest.targets = [target for target in self.targets if _service(target) not in _DELIVERIES]
        if rest.targets:
            send_stock(rest, original_event, transform_input)
        for target in self.targets:
            if _service(target) in _DELIVERIES:
                _deliver(self, target, _as_sent(original_event), clients, failures)

    with replaced(Rule, "send_to_targets", send_to_targets):
        yield


def _service(target: Mapping[str, Any]) -> str:
    return str(target["Arn"]).split(":")[2]


def _as_sent(event: Event) -> dict[str, Any]:
    at = event["time"]
    if isinstance(at, int | float):
        at = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {name: value for name, value in event.items() if name != "ingestion-time"} | {"time": at}


def _deliver(rule: Rule, target: Mapping[str, Any], event: Event, clients: Clients, failures: Failures) -> None:
    try:
        _DELIVERIES[_service(target)](clients, target["Arn"], target_input(target, event, rule.arn, rule.name))
    except Exception as error:
        failures.add(f"rule {rule.name}, target {target['Arn']}", error)


def target_input(target: Mapping[str, Any], event: Event, rule_arn: str, rule_name: str) -> str:
    """What the target gets: the whole event, a constant, a part, or what its InputTransformer makes."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(event, target["InputPath"]))
    if "InputTransformer" not in target:
        return json.dumps(event)
    transformer = target["InputTransformer"]
    values = {name: _at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.event": event,
        "aws.events.event.json": event,
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
    }
    return _rendered(transformer["InputTemplate"], values)


def _at(event: Event, path: str) -> Any:
    """The value at a path such as $.detail.name; None if there is none."""
    found: Any = event
    for name in path.removeprefix("$").strip(".").split(".") if path != "$" else ():
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _rendered(template: str, values: Mapping[str, Any]) -> str:
    """`template` with each <name> replaced: bare inside quotes, as JSON outside."""

    def value_of(found: re.Match[str]) -> str:
        if found[1] not in values:
            return found[0]
        value = values[found[1]]
        if not _is_quoted(template, found.start()):
            return json.dumps(value)
        text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
        return json.dumps(text)[1:-1]

    return re.sub(r"<([\w.-]+)>", value_of, template)


def _is_quoted(text: str, position: int) -> bool:
    return len(re.findall(r'(?<!\\)"', text[:position])) % 2 == 1


def _start_workflow(clients: Clients, arn: str, text: str) -> None:
    clients.get("stepfunctions").start_execution(stateMachineArn=arn, name=str(uuid.uuid4()), input=text)


def _invoke_function(clients: Clients, arn: str, text: str) -> None:
    clients.get("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())


def _publish(clients: Clients, arn: str, text: str) -> None:
    clients.get("sns").publish(TopicArn=arn, Message=text)


def _send(clients: Clients, arn: str, text: str) -> None:
    sqs = clients.get("sqs")
    url = sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=text)


_DELIVERIES: dict[str, Callable[[Clients, str, str], None]] = {
    "states": _start_workflow,
    "lambda": _invoke_function,
    "sns": _publish,
    "sqs": _send,
}
