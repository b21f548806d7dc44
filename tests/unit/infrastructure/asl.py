"""A reader of Amazon States Language that objects to what a typing mistake would silently disable.

cfn-lint does not follow DefinitionUri, and lets a misspelt `MaxDelaySecondz` pass.
"""

from collections.abc import Iterator
from typing import Any

_MACHINE = {"Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage"}
_ANY = {"Type", "Comment"}
_FLOW = _ANY | {"Next", "End", "InputPath", "OutputPath"}
_WORK = _FLOW | {"ResultSelector", "ResultPath", "Retry", "Catch"}
_KEYS = {
    "Task": _FLOW
    | {
        "Resource",
        "TimeoutSeconds",
        "HeartbeatSeconds",
        "Parameters",
        "ResultSelector",
        "ResultPath",
        "Retry",
        "Catch",
    },
    "Map": _FLOW
    | {
        "ItemsPath",
        "MaxConcurrency",
        "ItemSelector",
        "ItemProcessor",
        "ResultSelector",
        "ResultPath",
        "Retry",
        "Catch",
    },
    "Pass": _FLOW | {"Parameters", "Result", "ResultPath"},
    "Wait": _FLOW | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Choice": _ANY | {"Choices", "Default", "InputPath", "OutputPath"},
    "Succeed": _ANY | {"InputPath", "OutputPath"},
    "Fail": _ANY | {"Error", "Cause", "ErrorPath", "CausePath"},
}
_NEEDED = {
    "Task": {"Resource", "TimeoutSeconds"},
    "Map": {"ItemsPath", "ItemProcessor", "MaxConcurrency"},
    "Choice": {"Choices", "Default"},
}
_OVER_AN_OBJECT = {  # of a Map that is distributed
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "MaxConcurrencyPath",
    "ToleratedFailurePercentagePath",
}
_READER = {"Resource", "ReaderConfig", "Parameters"}
_BATCHER = {"MaxItemsPerBatchPath", "BatchInput"}
_RULE = {"Variable", "BooleanEquals", "Next"}
_CATCHER = {"ErrorEquals", "ResultPath", "Next", "Comment"}
_RETRIER = {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"}
_TEMPLATES = {"Parameters", "ItemSelector", "ResultSelector"}

type State = dict[str, Any]


def walk(machine: dict[str, Any]) -> Iterator[tuple[str, State, bool]]:
    """Name, state and whether it is an outer one, for every state, those inside Maps included."""
    yield from _walk(machine["States"], outer=True)


def _walk(states: dict[str, State], *, outer: bool) -> Iterator[tuple[str, State, bool]]:
    for name, state in states.items():
        yield name, state, outer
        if inner := state.get("ItemProcessor"):
            yield from _walk(inner["States"], outer=False)


def problems(machine: dict[str, Any]) -> list[str]:
    """What is wrong with a machine, one sentence each; empty if nothing is."""
    found = [f"the machine has an unknown key {key}" for key in machine.keys() - _MACHINE]
    found += _flow_problems(machine)
    for name, state, _ in walk(machine):
        found += [f"{name}: {problem}" for problem in _state_problems(state)]
        if inner := state.get("ItemProcessor"):
            found += [f"{name}: {problem}" for problem in _flow_problems(inner)]
    return found


def targets(state: State) -> set[str]:
    """Where a state may lead to."""
    ways = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {way["Next"] for way in ways if "Next" in way} | ({state["Default"]} if "Default" in state else set())


def _flow_problems(scope: dict[str, Any]) -> Iterator[str]:
    states, todo, reached = scope["States"], [scope["StartAt"]], set()
    while todo:
        name = todo.pop()
        if name not in states:
            yield f"{name} is led to but is no state of this scope"
        elif name not in reached:
            reached.add(name)
            todo += targets(states[name])
    for name in states.keys() - reached:
        yield f"{name} can never be reached"


def _state_problems(state: State) -> Iterator[str]:
    kind = state.get("Type", "missing")
    if kind not in _KEYS:
        yield f"unknown Type {kind}"
        return
    yield from _key_problems(state, kind)
    if "Next" in _KEYS[kind] and ("Next" in state) == (state.get("End") is True):
        yield "needs either Next or End: true"
    for key in _TEMPLATES & state.keys():
        yield from _template_problems(state[key], key)
    yield from _rule_problems(state)
    yield from _handler_problems(state)


def _key_problems(state: State, kind: str) -> Iterator[str]:
    known, needed = _KEYS[kind], _NEEDED.get(kind, set())
    if state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
        known = (known | _OVER_AN_OBJECT) - {"ItemsPath", "MaxConcurrency"}
        needed = {"ItemProcessor"} | _OVER_AN_OBJECT
        for part, keys in (("ItemReader", _READER), ("ItemBatcher", _BATCHER), ("ResultWriter", _READER)):
            yield from (f"{part} has no {key}" for key in state.get(part, {}).keys() - keys)
            for template in ("Parameters", "BatchInput"):
                yield from _template_problems(state.get(part, {}).get(template), part)
    for key in state.keys() - known:
        yield f"a {kind} has no {key}"
    for key in needed - state.keys():
        yield f"a {kind} needs {key}"


def _template_problems(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, entry in value.items():
            if isinstance(entry, str) and entry.startswith(("$", "States.")) and not entry.startswith("${"):
                if not key.endswith(".$"):
                    yield f"{where}: {key} would be sent as the text {entry}: its name must end in .$"
            elif key.endswith(".$"):
                yield f"{where}: {key} promises a path but holds {entry}"
            yield from _template_problems(entry, where)


def _rule_problems(state: State) -> Iterator[str]:
    for rule in state.get("Choices", []):
        if rule.keys() != _RULE:
            yield f"a choice is made of {sorted(_RULE)}, not of {sorted(rule)}"


def _handler_problems(state: State) -> Iterator[str]:
    for catcher in state.get("Catch", []):
        if extra := catcher.keys() - _CATCHER:
            yield f"Catch has unknown keys {sorted(extra)}"
        if "ResultPath" not in catcher:
            yield "a Catch without ResultPath would replace all that the execution knows"
    for retrier in state.get("Retry", []):
        yield from _retrier_problems(retrier)
    for block in ("Retry", "Catch"):
        for position, handler in enumerate(state.get(block, []), start=1):
            if "States.ALL" in handler["ErrorEquals"] and (
                len(handler["ErrorEquals"]) > 1 or position < len(state[block])
            ):
                yield f"{block}: States.ALL must stand alone and last"


def _retrier_problems(retrier: dict[str, Any]) -> Iterator[str]:
    if retrier.keys() != _RETRIER:
        yield f"Retry must spell out {sorted(_RETRIER)}; it has {sorted(retrier)}"
        return
    if not 1 <= retrier["IntervalSeconds"] <= retrier["MaxDelaySeconds"] <= 60:
        yield "Retry: 1 <= IntervalSeconds <= MaxDelaySeconds <= 60 must hold"
    if not 1 <= retrier["MaxAttempts"] <= 10:
        yield "Retry: MaxAttempts must lie between 1 and 10"
    if not 1 <= retrier["BackoffRate"] <= 3:
        yield "Retry: BackoffRate must lie between 1 and 3"
    if retrier["JitterStrategy"] != "FULL":
        yield "Retry: JitterStrategy must be FULL, so that parallel states do not return together"
