"""The project's own template deploys here as it would on AWS."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local import LocalCloud

PROJECT = Path(__file__).parents[3]
TEMPLATE = PROJECT / "template.yaml"
ASL = PROJECT / "statemachine" / "trading.asl.json"


@pytest.fixture(scope="module")
def own() -> Iterator[LocalCloud]:
    with LocalCloud(template=TEMPLATE) as cloud:
        yield cloud


def written() -> dict[str, Any]:
    return dict(yaml_parse(TEMPLATE.read_text()))


def definition(cloud: LocalCloud) -> str:
    arn = cloud.outputs["StateMachineArn"]
    return str(cloud.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"])


def test_every_resource_of_the_template_is_made(own: LocalCloud) -> None:
    renamed_by_sam = "SharedLayer"
    unconditional = [name for name, resource in written()["Resources"].items() if "Condition" not in resource]
    for name in unconditional:
        if name != renamed_by_sam:
            assert own.physical_id(name)
    assert len(own.client("lambda").list_layers()["Layers"]) == 1


def test_every_output_has_a_value(own: LocalCloud) -> None:
    assert own.outputs.keys() == written()["Outputs"].keys()
    assert all(own.outputs.values())


def test_every_placeholder_of_the_workflow_is_substituted(own: LocalCloud) -> None:
    placeholders = set(re.findall(r"\$\{(\w+)\}", ASL.read_text()))
    assert placeholders  # otherwise there would be nothing to see here
    deployed = definition(own)
    assert "${" not in deployed
    assert json.loads(deployed)["StartAt"] == json.loads(ASL.read_text())["StartAt"]


def test_the_workflow_calls_the_functions_and_the_topic_of_this_stack(own: LocalCloud) -> None:
    functions = {found["FunctionArn"] for found in own.client("lambda").list_functions()["Functions"]}
    versions = set(re.findall(r"arn:aws:lambda:[\w:-]+", definition(own)))
    assert all(version.endswith(":1") for version in versions)
    called = {version.removesuffix(":1") for version in versions}
    others = {arn.rpartition(":")[2] for arn in functions - called}
    called_elsewhere = ("WidgetsFunction", "BacktestFoldFunction", "CheckReleaseFunction")  # not by this machine
    assert others == {own.physical_id(name) for name in called_elsewhere}
    assert called <= functions
    assert own.outputs["AlertsTopicArn"] in definition(own)


def test_every_function_has_the_layer_and_the_templates_time_and_memory(own: LocalCloud) -> None:
    template = written()
    default = template["Globals"]["Function"]["MemorySize"]
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            found = own.client("lambda").get_function_configuration(FunctionName=own.physical_id(name))
            assert found["Timeout"] == resource["Properties"]["Timeout"]
            assert found["MemorySize"] == resource["Properties"].get("MemorySize", default)
            assert [":layer:" in layer["Arn"] for layer in found["Layers"]] == [True]


def test_every_schedule_starts_the_workflow(own: LocalCloud) -> None:
    events = written()["Resources"]["StateMachine"]["Properties"]["Events"]
    assert {schedule.logical_id for schedule in own.schedules} == {f"StateMachine{name}" for name in events}
    assert {schedule.state_machine_arn for schedule in own.schedules} == {own.outputs["LiveMachineArn"]}
    assert not any(schedule.enabled for schedule in own.schedules)  # until somebody switches them on


def test_paper_trading_is_the_default(own: LocalCloud) -> None:
    assert own.outputs["BrokerUrlInUse"] == "https://paper-api.alpaca.markets"


def told(cloud: LocalCloud, name: str) -> set[str]:
    """What the functions that are told `name` are told."""
    found = [function["Environment"]["Variables"] for function in cloud.client("lambda").list_functions()["Functions"]]
    return {variables[name] for variables in found if name in variables}


def test_the_ledger_cannot_be_deleted_by_mistake(own: LocalCloud) -> None:
    dynamodb = own.client("dynamodb")
    with pytest.raises(dynamodb.exceptions.ClientError, match="DeletionProtectionEnabled"):
        dynamodb.delete_table(TableName=own.outputs["TableName"])


def test_functions_are_told_of_the_table_and_the_bucket_that_were_made(own: LocalCloud) -> None:
    assert told(own, "OPENBELL_TABLE") == {own.outputs["TableName"]} == {own.physical_id("LedgerTable")}
    assert told(own, "OPENBELL_BUCKET") == {own.outputs["BucketName"]} == {own.physical_id("ArchiveBucket")}
