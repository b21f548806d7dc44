"""From SAM to CloudFormation, as AWS would expand it, without asking AWS."""

import copy
from typing import Any

import pytest

from local import DeployError
from local.deploy import expand

FUNCTION: dict[str, Any] = {
    "Type": "AWS::Serverless::Function",
    "Properties": {"CodeUri": {"Bucket": "b", "Key": "k"}, "Handler": "app.handler", "Runtime": "python3.13"},
}
MACHINE: dict[str, Any] = {
    "Type": "AWS::Serverless::StateMachine",
    "Properties": {
        "DefinitionUri": {"Bucket": "b", "Key": "k"},
        "DefinitionSubstitutions": {"Arn": {"Fn::GetAtt": ["Work", "Arn"]}},
        "Events": {
            "Tick": {
                "Type": "ScheduleV2",
                "Properties": {"ScheduleExpression": "rate(1 day)", "State": {"Ref": "State"}, "OmitName": True},
            }
        },
    },
}


def expanded(parameters: dict[str, str] | None = None, **resources: Any) -> dict[str, Any]:
    """The resources that SAM makes of these."""
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {"State": {"Type": "String", "Default": "ENABLED"}},
        "Resources": resources,
    }
    return dict(expand(template, parameters or {"State": "ENABLED"})["Resources"])


def with_properties(resource: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"Type": resource["Type"], "Properties": resource["Properties"] | properties}


def kinds(resources: dict[str, Any]) -> dict[str, str]:
    return {name: resource["Type"] for name, resource in resources.items()}


def test_a_function_becomes_a_function_and_a_role() -> None:
    made = expanded(Work=FUNCTION)
    assert kinds(made) == {"Work": "AWS::Lambda::Function", "WorkRole": "AWS::IAM::Role"}
    assert made["Work"]["Properties"]["Code"] == {"S3Bucket": "b", "S3Key": "k"}
    assert made["Work"]["Properties"]["Role"] == {"Fn::GetAtt": ["WorkRole", "Arn"]}


def test_a_published_alias_brings_a_version_named_by_the_code() -> None:
    versions = [
        name
        for key in ("k", "k", "other")
        for name, kind in kinds(
            expanded(Work=with_properties(FUNCTION, AutoPublishAlias="live", CodeUri={"Bucket": "b", "Key": key}))
        ).items()
        if kind == "AWS::Lambda::Version"
    ]
    assert len(versions) == 3
    assert versions[0] == versions[1] != versions[2]  # the same code is the same version


def test_a_layer_is_named_by_its_content_and_references_follow() -> None:
    layer = {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": {"Bucket": "b", "Key": "k"}}}
    made = expanded(Words=layer, Work=with_properties(FUNCTION, Layers=[{"Ref": "Words"}]))
    (name,) = [name for name, kind in kinds(made).items() if kind == "AWS::Lambda::LayerVersion"]
    assert name.startswith("Words")
    assert name != "Words"
    assert made["Work"]["Properties"]["Layers"] == [{"Ref": name}]


def test_a_workflow_brings_its_schedule_and_the_schedules_role() -> None:
    made = expanded(Work=FUNCTION, Trading=MACHINE)
    assert kinds(made) == {
        "Work": "AWS::Lambda::Function",
        "WorkRole": "AWS::IAM::Role",
        "Trading": "AWS::StepFunctions::StateMachine",
        "TradingRole": "AWS::IAM::Role",
        "TradingTick": "AWS::Scheduler::Schedule",
        "TradingTickRole": "AWS::IAM::Role",
    }
    assert made["TradingTick"]["Properties"]["Target"]["Arn"] == {"Ref": "Trading"}


def test_a_managed_policy_is_known_without_asking_iam() -> None:
    made = expanded(Work=with_properties(FUNCTION, Policies=["AWSXRayDaemonWriteAccess"]))
    assert "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess" in made["WorkRole"]["Properties"]["ManagedPolicyArns"]


def test_other_resources_stay_as_they_are() -> None:
    topic = {"Type": "AWS::SNS::Topic", "Condition": "Mail", "Properties": {"DisplayName": "Alerts"}}
    assert expanded(Topic=topic) == {"Topic": topic}


def test_the_template_that_is_given_is_not_changed() -> None:
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Work": FUNCTION}}
    before = copy.deepcopy(template)
    expand(template, {})
    assert template == before


def test_neither_profile_nor_region_of_the_caller_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    made = expanded(Work=FUNCTION)
    policies = made["WorkRole"]["Properties"]["ManagedPolicyArns"]
    assert policies == ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]


def test_all_that_sam_refuses_is_named() -> None:
    with pytest.raises(DeployError, match=r"SAM refuses the template: .*\[One\].*Odd.*; .*\[Two\].*Strange"):
        expanded(One=with_properties(FUNCTION, Odd=1), Two=with_properties(FUNCTION, Strange=1))
