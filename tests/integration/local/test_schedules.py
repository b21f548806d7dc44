"""The deployed schedules: when they are due, and what firing one means."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from local import Schedule
from tests.integration.local.running import RunningFixture

NEW_YORK = ZoneInfo("America/New_York")


def schedule(fixture: RunningFixture, logical_id: str) -> Schedule:
    return {found.logical_id: found for found in fixture.cloud.schedules}[logical_id]


def due(fixture: RunningFixture, at: datetime) -> list[str]:
    return [found.logical_id for found in fixture.cloud.schedules_due(at)]


def test_schedules_are_known_by_their_names_in_the_template(fixture: RunningFixture) -> None:
    assert [found.logical_id for found in fixture.cloud.schedules] == ["Named", "Sleeping", "WorkflowEveryDay"]
    assert schedule(fixture, "WorkflowEveryDay").timezone == NEW_YORK
    assert schedule(fixture, "Named").group == fixture.cloud.physical_id("Group")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2024, 3, 8, 20, 0, tzinfo=UTC), ["Named", "WorkflowEveryDay"]),  # Friday, 15:00 EST
        (datetime(2024, 3, 11, 19, 0, tzinfo=UTC), ["Named", "WorkflowEveryDay"]),  # Monday, 15:00 EDT
        (datetime(2024, 3, 11, 20, 0, tzinfo=UTC), ["Named"]),  # 16:00 EDT
        (datetime(2024, 11, 1, 19, 0, tzinfo=UTC), ["Named", "WorkflowEveryDay"]),  # Friday, 15:00 EDT
        (datetime(2024, 11, 4, 20, 0, tzinfo=UTC), ["Named", "WorkflowEveryDay"]),  # Monday, 15:00 EST
        (datetime(2024, 3, 9, 20, 0, tzinfo=UTC), ["Named"]),  # Saturday
        (datetime(2024, 3, 8, 20, 1, tzinfo=UTC), []),  # a minute late; Sleeping is disabled
    ],
)
def test_the_daily_schedule_is_due_at_three_in_new_york_in_winter_and_in_summer(
    fixture: RunningFixture, at: datetime, expected: list[str]
) -> None:
    assert due(fixture, at) == expected


def test_firing_passes_the_scheduled_time_in_utc(fixture: RunningFixture) -> None:
    at = datetime(2024, 3, 8, 15, 0, tzinfo=NEW_YORK)
    ended = fixture.ended(fixture.cloud.fire(schedule(fixture, "WorkflowEveryDay"), at))
    assert ended.output["seen"]["input"] == {"path": "plain", "schedule": "daily", "tick": "2024-03-08T20:00:00Z"}


def test_firing_a_universal_target_names_the_execution(fixture: RunningFixture) -> None:
    at = datetime(2024, 3, 8, 12, 30, tzinfo=UTC)
    first, second = (fixture.ended(fixture.cloud.fire(schedule(fixture, "Named"), at)) for _ in range(2))
    assert first.name.startswith("tick-")
    assert first.name != second.name
    assert first.output["seen"]["input"] == {"path": "plain", "tick": "2024-03-08T12:30:00Z"}


def test_the_input_is_shown_as_deployed(fixture: RunningFixture) -> None:
    deployed = schedule(fixture, "Named")
    assert deployed.input == {"path": "plain", "tick": "<aws.scheduler.scheduled-time>"}
    assert json.loads(deployed.input_text) == deployed.input
    assert deployed.state_machine_arn == fixture.cloud.physical_id("Workflow")
