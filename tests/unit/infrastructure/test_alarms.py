"""What the alarms say, and that they may say it."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from local.scheduler import Schedule
from openbell.model import NEW_YORK
from tests.unit.infrastructure.sources import ROOT, expanded, resources, template

ALARMS = resources("AWS::CloudWatch::Alarm")
HEADINGS = set(re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_happened_what_it_means_and_what_to_do(name: str) -> None:
    said = ALARMS[name]["AlarmDescription"]
    assert said.startswith("Openbell: ")
    assert re.search(r"positions|protective orders|keep what they hold", said, re.IGNORECASE)
    assert "First thing to do: " in said
    assert len(said) <= 1024  # the most that CloudWatch takes


@pytest.mark.parametrize("name", ALARMS)
def test_the_page_that_an_alarm_names_is_in_the_runbook(name: str) -> None:
    (heading,) = re.findall(r"docs/runbook\.md, ([\w ]+)", ALARMS[name]["AlarmDescription"])
    assert heading in HEADINGS


@pytest.mark.parametrize("name", ALARMS)
def test_the_runbook_lists_the_alarm(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "runbook.md").read_text()


def test_every_alarm_reaches_a_person() -> None:
    for name, alarm in ALARMS.items():
        assert alarm["AlarmActions"] == [{"Ref": "AlertsTopic"}], name
    (policy,) = resources("AWS::SNS::TopicPolicy").values()
    (statement,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Sid"] == "AlarmsMayAlert"]
    allowed = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert allowed == [{"Fn::GetAtt": [name, "Arn"]} for name in ALARMS]


def test_every_alarm_says_what_silence_means() -> None:
    meanings = {name: alarm["TreatMissingData"] for name, alarm in ALARMS.items()}
    assert {name for name, meaning in meanings.items() if meaning == "breaching"} == {"NoRunCompleted"}
    assert {name for name, meaning in meanings.items() if meaning == "ignore"} == {"DriftFound", "TradingHalted"}


def _rests() -> list[Schedule]:
    """The schedules that beat when no run is due."""
    return [
        Schedule(name, name, name, "group", found["ScheduleExpression"], NEW_YORK, enabled=True, target={})
        for name, found in resources("AWS::Scheduler::Schedule").items()
    ]


def _ticks() -> list[Schedule]:
    events = template()["Resources"]["StateMachine"]["Properties"]["Events"]
    return [
        Schedule(
            name, name, name, "group", event["Properties"]["ScheduleExpression"], NEW_YORK, enabled=True, target={}
        )
        for name, event in events.items()
    ]


def test_every_quarter_of_an_hour_of_the_week_has_either_a_run_or_a_rest() -> None:
    # Sunday 1 November 2026, on which summer time ends, and the week after it.
    start = datetime(2026, 10, 30, tzinfo=NEW_YORK)
    ticks, rests = _ticks(), _rests()
    for quarter in range(7 * 24 * 4):
        at = start + timedelta(minutes=15 * quarter)  # wall-clock time: the hour that comes twice is met once
        due = any(tick.is_due(at) for tick in ticks)
        assert sum(rest.is_due(at) for rest in rests) == (0 if due else 1), at


def test_everything_that_is_scheduled_follows_new_york_and_can_be_switched_off_together() -> None:
    schedules: list[dict[str, Any]] = [
        resource["Properties"]
        for resource in expanded()["Resources"].values()
        if resource["Type"] == "AWS::Scheduler::Schedule"
    ]
    assert len(schedules) == 6
    for schedule in schedules:
        assert schedule["ScheduleExpressionTimezone"] == "America/New_York"
        assert schedule["State"] == {"Ref": "ScheduleState"}
        assert schedule["GroupName"] == {"Ref": "Ticks"}
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert ALARMS["NoRunCompleted"]["ActionsEnabled"] == {"Fn::If": ["Scheduled", True, False]}
