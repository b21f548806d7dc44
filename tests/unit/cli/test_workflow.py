"""What an execution's history says."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.failures import failure_note
from cli.workflow import Story, read_story

START = datetime(2025, 1, 2, 9, tzinfo=UTC)
STATES = {"Open", "Forecasts", "Close"}


class History:
    """Builds events one second apart."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, kind: str, **details: Any) -> "History":
        number = len(self.events)
        event = {"id": number + 1, "type": kind, "timestamp": START + timedelta(seconds=number)}
        self.events.append(event | details)
        return self

    def enter(self, name: str, kind: str = "Task") -> "History":
        return self.add(f"{kind}StateEntered", stateEnteredEventDetails={"name": name})

    def leave(self, name: str, kind: str = "Task") -> "History":
        return self.add(f"{kind}StateExited", stateExitedEventDetails={"name": name})

    def story(self) -> Story:
        return read_story(self.events, STATES)


def test_a_visit_lasts_from_entry_to_exit() -> None:
    story = History().enter("Open").leave("Open").enter("Close").story()
    assert [(visit.state, visit.seconds) for visit in story.visits] == [("Open", 1.0), ("Close", 0.0)]
    assert story.current is not None
    assert story.current.state == "Close"
    assert not story.ended


def test_states_inside_a_map_are_its_items() -> None:
    history = History().enter("Forecasts", "Map").add("MapStateStarted", mapStateStartedEventDetails={"length": 3})
    for _ in range(2):
        history.add("MapIterationStarted").enter("Forecast").leave("Forecast").add("MapIterationSucceeded")
    story = history.story()
    assert [visit.state for visit in story.visits] == ["Forecasts"]
    assert (story.visits[0].items, story.visits[0].items_done) == (3, 2)


def test_a_state_visited_twice_is_two_visits() -> None:
    story = History().enter("Open").leave("Open").enter("Open").leave("Open").story()
    assert [visit.seconds for visit in story.visits] == [1.0, 1.0]
    assert story.seconds == 3.0


def test_a_failed_attempt_is_told_with_error_and_cause() -> None:
    failed = {"error": "RateLimited", "cause": "slow down"}
    story = History().enter("Open").add("TaskFailed", taskFailedEventDetails=failed).story()
    assert story.visits[0].failures == ("RateLimited: slow down",)


def test_a_caught_failure_ends_the_visit_when_the_next_state_begins() -> None:
    story = History().enter("Open").add("TaskFailed", taskFailedEventDetails={"error": "E"}).enter("Close").story()
    assert story.visits[0].seconds == 2.0


def test_a_failed_execution_tells_its_error_and_closes_its_last_visit() -> None:
    details = {
        "error": "StaleData",
        "cause": json.dumps({"errorMessage": "9 prices missing", "errorType": "StaleData"}),
    }
    story = History().enter("Open").add("ExecutionFailed", executionFailedEventDetails=details).story()
    assert (story.status, story.error, story.visits[0].seconds) == ("FAILED", "StaleData", 1.0)
    assert failure_note(story) == "StaleData: 9 prices missing"


def test_a_timed_out_execution_without_a_cause_is_told_by_its_status() -> None:
    story = History().enter("Open").add("ExecutionTimedOut").story()
    assert failure_note(story) == "TIMED_OUT"
    assert story.ended


def test_a_cause_that_is_no_json_is_told_as_it_is() -> None:
    assert failure_note(Story(status="FAILED", error="States.Runtime", cause="bad path $.x")) == (
        "States.Runtime: bad path $.x"
    )
