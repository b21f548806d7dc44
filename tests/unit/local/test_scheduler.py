"""When a schedule is due, and what it starts."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local import LocalCloudError, Schedule

NEW_YORK = ZoneInfo("America/New_York")
WORKFLOW = "arn:aws:states:us-east-1:123456789012:stateMachine:trading"


def schedule(expression: str = "rate(1 day)", timezone: str = "UTC", **target: Any) -> Schedule:
    return Schedule(
        logical_id="Tick",
        name="openbell-Tick",
        arn="arn:aws:scheduler:us-east-1:123456789012:schedule/default/openbell-Tick",
        group="default",
        expression=expression,
        timezone=ZoneInfo(timezone),
        enabled=True,
        target={"Arn": WORKFLOW} | target,
    )


def at(text: str, zone: ZoneInfo = NEW_YORK, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


@pytest.mark.parametrize(
    ("expression", "text", "expected"),
    [
        ("cron(0 15 ? * MON-FRI *)", "2024-03-08 15:00", True),  # a Friday
        ("cron(0 15 ? * MON-FRI *)", "2024-03-08 15:00:59", True),  # anywhere in the minute
        ("cron(0 15 ? * MON-FRI *)", "2024-03-08 15:01", False),
        ("cron(0 15 ? * MON-FRI *)", "2024-03-09 15:00", False),  # a Saturday
        ("cron(30,45 9 ? * MON-FRI *)", "2024-03-08 09:45", True),
        ("cron(30,45 9 ? * MON-FRI *)", "2024-03-08 09:15", False),
        ("cron(0/15 10-15 ? * MON-FRI *)", "2024-03-08 10:00", True),
        ("cron(0/15 10-15 ? * MON-FRI *)", "2024-03-08 15:45", True),
        ("cron(0/15 10-15 ? * MON-FRI *)", "2024-03-08 16:00", False),
        ("cron(0 9 L * ? *)", "2024-02-29 09:00", True),  # the last day of a leap year's February
        ("cron(0 9 L * ? *)", "2024-02-28 09:00", False),
        ("cron(0 9 ? * 6#3 *)", "2024-03-15 09:00", True),  # the third Friday
        ("cron(0 9 ? * 6#3 *)", "2024-03-08 09:00", False),
        ("cron(0 9 1 1 ? 2025)", "2025-01-01 09:00", True),
        ("cron(0 9 1 1 ? 2025)", "2024-01-01 09:00", False),
        ("at(2024-03-08T15:00:00)", "2024-03-08 15:00:30", True),
        ("at(2024-03-08T15:00:00)", "2024-03-08 15:01", False),
        ("at(2024-03-08T15:00:00)", "2024-03-08 14:59", False),
    ],
)
def test_an_expression_is_due_in_its_minutes_of_new_york(expression: str, text: str, expected: bool) -> None:
    assert schedule(expression, "America/New_York").is_due(at(text)) is expected


def test_the_moments_own_time_zone_does_not_matter() -> None:
    assert schedule("cron(0 15 ? * * *)", "America/New_York").is_due(datetime(2024, 7, 1, 19, 0, tzinfo=UTC))  # EDT
    assert schedule("cron(0 15 ? * * *)", "America/New_York").is_due(datetime(2024, 1, 2, 20, 0, tzinfo=UTC))  # EST


@pytest.mark.parametrize("expression", ["cron(30 1 ? * * *)", "at(2024-11-03T01:30:00)"])
def test_an_hour_that_comes_twice_fires_once(expression: str) -> None:
    tick = schedule(expression, "America/New_York")
    assert tick.is_due(at("2024-11-03 01:30"))  # 05:30 UTC, still summer time
    assert not tick.is_due(at("2024-11-03 01:30", fold=1))  # 06:30 UTC, an hour later


def test_a_rate_fires_in_both_of_the_hours_that_come_twice() -> None:
    tick = schedule("rate(30 minutes)", "America/New_York")
    assert tick.is_due(at("2024-11-03 01:30"))
    assert tick.is_due(at("2024-11-03 01:30", fold=1))


def test_an_hour_that_does_not_come_is_skipped() -> None:
    tick = schedule("cron(30 2 ? * * *)", "America/New_York")
    utc_minutes = [datetime(2024, 3, 10, hour, minute, tzinfo=UTC) for hour in range(5, 10) for minute in range(60)]
    assert not [moment for moment in utc_minutes if tick.is_due(moment)]  # 02:00 is 03:00 that day


@pytest.mark.parametrize(
    ("expression", "text", "expected"),
    [
        ("rate(1 minute)", "2024-03-08 15:07", True),
        ("rate(15 minutes)", "2024-03-08 15:45", True),
        ("rate(15 minutes)", "2024-03-08 15:46", False),
        ("rate(1 hour)", "2024-03-08 15:00:30", True),
        ("rate(1 hour)", "2024-03-08 15:30", False),
        ("rate(2 days)", "1970-01-03 00:00", True),  # two days after the start of the count
        ("rate(2 days)", "1970-01-02 00:00", False),
    ],
)
def test_a_rate_counts_from_1970(expression: str, text: str, expected: bool) -> None:
    assert schedule(expression).is_due(at(text, ZoneInfo("UTC"))) is expected


def test_an_expression_of_no_known_kind_is_named() -> None:
    with pytest.raises(LocalCloudError, match=r"schedule Tick: every\(day\) is neither cron, rate nor at"):
        schedule("every(day)").is_due(at("2024-03-08 15:00"))


def test_context_attributes_are_filled_in_and_unknown_ones_left() -> None:
    filled = schedule().filled(
        "<aws.scheduler.scheduled-time> <aws.scheduler.attempt-number> <aws.scheduler.schedule-arn> <aws.other>",
        at("2024-03-08 15:00:00"),
    )
    assert filled == f"2024-03-08T20:00:00Z 1 {schedule().arn} <aws.other>"


def test_each_firing_has_an_id_of_its_own() -> None:
    first, second = (schedule().filled("<aws.scheduler.execution-id>", at("2024-03-08 15:00")) for _ in range(2))
    assert first != second


def test_a_templated_target_is_the_workflow_with_its_input() -> None:
    tick = schedule(Input='{"schedule": "daily"}')
    assert tick.state_machine_arn == WORKFLOW
    assert tick.input == {"schedule": "daily"}
    assert tick.execution_name is None


def test_a_universal_target_names_workflow_input_and_execution() -> None:
    arguments = {"StateMachineArn": WORKFLOW, "Input": '{"schedule": "daily"}', "Name": "tick-1"}
    tick = schedule(Arn="arn:aws:scheduler:::aws-sdk:sfn:startExecution", Input=json.dumps(arguments))
    assert tick.state_machine_arn == WORKFLOW
    assert tick.input == {"schedule": "daily"}
    assert tick.execution_name == "tick-1"


def test_a_target_without_input_starts_with_an_empty_object() -> None:
    assert schedule().input == {}


def test_a_target_that_is_no_workflow_is_named() -> None:
    tick = schedule(Arn="arn:aws:sqs:us-east-1:123456789012:ticks")
    with pytest.raises(
        LocalCloudError, match=r"schedule Tick starts arn:aws:sqs:.*; the local cloud starts only state"
    ):
        tick.state_machine_arn  # noqa: B018 reading it is the test


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("cron(0 15 ? * MON-FRI *)", "2024-03-08 15:00", "2024-03-11 15:00"),  # Friday to Monday, over a change to EDT
        ("cron(0 15 ? * MON-FRI *)", "2024-03-08 14:59:59.999999", "2024-03-08 15:00"),
        ("cron(0 15 ? * MON-FRI *)", "2024-03-08 15:00:10", "2024-03-11 15:00"),
        ("cron(30 2 ? * * *)", "2024-03-09 02:30", "2024-03-11 02:30"),  # there is no 02:30 on the 10th
        ("cron(30 1 ? * * *)", "2024-11-03 01:30", "2024-11-04 01:30"),  # not again in the hour that comes twice
        ("cron(0 9 1 1 ? 2025)", "2025-01-01 09:00", None),
        ("rate(30 minutes)", "2024-03-08 15:00", "2024-03-08 15:30"),
        ("rate(30 minutes)", "2024-03-08 15:00:01", "2024-03-08 15:30"),
        ("at(2024-03-08T15:00:00)", "2024-03-08 14:00", "2024-03-08 15:00"),
        ("at(2024-03-08T15:00:00)", "2024-03-08 15:00", None),
    ],
)
def test_the_next_firing_is_after_the_moment(expression: str, after: str, expected: str | None) -> None:
    found = schedule(expression, "America/New_York").next_after(at(after))
    assert found == (at(expected) if expected else None)


def test_no_firing_is_found_in_the_second_of_two_equal_hours() -> None:
    tick = schedule("cron(0/15 1 ? * * *)", "America/New_York")
    assert tick.next_after(at("2024-11-03 01:20", fold=1)) == at("2024-11-04 01:00")


@pytest.mark.parametrize("expression", ["cron(0/7 1-3,15 ? * SUN-MON *)", "rate(45 minutes)"])
def test_the_next_firings_are_the_minutes_that_are_due(expression: str) -> None:
    tick = schedule(expression, "America/New_York")
    for start in (datetime(2024, 3, 10, 4, 0, tzinfo=UTC), datetime(2024, 11, 3, 3, 0, tzinfo=UTC)):
        minutes = [start + timedelta(minutes=number) for number in range(8 * 60)]
        found, moment = [], start - timedelta(seconds=1)
        while (moment := (tick.next_after(moment) or minutes[-1]).astimezone(UTC)) < minutes[-1]:
            found.append(moment)
        assert found == [minute for minute in minutes[:-1] if tick.is_due(minute)]
        assert found


def test_an_expression_that_is_unknown_has_no_next_firing() -> None:
    with pytest.raises(LocalCloudError, match="neither cron, rate nor at"):
        schedule("daily(15:00)").next_after(at("2024-03-08 15:00"))
