"""The drawing of the workflow: every state and every way, coloured by what happened."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from cli.places import STATE_MACHINE
from cli.workflow import Story, Visit
from console.graph import Graph, draw, read_course
from console.graph.drawing import Mark, Node
from tests.builders import AS_OF

MACHINE: dict[str, Any] = json.loads(STATE_MACHINE.read_text())
KINDS = {name: state["Type"] for name, state in MACHINE["States"].items()}


def story(*states: str, status: str = "SUCCEEDED", failures: Mapping[str, tuple[str, ...]] | None = None) -> Story:
    """A second in each state; the last one lasts while the execution is running."""
    visits = [
        Visit(name, KINDS[name], AS_OF + timedelta(seconds=index), AS_OF + timedelta(seconds=index + 1))
        for index, name in enumerate(states)
    ]
    visits = [Visit(**(vars(visit) | {"failures": (failures or {}).get(visit.state, ())})) for visit in visits]
    if status == "RUNNING":
        visits[-1] = Visit(**(vars(visits[-1]) | {"left": None}))
    return Story(tuple(visits), status)


def drawn(told: Story) -> tuple[Graph, dict[str, Node]]:
    graph = draw(read_course(MACHINE), KINDS, told)
    return graph, {node.name: node for node in graph.nodes}


def marks(told: Story) -> dict[str, Mark]:
    """Of the states that are not ahead."""
    return {name: node.mark for name, node in drawn(told)[1].items() if node.mark is not Mark.AHEAD}


def targets(state: Mapping[str, Any]) -> set[str]:
    onward = {state.get("Next"), state.get("Default"), *(rule["Next"] for rule in state.get("Choices", []))}
    return {name for name in onward | {catch["Next"] for catch in state.get("Catch", [])} if name}


def test_every_state_is_drawn_once_inside_the_picture_and_no_two_overlap() -> None:
    graph, nodes = drawn(Story())
    assert nodes.keys() == MACHINE["States"].keys()
    assert len(graph.nodes) == len(nodes)
    for node in graph.nodes:
        assert 0 <= node.x < node.right <= graph.width
        assert 0 <= node.y < node.bottom <= graph.height
    for a, b in combinations(graph.nodes, 2):
        assert a.right <= b.x or b.right <= a.x or a.bottom <= b.y or b.bottom <= a.y, f"{a.name} lies on {b.name}"


def test_every_way_from_state_to_state_is_drawn() -> None:
    edges = {(edge.source, edge.target) for edge in drawn(Story())[0].edges}
    assert edges == {(name, target) for name, state in MACHINE["States"].items() for target in targets(state)}


def test_lines_begin_and_end_at_their_boxes() -> None:
    graph, nodes = drawn(story("OpenRun", "NotifyFailure", "AbortRun", "RunFailed", status="FAILED"))
    for edge in graph.edges:
        if edge.joins or edge.path.startswith("M18 "):  # on the rail that the errors share
            continue
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", edge.path)]
        source, target = nodes[edge.source], nodes[edge.target]
        assert source.x <= numbers[0] <= source.right
        assert source.y <= numbers[1] <= source.bottom
        end = numbers[-1]
        last_step = edge.path.rstrip("0123456789.")[-1]
        assert end in ({target.x, target.right} if last_step == "H" else {target.y, target.bottom})


def test_the_road_is_the_story_and_errors_have_a_lane() -> None:
    course = read_course(MACHINE)
    assert course.road[:4] == ("OpenRun", "RunOpened", "SelectUniverse", "ForecastTickers")
    assert course.road[-2:] == ("CloseRun", "RunCompleted")
    assert course.lane == ("NotifyFailure", "AbortRun", "RunFailed")
    assert set(course.beside) == {"RunSkipped", "WaitForSells", "WaitForBuys"}
    assert course.below == {"NobodyTold": "NotifyFailure"}


def test_a_run_that_completed_is_done_throughout() -> None:
    told = story("OpenRun", "RunOpened", "SelectUniverse", "CloseRun", "RunCompleted")
    assert set(marks(told).values()) == {Mark.DONE}


def test_nothing_to_do_is_no_failure() -> None:
    told = story("OpenRun", "RunOpened", "RunSkipped")
    assert marks(told) == {"OpenRun": Mark.DONE, "RunOpened": Mark.DONE, "RunSkipped": Mark.DONE}


def test_an_attempt_that_failed_before_one_that_did_not_is_told() -> None:
    told = story("OpenRun", "RunOpened", "SelectUniverse", failures={"OpenRun": ("BrokerUnavailable: late",)})
    assert marks(told)["OpenRun"] is Mark.RETRIED


def test_the_state_whose_error_led_to_the_lane_has_failed() -> None:
    told = story("OpenRun", "RunOpened", "SelectUniverse", "NotifyFailure", "AbortRun", "RunFailed", status="FAILED")
    assert marks(told) == {
        "OpenRun": Mark.DONE,
        "RunOpened": Mark.DONE,
        "SelectUniverse": Mark.FAILED,
        "NotifyFailure": Mark.DONE,
        "AbortRun": Mark.DONE,
        "RunFailed": Mark.FAILED,
    }
    taken = [(edge.source, edge.target) for edge in drawn(told)[0].edges if edge.taken]
    assert ("SelectUniverse", "NotifyFailure") in taken
    assert ("OpenRun", "NotifyFailure") not in taken


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
def test_a_state_in_which_the_execution_was_cut_off_has_failed(status: str) -> None:
    assert marks(story("OpenRun", "SelectUniverse", status=status))["SelectUniverse"] is Mark.FAILED


def test_the_state_that_it_is_in_is_running() -> None:
    assert marks(story("OpenRun", "SelectUniverse", status="RUNNING"))["SelectUniverse"] is Mark.RUNNING


def test_time_in_a_state_is_that_of_all_visits() -> None:
    told = story("SettleBuys", "BuysSettled", "WaitForBuys", "SettleBuys", "BuysSettled", "CloseRun")
    nodes = drawn(told)[1]
    assert nodes["SettleBuys"].detail == "2.00 s · 2 times"
    assert nodes["BuysSettled"].detail == "2 times"
    assert nodes["SubmitBuys"].detail == "not visited"


def test_what_was_taken_lies_on_top() -> None:
    taken = [edge.taken for edge in drawn(story("OpenRun", "SelectUniverse"))[0].edges]
    assert taken == sorted(taken)


def test_a_machine_without_errors_or_turns_has_only_a_road() -> None:
    machine = {"StartAt": "A", "States": {"A": {"Type": "Task", "Next": "B"}, "B": {"Type": "Succeed"}}}
    graph = draw(read_course(machine), {"A": "Task", "B": "Succeed"}, Story())
    assert graph.lane is None
    assert [(edge.source, edge.target) for edge in graph.edges] == [("A", "B")]
