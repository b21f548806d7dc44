"""Custom resources: the function of the stack that is asked, and what its answer does to the deployment."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local import DeployError, LocalCloud

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Mood: {Type: String, Default: good}}
Resources:
  Judge:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: judge/, Timeout: 5}
  Check:
    Type: Custom::ReleaseCheck
    Properties: {ServiceToken: !GetAtt Judge.Arn, ServiceTimeout: 60, Mood: !Ref Mood, Numbers: [1, true]}
Outputs:
  Said: {Value: !GetAtt Check.Said}
"""
ANSWERING = """
import json, urllib.request

def handler(event, context):
    mood = event["ResourceProperties"]["Mood"]
    if mood == "silent":
        return
    if mood == "broken":
        raise RuntimeError("no mood at all")
    answer = {
        "Status": "FAILED" if mood == "bad" else "SUCCESS", "Reason": f"it is {mood}", "PhysicalResourceId": "it",
        "Data": {"Said": f"{event['RequestType']} {event['ResourceProperties']['Numbers']}"},
    }
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT"))
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "judge").mkdir()
    (tmp_path / "judge" / "app.py").write_text(ANSWERING)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return tmp_path / "template.yaml"


def test_its_answer_gives_the_attributes_and_numbers_come_as_texts(template: Path) -> None:
    with LocalCloud(template=template) as cloud:
        assert cloud.outputs["Said"] == "Create ['1', 'true']"
        cloud.deploy(parameters={"Mood": "better"})
        assert cloud.outputs["Said"] == "Update ['1', 'true']"


@pytest.mark.parametrize(
    ("mood", "words"),
    [("bad", "Check .*it is bad"), ("silent", "did not answer: null"), ("broken", "did not answer: .*no mood at all")],
)
def test_a_refusal_and_silence_stop_the_deployment(template: Path, mood: str, words: str) -> None:
    def first() -> None:
        with LocalCloud(template=template, parameters={"Mood": mood}):
            pass

    def second() -> None:
        with LocalCloud(template=template) as cloud:
            cloud.deploy(parameters={"Mood": mood})

    attempts: tuple[Callable[[], None], ...] = (first, second)
    for attempt in attempts:
        with pytest.raises(DeployError, match=words):
            attempt()
