"""The state machine of statemachine/trading.asl.json, played in this process: retries, catches and all.

Only what that file uses is known here; anything else is refused, so that a new construct cannot pass unplayed.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[2] / "statemachine" / "trading.asl.json"
_FUNCTION = re.compile(r"\$\{(\w+)FunctionArn\}")
_PUBLISH = "arn:aws:states:::sns:publish"

type Json = Any


class TaskFailed(Exception):
    """A task ended with an error that has a name."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class Aborted(Exception):
    """Somebody stopped the execution: no Catch sees it."""


@dataclass(frozen=True)
class Ended:
    """How an execution ended: SUCCEEDED or FAILED, in which state, and why."""

    status: str
    state: str
    error: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Outer:
    """What the machine is connected to."""

    invoke: Callable[[str, str, Json], Json]  # state, function, payload; raises TaskFailed or Aborted
    publish: Callable[[str, str], None]  # subject, message; raises TaskFailed or Aborted
    wait: Callable[[float], object]  # the seconds of a Wait state
    back_off: Callable[[float], object]  # the seconds before a retry


@cache
def definition() -> Mapping[str, Json]:
    """The state machine as it is deployed."""
    found: Mapping[str, Json] = json.loads(_FILE.read_text())
    return found


def play(outer: Outer, name: str, given: Json, machine: Mapping[str, Json] | None = None) -> Ended:
    """One execution, from start to end; Aborted passes through."""
    context = {"Execution": {"Name": name, "Id": f"arn:{name}", "Input": given}}
    return _Player(outer, context).states(machine or definition(), given)[0]


class _Player:
    def __init__(self, outer: Outer, context: Mapping[str, Json]) -> None:
        self._outer = outer
        self._context = context

    def states(self, machine: Mapping[str, Json], data: Json) -> tuple[Ended, Json]:
        """The machine's states from the first to the last; gives the output too."""
        name = machine["StartAt"]
        while True:
            state = machine["States"][name]
            if state["Type"] == "Fail":
                error, cause = (str(self._find(state[key], data)) for key in ("ErrorPath", "CausePath"))
                return Ended("FAILED", name, error, cause), None
            following, data = self._enter(name, state, data)
            if not following:
                return Ended("SUCCEEDED", name), data
            name = following

    def _enter(self, name: str, state: Mapping[str, Json], data: Json) -> tuple[str, Json]:
        """The next state's name (empty at the end) and its input."""
        match state["Type"]:
            case "Succeed":
                return "", data
            case "Choice":
                return self._choose(state, data), data
            case "Wait":
                self._outer.wait(self._find(state["SecondsPath"], data))
                return state["Next"], data
            case "Pass":
                filled = self._fill(state["Parameters"], data)
                return state.get("Next", ""), _put(data, state.get("ResultPath", "$"), filled)
            case "Task" | "Map" as kind:
                work = self._task if kind == "Task" else self._map
                return self._guarded(name, state, data, work)
        raise NotImplementedError(f"state {name}: type {state['Type']} is not played here")

    def _choose(self, state: Mapping[str, Json], data: Json) -> str:
        for choice in state["Choices"]:
            if self._find(choice["Variable"], data) is choice["BooleanEquals"]:
                return str(choice["Next"])
        return str(state["Default"])

    def _guarded(
        self,
        name: str,
        state: Mapping[str, Json],
        data: Json,
        work: Callable[[str, Mapping[str, Json], Json], Json],
    ) -> tuple[str, Json]:
        """The work with its Retry and its Catch."""
        used = [0] * len(state.get("Retry", ()))
        while True:
            try:
                result = work(name, state, data)
            except TaskFailed as failed:
                if self._retried(state, failed, used):
                    continue
                catch = next((c for c in state.get("Catch", ()) if _matches(c["ErrorEquals"], failed.error)), None)
                if catch is None:
                    raise
                told = {"Error": failed.error, "Cause": failed.cause}
                return catch["Next"], _put(data, catch["ResultPath"], told)
            selected = self._fill(state["ResultSelector"], result) if "ResultSelector" in state else result
            return state.get("Next", ""), _put(data, state["ResultPath"], selected)

    def _retried(self, state: Mapping[str, Json], failed: TaskFailed, used: list[int]) -> bool:
        for index, retry in enumerate(state.get("Retry", ())):
            if _matches(retry["ErrorEquals"], failed.error):
                if used[index] >= retry["MaxAttempts"]:
                    return False
                seconds = min(retry["IntervalSeconds"] * retry["BackoffRate"] ** used[index], retry["MaxDelaySeconds"])
                used[index] += 1
                self._outer.back_off(seconds)
                return True
        return False

    def _task(self, name: str, state: Mapping[str, Json], data: Json) -> Json:
        given = self._fill(state["Parameters"], data)
        if state["Resource"] == _PUBLISH:
            self._outer.publish(given["Subject"], given["Message"])
            return {}
        (function,) = _FUNCTION.findall(given["FunctionName"])
        return {"Payload": self._outer.invoke(name, function, given["Payload"])}

    def _map(self, name: str, state: Mapping[str, Json], data: Json) -> Json:
        """One item after the other, however many may run at once."""
        results = []
        for item in self._find(state["ItemsPath"], data):
            inner = _Player(self._outer, {**self._context, "Map": {"Item": {"Value": item}}})
            ended, output = inner.states(state["ItemProcessor"], inner._fill(state["ItemSelector"], data))
            if ended.status == "FAILED":
                raise TaskFailed(ended.error, ended.cause)
            results.append(output)
        return results

    def _fill(self, template: Json, data: Json) -> Json:
        """A template with its `.$` fields filled in."""
        if isinstance(template, dict):
            return {
                key.removesuffix(".$"): self._find(value, data) if key.endswith(".$") else self._fill(value, data)
                for key, value in template.items()
            }
        return template

    def _find(self, path: str, data: Json) -> Json:
        if path.startswith("States.Format("):
            text, *arguments = re.findall(r"'((?:[^'\\]|\\.)*)'|(\$[\w.$]*)", path)
            return text[0].format(*(self._find(argument[1], data) for argument in arguments))
        source, steps = (self._context, path[2:]) if path.startswith("$$") else (data, path[1:])
        for step in steps.split(".")[1:]:
            source = source[step]
        return source


def _matches(names: list[str], error: str) -> bool:
    return error in names or "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")


def _put(data: Json, path: str, value: Json) -> Json:
    if path == "$":
        return value
    _, name = path.split(".")
    return {**data, name: value}
