"""Boxes and arrows: the road downwards, turn-offs beside it, the lane of errors below. Units are CSS pixels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from cli.formats import count, seconds
from cli.workflow import Story, Visit
from console.graph.machine import Course, Transition

WIDTH = 384
_BOX, _ROW, _TOP = 42, 62, 6  # height of a box, distance of two rows, margin
_RAIL = 18  # where errors run down
_ROAD_X, _ROAD_WIDTH = 42, 178
_SIDE_X, _SIDE_WIDTH = 248, 130
_LANE_GAP, _LANE_HEAD = 12, 30
_EDGE = 6  # left and right margin of the lane


class Mark(StrEnum):
    """How a state stands in the execution that is shown."""

    AHEAD = "ahead"  # not visited
    RUNNING = "running"
    DONE = "done"
    RETRIED = "retried"  # done, but an attempt had failed
    FAILED = "failed"


@dataclass(frozen=True)
class Node:
    """A state in its box."""

    name: str
    kind: str  # Task, Map, ...; lower case
    mark: Mark
    detail: str
    x: float
    y: float
    width: float
    height: float = _BOX

    @property
    def middle(self) -> float:
        """Vertical centre."""
        return self.y + self.height / 2

    @property
    def right(self) -> float:
        """Right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.y + self.height


@dataclass(frozen=True)
class Edge:
    """A line along `path` (SVG path data); it ends in an arrow unless it joins another line."""

    source: str
    target: str
    path: str
    error: bool
    taken: bool

    @property
    def joins(self) -> bool:
        """Whether it ends at another line."""
        return "V" not in self.path and self.path.endswith(f"H{_RAIL}")


@dataclass(frozen=True)
class Graph:
    """The drawing, and what it says in words."""

    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]  # those that were taken last, so that they lie on top
    lane: Node | None  # the first box of the lane of errors
    description: str
    width: float = WIDTH


def draw(course: Course, kinds: Mapping[str, str], story: Story) -> Graph:
    """The drawing of `course`, coloured by `story`; `kinds` has the type of every state."""
    nodes = {node.name: node for node in _nodes(course, kinds, story)}
    taken = {(before.state, after.state) for before, after in pairwise(story.visits)}
    edges = [*_rail(course, nodes), *(_edge(way, course, nodes, taken) for way in _distinct(course.transitions))]
    return Graph(
        height=max(node.bottom for node in nodes.values()) + _TOP,
        nodes=tuple(nodes.values()),
        edges=tuple(sorted(edges, key=lambda edge: edge.taken)),
        lane=nodes[course.lane[0]] if course.lane else None,
        description=_description(story),
    )


def _rail(course: Course, nodes: Mapping[str, Node]) -> Iterator[Edge]:
    """What all ways into the lane share, drawn once."""
    first = next((name for name in course.road if any(_falls(way, course) for way in course.from_state(name))), None)
    if first:
        path = f"M{_RAIL} {nodes[first].middle:g}V{nodes[course.lane[0]].y:g}"
        yield Edge(first, course.lane[0], path, error=True, taken=False)


def _falls(way: Transition, course: Course) -> bool:
    """Whether the way leads into the lane from outside."""
    return way.target in course.lane and way.source not in course.lane


def _edge(way: Transition, course: Course, nodes: Mapping[str, Node], taken: set[tuple[str, str]]) -> Edge:
    passed, source = (way.source, way.target) in taken, nodes[way.source]
    if _falls(way, course):
        onward = f"V{nodes[way.target].y:g}" if passed else ""
        path = f"M{source.x:g} {source.middle:g}H{_RAIL}{onward}"
    else:
        path = _path(source, nodes[way.target])
    return Edge(way.source, way.target, path, error=bool(way.errors), taken=passed)


