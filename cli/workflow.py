"""What an execution's history says: which states ran, how long each took, and how it ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from openbell.errors import message_of

Event = Mapping[str, Any]  # one event as GetExecutionHistory gives it

_ENDS = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}
_FAILURES = ("taskFailedEventDetails", "lambdaFunctionFailedEventDetails", "taskTimedOutEventDetails")


@dataclass(frozen=True)
class Visit:
    """One stay in one top-level state of the workflow."""

    state: str
    kind: str  # Task, Map, Choice, Wait, ...
    entered: datetime
    left: datetime | None = None
    items: int = 0  # iterations of a Map
    items_done: int = 0
    failures: tuple[str, ...] = ()  # "Error: cause" of attempts that failed

    @property
    def seconds(self) -> float:
        """How long the stay took; 0 while it lasts."""
        return (self.left - self.entered).total_seconds() if self.left else 0.0


@dataclass(frozen=True)
class Story:
    """The execution so far."""

    visits: tuple[Visit, ...] = ()
    status: str = "RUNNING"
    error: str = ""
    cause: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status != "RUNNING"

    @property
    def current(self) -> Visit | None:
        """The state that the execution is in."""
        return self.visits[-1] if self.visits and self.visits[-1].left is None else None

    @property
    def seconds(self) -> float:
        """From the first state's entry to the last state's exit."""
        if not self.visits:
            return 0.0
        return ((self.visits[-1].left or self.visits[-1].entered) - self.visits[0].entered).total_seconds()


@dataclass
class _Reader:
    top_level: frozenset[str]
    visits: list[Visit] = field(default_factory=list)
    end: Story = field(default_factory=Story)

    def take(self, event: Event) -> None:
        kind, at = str(event["type"]), event["timestamp"]
        if kind.endswith("StateEntered"):
            self._enter(str(event["stateEnteredEventDetails"]["name"]), kind.removesuffix("StateEntered"), at)
        elif kind.endswith("StateExited"):
            self._leave(str(event["stateExitedEventDetails"]["name"]), at)
        elif kind == "MapStateStarted":
            self._change(items=int(event["mapStateStartedEventDetails"]["length"]))
        elif kind in {"MapIterationSucceeded", "MapIterationFailed"}:
            self._change(items_done=self.visits[-1].items_done + 1)
        elif kind in {"TaskFailed", "LambdaFunctionFailed", "TaskTimedOut"}:
            self._change(failures=(*self.visits[-1].failures, _failure(event)))
        elif kind in _ENDS:
            self._finish(kind, event, at)

    def _enter(self, name: str, kind: str, at: datetime) -> None:
        if name not in self.top_level:
            return
        self._leave_current(at)  # a state that fails is not exited: the next one's entry ends it
        self.visits.append(Visit(name, kind, at))

    def _leave(self, name: str, at: datetime) -> None:
        if name in self.top_level:
            self._leave_current(at)

    def _leave_current(self, at: datetime) -> None:
        if self.visits and self.visits[-1].left is None:
            self._change(left=at)

    def _change(self, **fields: Any) -> None:
        if self.visits:
            self.visits[-1] = replace(self.visits[-1], **fields)

    def _finish(self, kind: str, event: Event, at: datetime) -> None:
        self._leave_current(at)
        details = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails") or {}
        self.end = Story(status=_ENDS[kind], error=details.get("error", ""), cause=details.get("cause", ""))


def read_story(events: Iterable[Event], top_level: Iterable[str]) -> Story:
    """The story told by `events` (oldest first); `top_level` names the workflow's own states.

    States inside a Map are counted as its items, not as visits.
    """
    reader = _Reader(frozenset(top_level))
    for event in events:
        reader.take(event)
    return replace(reader.end, visits=tuple(reader.visits))


def _failure(event: Event) -> str:
    details: Mapping[str, Any] = next((event[name] for name in _FAILURES if name in event), {})
    return f"{details.get('error', 'Error')}: {message_of(details.get('cause', 'no cause given'))}"
