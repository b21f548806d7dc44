"""A second deployment over a stack: what differs is changed, versions stay, and a failure leaves all as it was."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import DeployError, LocalCloud

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Word: {Type: String, Default: one}
  Release: {Type: String, Default: ""}
Resources:
  Speaker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: speaker/
      AutoPublishAlias: live
      AutoPublishAliasAllProperties: true
      AutoPublishCodeSha256: !Ref Release
      Environment: {Variables: {WORD: !Ref Word}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machine.asl.json
      DefinitionSubstitutions: {Speaker: !Ref Speaker.Version}
      AutoPublishAlias: live
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
Outputs:
  Live: {Value: !Ref MachineAliaslive}
  Machine: {Value: !Ref Machine}
  Table: {Value: !Ref Table}
"""
MACHINE = {
    "StartAt": "Speak",
    "States": {
        "Speak": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "${Speaker}", "Payload": {}},
            "OutputPath": "$.Payload",
            "End": True,
        }
    },
}


def write(folder: Path, saying: str, template: str = TEMPLATE) -> Path:
    """The project whose function says `saying` and the word of its environment; gives the template."""
    (folder / "speaker").mkdir(parents=True, exist_ok=True)
    code = f"import os\n\ndef handler(event, context):\n    return {{'said': {saying!r} + ' ' + os.environ['WORD']}}\n"
    (folder / "speaker" / "app.py").write_text(code)
    (folder / "machine.asl.json").write_text(json.dumps(MACHINE))
    (folder / "template.yaml").write_text(template)
    return folder / "template.yaml"


def spoken(cloud: LocalCloud, arn: str) -> Any:
    """What an execution of the machine, version or alias gives."""
    states = cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        pass
    return json.loads(found["output"])["said"]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    with LocalCloud(template=write(tmp_path / "first", "first")) as cloud:
        yield cloud


def versions(cloud: LocalCloud) -> list[str]:
    found = cloud.client("stepfunctions").list_state_machine_versions(stateMachineArn=cloud.outputs["Machine"])
    return [each["stateMachineVersionArn"] for each in found["stateMachineVersions"]]


def test_the_alias_starts_the_new_code_and_a_version_the_old(cloud: LocalCloud, tmp_path: Path) -> None:
    live, table = cloud.outputs["Live"], cloud.outputs["Table"]
    cloud.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": "kept"}})
    assert spoken(cloud, live) == "first one"
    cloud.deploy(write(tmp_path / "second", "second"))
    assert (cloud.outputs["Live"], cloud.outputs["Table"]) == (live, table)
    assert spoken(cloud, live) == "second one"
    new, old = versions(cloud)
    assert (spoken(cloud, old), spoken(cloud, new)) == ("first one", "second one")
    assert cloud.client("dynamodb").scan(TableName=table)["Count"] == 1


def test_the_same_once_more_publishes_nothing(cloud: LocalCloud) -> None:
    cloud.deploy()
    assert len(versions(cloud)) == 1


def test_a_parameter_alone_reaches_the_live_version_with_a_new_release(cloud: LocalCloud) -> None:
    cloud.deploy(parameters={"Word": "two", "Release": "2611271943-abc"})
    assert spoken(cloud, cloud.outputs["Live"]) == "first two"


def test_an_alias_that_is_moved_back_starts_the_old_code(cloud: LocalCloud, tmp_path: Path) -> None:
    cloud.deploy(write(tmp_path / "second", "second"))
    old = versions(cloud)[-1]
    cloud.client("stepfunctions").update_state_machine_alias(
        stateMachineAliasArn=cloud.outputs["Live"],
        routingConfiguration=[{"stateMachineVersionArn": old, "weight": 100}],
    )
    assert spoken(cloud, cloud.outputs["Live"]) == "first one"
    described = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=old)
    assert described["stateMachineArn"] == old


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("BillingMode: PROVISIONED", "Table"),
        ("BillingMode: PAY_PER_REQUEST\n      TableClass: NONE", "Table"),
    ],
)
def test_a_deployment_that_fails_leaves_everything_as_it_was(
    cloud: LocalCloud, tmp_path: Path, wrong: str, words: str
) -> None:
    bad = TEMPLATE.replace("BillingMode: PAY_PER_REQUEST", wrong)
    with pytest.raises(DeployError, match=words):
        cloud.deploy(write(tmp_path / "second", "second", bad))
    assert spoken(cloud, cloud.outputs["Live"]) == "first one"
    cloud.deploy(write(tmp_path / "third", "third"))
    assert spoken(cloud, cloud.outputs["Live"]) == "third one"


def test_what_the_local_cloud_cannot_remove_is_said(cloud: LocalCloud, tmp_path: Path) -> None:
    lines = TEMPLATE.splitlines(keepends=True)
    start = next(at for at, line in enumerate(lines) if line.startswith("  Table:\n"))
    without = "".join(lines[:start] + lines[start + 6 :]).replace("  Table: {Value: !Ref Table}\n", "")
    with pytest.raises(DeployError, match="Table: the local cloud does not remove a AWS::DynamoDB::Table"):
        cloud.deploy(write(tmp_path / "second", "second", without))
    assert spoken(cloud, cloud.outputs["Live"]) == "first one"
