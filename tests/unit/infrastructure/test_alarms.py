"""What the alarms say, and that they may say it."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

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


def _schedule(name: str, found: dict[str, Any]) -> Schedule:
    zone = ZoneInfo(found["ScheduleExpressionTimezone"])
    return Schedule(name, name, name, "group", found["ScheduleExpression"], zone, enabled=True, target={})


def _rests() -> list[Schedule]:
    """The schedules that beat when no run is due."""
    return [_schedule(name, found) for name, found in resources("AWS::Scheduler::Schedule").items()]


def _ticks() -> list[Schedule]:
    """The schedules that start a run, which beats."""
    events = template()["Resources"]["StateMachine"]["Properties"]["Events"]
    return [_schedule(name, event["Properties"]) for name, event in events.items()]


def _firings(schedules: Iterable[Schedule], start: datetime, end: datetime) -> set[datetime]:
    found = set()
    for schedule in schedules:
        at = schedule.next_after(start)
        while at and at < end:
            found.add(at.astimezone(UTC))
            at = schedule.next_after(at)
    return found


def test_in_a_whole_year_no_quarter_of_an_hour_is_without_a_beat() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    ticks, rests = _firings(_ticks(), start, end), _firings(_rests(), start, end)
    assert not ticks & rests  # a rest beside a run would hide that runs have died
    gaps = [later - earlier for earlier, later in pairwise(sorted(ticks | rests))]
    alarm = ALARMS["NoRunCompleted"]
    assert max(gaps) == timedelta(minutes=15) < timedelta(seconds=900 * alarm["EvaluationPeriods"])


def test_on_new_yorks_clock_a_weekend_would_have_a_gap() -> None:
    in_new_york = [replace(schedule, timezone=NEW_YORK) for schedule in _rests()]
    sunday = datetime(2026, 11, 1, 4, tzinfo=UTC)  # on which summer time ends
    beats = _firings(in_new_york, sunday, sunday + timedelta(hours=6))
    assert max(later - earlier for earlier, later in pairwise(sorted(beats))) == timedelta(minutes=75)


def test_everything_that_is_scheduled_can_be_switched_off_together() -> None:
    schedules: list[dict[str, Any]] = [
        resource["Properties"]
        for resource in expanded()["Resources"].values()
        if resource["Type"] == "AWS::Scheduler::Schedule"
    ]
    assert len(schedules) == 6
    for schedule in schedules:
        assert schedule["State"] == {"Ref": "ScheduleState"}
        assert schedule["GroupName"] == {"Ref": "Ticks"}
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert ALARMS["NoRunCompleted"]["ActionsEnabled"] == {"Fn::If": ["Scheduled", True, False]}
