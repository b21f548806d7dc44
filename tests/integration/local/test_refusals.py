"""Templates that cannot be deployed as they are written, and what the person who wrote them is told."""

import logging
from pathlib import Path

import pytest

from local import DeployError, LocalCloud
from tests.integration.local.running import FIXTURE

HEAD = "Transform: AWS::Serverless-2016-10-31\nResources:\n"


def deploy(folder: Path, body: str, **parameters: str) -> None:
    """Open a local cloud with a template of this body, and close it."""
    (folder / "template.yaml").write_text(HEAD + body)
    with LocalCloud(template=folder / "template.yaml", parameters=parameters):
        pass


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "  Cache: {Type: AWS::ElastiCache::NoSuchThing}\n",
            r"Cache \(AWS::ElastiCache::NoSuchThing\) could not be made: this type is unknown here",
        ),
        (
            "  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Cache}}\n  Cache: {Type: AWS::No::Such}\n",
            r"Cache \(AWS::No::Such\) could not be made",  # not the topic, which only needs it
        ),
        (
            "  Bucket: {Type: AWS::S3::Bucket, Properties: {WebsiteConfiguration: {IndexDocument: a}}}\n",
            r"Bucket \(AWS::S3::Bucket\) could not be made: the local cloud does not know WebsiteConfiguration",
        ),
        (
            "  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayNam: Alerts}}\n",
            r"Topic \(AWS::SNS::Topic\) could not be made: the local cloud does not know DisplayNam",
        ),
        (
            "  Tick: {Type: AWS::Scheduler::Schedule, Properties: {ScheduleExpression: rate(1 day)}}\n",
            r"Tick \(AWS::Scheduler::Schedule\) could not be made: (?s:.*)FlexibleTimeWindow",
        ),
        (
            "  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Missing}}\n",
            r"Topic \(AWS::SNS::Topic\) could not be made: .*Missing",
        ),
        (
            "  Topic: {Type: AWS::SNS::Topic}\nOutputs:\n  Odd: {Value: !GetAtt Topic.Odd}\n",
            r"the stack openbell could not be made: .*Topic does not support attribute type Odd",
        ),
        (
            "  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: nowhere/, Handler: a.b}}\n",
            r"F: CodeUri must be a folder beside the template, but .*/nowhere is none",
        ),
        (
            "  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Odd: 1}}\n",
            r"SAM refuses the template: .*\[F\].* Odd",
        ),
        (
            "  W: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: no.json}}\n",
            r"W: DefinitionUri .*no.json cannot be read: No such file or directory",
        ),
        (
            "  W: {Type: AWS::Serverless::StateMachine, Properties: {Role: 'arn:aws:iam::123456789012:role/r',"
            " Definition: {StartAt: A, States: {A: {Type: Pass, Result: '${Odd}', End: true}}}}}\n",
            r"W \(AWS::StepFunctions::StateMachine\) could not be made: DefinitionSubstitutions has no Odd",
        ),
    ],
    ids=[
        "unknown type",
        "unknown type that another resource needs",
        "property that no maker takes",
        "property that the service would drop",
        "missing property",
        "reference to nothing",
        "unknown attribute in an output",
        "code that is not there",
        "property that SAM does not know",
        "workflow that is not there",
        "placeholder without a value",
    ],
)
def test_a_template_that_cannot_be_made_as_it_is_written_names_what_is_missing(
    tmp_path: Path, body: str, told: str
) -> None:
    with pytest.raises(DeployError, match=told):
        deploy(tmp_path, body)


def test_a_value_that_the_template_does_not_allow_is_refused_before_anything_is_made() -> None:
    with (
        pytest.raises(DeployError, match="parameter WithMail is 'perhaps': yes or no"),
        LocalCloud(template=FIXTURE / "template.yaml", parameters={"WithMail": "perhaps"}),
    ):
        pass


def test_a_broken_rule_refuses_the_template() -> None:
    with (
        pytest.raises(DeployError, match="rule MailIsServus: mail is only sent with servus"),
        LocalCloud(template=FIXTURE / "template.yaml", parameters={"WithMail": "yes"}),
    ):
        pass


def test_a_deployment_says_nothing_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(2):  # the translator speaks when the next one takes its place
            deploy(tmp_path, "  Topic: {Type: AWS::SNS::Topic}\n")
    assert caplog.messages == []


def test_parameters_choose_what_is_made() -> None:
    parameters = {"WithMail": "yes", "Greeting": "servus"}
    with LocalCloud(template=FIXTURE / "template.yaml", parameters=parameters, stack_name="mailing") as cloud:
        subscription = cloud.client("sns").get_subscription_attributes(SubscriptionArn=cloud.physical_id("Mailing"))
        assert subscription["Attributes"]["Endpoint"] == "someone@example.com"
        assert cloud.physical_id("Table").startswith("mailing-Table-")