def _distinct(ways: tuple[Transition, ...]) -> Iterator[Transition]:
    """One way for each pair of states."""
    seen: set[tuple[str, str]] = set()
    for way in ways:
        if (way.source, way.target) not in seen:
            seen.add((way.source, way.target))
            yield way


def _nodes(course: Course, kinds: Mapping[str, str], story: Story) -> Iterator[Node]:
    for name, (x, y, width) in _places(course).items():
        visits = [visit for visit in story.visits if visit.state == name]
        yield Node(
            name, kinds[name].lower(), _mark(name, course, kinds, story), _detail(kinds[name], visits), x, y, width
        )


def _places(course: Course) -> dict[str, tuple[float, float, float]]:
    """Left, top and width of every box."""
    places: dict[str, tuple[float, float, float]] = {}
    for row, name in enumerate(course.road):
        places[name] = (_ROAD_X, _TOP + row * _ROW, _ROAD_WIDTH)
    rows: set[int] = set()
    for name, wanted in course.beside.items():
        row = next(row for row in range(wanted, wanted + len(course.beside) + 1) if row not in rows)
        rows.add(row)
        places[name] = (_SIDE_X, _TOP + row * _ROW, _SIDE_WIDTH)
    below = max(y for _, y, _ in places.values()) + _BOX + _LANE_HEAD
    width = (WIDTH - 2 * _EDGE + _LANE_GAP) / max(len(course.lane), 1) - _LANE_GAP
    for index, name in enumerate(course.lane):
        places[name] = (_EDGE + index * (width + _LANE_GAP), below, width)
    for name, source in course.below.items():
        places[name] = (places[source][0], below + _ROW, width)
    return places


def _mark(name: str, course: Course, kinds: Mapping[str, str], story: Story) -> Mark:
    visits = [index for index, visit in enumerate(story.visits) if visit.state == name]
    if not visits:
        return Mark.AHEAD
    if story.visits[visits[-1]].left is None and not story.ended:
        return Mark.RUNNING
    if kinds[name] == "Fail":
        return Mark.FAILED
    left_by = course.way(name, _next_state(story, visits[-1]))
    if left_by is None:  # the execution ended here
        return Mark.DONE if story.status == "SUCCEEDED" else Mark.FAILED
    if left_by.errors:
        return Mark.FAILED if left_by.on_any_error else Mark.DONE
    return Mark.RETRIED if any(story.visits[index].failures for index in visits) else Mark.DONE


def _next_state(story: Story, index: int) -> str:
    return story.visits[index + 1].state if index + 1 < len(story.visits) else ""


def _detail(kind: str, visits: list[Visit]) -> str:
    """Time and number of items."""
    if not visits:
        return "not visited"
    parts = [] if kind in {"Choice", "Succeed", "Fail"} else [seconds(sum(visit.seconds for visit in visits))]
    if len(visits) > 1:
        parts.append(f"{len(visits)} times")
    if items := sum(visit.items for visit in visits):
        parts.append(count(items, "item"))
    return " · ".join(parts) or {"Choice": "decided", "Succeed": "the end", "Fail": "the end"}[kind]


def _path(source: Node, target: Node) -> str:
    """The arrow's line, by where its two boxes are."""
    if source.y == target.y:
        return f"M{source.right:g} {source.middle:g}H{target.x:g}"
    if source.x == target.x:
        return f"M{source.x + source.width / 2:g} {source.bottom:g}V{target.y:g}"
    if source.x > target.x:  # back to the road
        return f"M{source.x + source.width / 2:g} {source.y:g}V{target.middle:g}H{target.right:g}"
    end = target.y if source.y < target.y else target.bottom
    return f"M{source.right:g} {source.middle:g}H{target.x + target.width / 2:g}V{end:g}"


def _description(story: Story) -> str:
    if not story.visits:
        return "The workflow: this execution's history is not known"
    states = list(dict.fromkeys(visit.state for visit in story.visits))
    return f"The workflow: the execution is {story.status}, and passed {', '.join(states)}"
