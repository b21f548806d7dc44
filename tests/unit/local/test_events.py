"""What a rule's target gets of an event."""

import json
from typing import Any

import pytest

from local.events import target_input

EVENT = {
    "source": "aws.states",
    "time": "2024-03-08T20:00:00Z",
    "resources": ["arn:one"],
    "detail": {"name": "run-7", "status": "FAILED", "cause": 'said "no"\nand left', "stopDate": 1709928000000},
}


def got(**target: Any) -> str:
    return target_input({"Id": "T", "Arn": "arn"} | target, EVENT, "arn:rule", "EndedBadly")


def rendered(template: str, **paths: str) -> str:
    return got(InputTransformer={"InputPathsMap": paths, "InputTemplate": template})


def test_a_target_gets_the_whole_event() -> None:
    assert json.loads(got()) == EVENT


def test_a_constant_input_takes_the_events_place() -> None:
    assert got(Input='{"path": "plain"}') == '{"path": "plain"}'


@pytest.mark.parametrize(
    ("path", "expected"),
    [("$", EVENT), ("$.detail", EVENT["detail"]), ("$.detail.name", "run-7"), ("$.detail.none.deeper", None)],
)
def test_an_input_path_gives_a_part_as_json(path: str, expected: object) -> None:
    assert json.loads(got(InputPath=path)) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"<name> ended as <status>."', '"run-7 ended as FAILED."'),  # bare inside quotes, which stay
        ('{"run": <name>, "at": <stop>}', '{"run": "run-7", "at": 1709928000000}'),  # as JSON outside
        ('{"words": "<cause>"}', '{"words": "said \\"no\\"\\nand left"}'),  # escaped inside quotes
        ('{"cause": <cause>}', '{"cause": "said \\"no\\"\\nand left"}'),
        ('"stopped at <stop>"', '"stopped at 1709928000000"'),
        ('"<name>" "<status>"', '"run-7" "FAILED"'),
        ('"escaped \\" <name>"', '"escaped \\" run-7"'),  # an escaped quote ends no text
        ('"one <name>"\n"two <status>"', '"one run-7"\n"two FAILED"'),
        ('"<nobody> stays"', '"<nobody> stays"'),
        ('"nothing: <missing>."', '"nothing: ."'),
        ('"of <aws.events.rule-name>, <aws.events.rule-arn>"', '"of EndedBadly, arn:rule"'),
    ],
)
def test_an_input_template_is_filled_in(template: str, expected: str) -> None:
    paths = {
        "name": "$.detail.name",
        "status": "$.detail.status",
        "cause": "$.detail.cause",
        "stop": "$.detail.stopDate",
        "missing": "$.detail.missing",
    }
    assert rendered(template, **paths) == expected


def test_the_whole_event_can_stand_in_a_template() -> None:
    assert json.loads(rendered('{"event": <aws.events.event.json>}')) == {"event": EVENT}


def test_a_part_of_the_event_keeps_its_shape() -> None:
    assert json.loads(rendered('{"detail": <detail>}', detail="$.detail")) == {"detail": EVENT["detail"]}
