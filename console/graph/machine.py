"""A state machine in the Amazon States Language as a road with turn-offs: what a drawing of it needs to know."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

type Machine = Mapping[str, Any]  # the parsed ASL

_ANY_ERROR = "States.ALL"


@dataclass(frozen=True)
class Transition:
    """A way from one state to another; on an error of these names, if there are any."""

    source: str
    target: str
    errors: tuple[str, ...] = ()

    @property
    def on_any_error(self) -> bool:
        """Whether every error takes this way."""
        return _ANY_ERROR in self.errors


@dataclass(frozen=True)
class Course:
    """The states of a machine by their place in the story; each is in exactly one of the four."""

    road: tuple[str, ...]  # what happens when all goes well, from the first state to the last
    lane: tuple[str, ...]  # what follows an error that nothing else catches
    beside: Mapping[str, int]  # every other state, with the index in the road of the state that it is reached from
    below: Mapping[str, str]  # what only the lane leads to, with the state of the lane that it is reached from
    transitions: tuple[Transition, ...]

    def from_state(self, name: str) -> tuple[Transition, ...]:
        """All ways that begin at a state."""
        return tuple(way for way in self.transitions if way.source == name)

    def way(self, source: str, target: str) -> Transition | None:
        """The way between two states, the one without an error if there is one; None if there is none."""
        ways = [way for way in self.transitions if (way.source, way.target) == (source, target)]
        return min(ways, key=lambda way: bool(way.errors), default=None)


def read_course(machine: Machine) -> Course:
    """The course of `machine`, whose choices go on along the road with their first rule."""
    states, transitions = machine["States"], tuple(_transitions(machine["States"]))
    road = _chain(states, machine["StartAt"])
    caught = Counter(way.target for way in transitions if way.on_any_error and way.source in road)
    lane = _chain(states, caught.most_common(1)[0][0]) if caught else ()
    lane = tuple(name for name in lane if name not in road)
    placed = {*road, *lane}
    below = {way.target: way.source for way in transitions if way.source in lane and way.target not in placed}
    beside = {name: _reached_from(name, road, transitions) for name in states if name not in {*placed, *below}}
    return Course(road, lane, beside, below, transitions)


def _transitions(states: Mapping[str, Any]) -> Iterator[Transition]:
    for name, state in states.items():
        onward = [state.get("Next"), *(rule["Next"] for rule in state.get("Choices", ())), state.get("Default")]
        for target in dict.fromkeys(filter(None, onward)):
            yield Transition(name, target)
        for catch in state.get("Catch", ()):
            yield Transition(name, catch["Next"], tuple(catch["ErrorEquals"]))


def _chain(states: Mapping[str, Any], start: str) -> tuple[str, ...]:
    chain: list[str] = []
    name: str | None = start
    while name and name not in chain:
        chain.append(name)
        state = states[name]
        name = state.get("Next") or next((rule["Next"] for rule in state.get("Choices", ())), None)
    return tuple(chain)


def _reached_from(name: str, road: tuple[str, ...], transitions: tuple[Transition, ...]) -> int:
    """Index of the first state of the road that leads to `name`; the last one's if none does."""
    sources = [road.index(way.source) for way in transitions if way.target == name and way.source in road]
    return min(sources, default=len(road) - 1)
