"""The commands on a stack as AWS describes it: its outputs, its table, its secret."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli.main import app
from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.model import Halt, Run, RunStatus
from tests.builders import AS_OF

KEYS = '{"key_id": "", "secret_key": ""}'
BARE: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}


def template(secret: str, mode: str = "paper") -> dict[str, Any]:
    keys = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    schema = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
    table = {"AttributeDefinitions": keys, "KeySchema": schema, "BillingMode": "PAY_PER_REQUEST"}
    outputs = {
        "TableName": {"Ref": "Table"},
        "BucketName": {"Ref": "Bucket"},
        "BrokerSecretArn": secret,
        "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:Trading",
        "LiveMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:Trading:live",
        "BrokerUrlInUse": "https://paper-api.alpaca.markets",
    }
    return {
        "Parameters": {"TradingMode": {"Type": "String", "Default": mode}},
        "Resources": {
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": table},
            "Bucket": {"Type": "AWS::S3::Bucket"},
        },
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoLedger]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        cloudformation = boto3.client("cloudformation")
        secret = boto3.client("secretsmanager").create_secret(Name="keys", SecretString=KEYS)["ARN"]
        cloudformation.create_stack(StackName="openbell-paper", TemplateBody=json.dumps(template(secret)))
        cloudformation.create_stack(StackName="another", TemplateBody=json.dumps(BARE))
        (table,) = boto3.client("dynamodb").list_tables()["TableNames"]
        yield DynamoLedger(boto3.client("dynamodb"), table)


def openbell(*arguments: str, stack: str = "openbell-paper") -> Result:
    return CliRunner().invoke(app, [*arguments, "--stack", stack])


def words(told: Result) -> str:
    return " ".join(told.stderr.split())


def test_the_ledger_is_found_by_the_stacks_outputs(ledger: DynamoLedger) -> None:
    ledger.start_run(Run("20220615-1500-aaaa", "e", AS_OF, RunStatus.COMPLETED, "daily", ("momentum",)), None)
    told = openbell("runs", "--json")
    assert told.exit_code == 0, told.stderr
    answer = json.loads(told.stdout)
    assert answer["platform"] == {"stack": "openbell-paper", "where": "AWS, us-east-1", "mode": "paper"}
    assert [run["run_id"] for run in answer["runs"]] == ["20220615-1500-aaaa"]


def test_a_halt_reaches_the_table_although_the_broker_cannot_be_asked(ledger: DynamoLedger) -> None:
    assert openbell("halt", "--reason", " prices look wrong ").exit_code == 0
    halt = ledger.halt()
    assert halt
    assert (halt.reason, halt.flatten) == ("prices look wrong", False)
    assert openbell("resume").exit_code == 0
    assert ledger.halt() is None


def test_keys_that_were_not_filled_in_are_told(ledger: DynamoLedger) -> None:
    status = openbell("status")
    assert status.exit_code == 1
    assert "KeysRefused: the broker's keys in the secret" in " ".join(status.stdout.split())
    books = openbell("reconcile")
    assert books.exit_code == 1
    assert "are not filled in; see docs/runbook.md, 'Keys'" in words(books)


@pytest.mark.parametrize("content", ["no JSON", "{}", "[]", '{"key_id": "a"}'])
def test_a_secret_that_holds_no_keys_is_told(ledger: DynamoLedger, content: str) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId="keys", SecretString=content)
    assert "must be JSON with key_id and secret_key; see docs/runbook.md, 'Keys'" in words(openbell("reconcile"))


def test_a_stack_that_is_not_there_is_told_with_those_that_are(ledger: DynamoLedger) -> None:
    told = openbell("runs", stack="openbell-live")
    assert (told.exit_code, told.stdout) == (2, "")
    assert "there is no stack 'openbell-live' on AWS, us-east-1; there are: another, openbell-paper" in words(told)


def test_a_stack_of_something_else_is_told(ledger: DynamoLedger) -> None:
    told = openbell("runs", stack="another")
    assert told.exit_code == 2
    assert "the stack 'another' is no Openbell, or was not completely made: it has no output TableName" in words(told)


def test_paper_keys_never_reach_a_host_of_another_mode(ledger: DynamoLedger) -> None:
    secrets = boto3.client("secretsmanager")
    keys = secrets.put_secret_value(SecretId="keys", SecretString='{"key_id": "a", "secret_key": "b"}')
    odd = json.dumps(template(keys["ARN"], "live"))
    boto3.client("cloudformation").create_stack(StackName="odd", TemplateBody=odd)
    told = openbell("reconcile", stack="odd")
    assert told.exit_code == 2
    assert "mode is 'live' and the broker's URL is https://paper-api.alpaca.markets" in words(told)


def test_what_aws_refuses_is_told_in_its_words(ledger: DynamoLedger) -> None:
    boto3.client("dynamodb").delete_table(TableName=boto3.client("dynamodb").list_tables()["TableNames"][0])
    told = openbell("runs")
    assert told.exit_code == 1
    assert "PlatformUnreachable: AWS: DynamoDB refuses query: An error occurred (ResourceNotFoundException)" in words(
        told
    )


def test_a_wish_to_flatten_is_asked_about_and_recorded(ledger: DynamoLedger) -> None:
    arguments = ["halt", "--reason", "sell it all", "--flatten", "--stack", "openbell-paper"]
    declined = CliRunner().invoke(app, arguments, input="n\n")
    assert declined.exit_code == 1
    assert "Sell all that the strategies hold in openbell-paper (nothing now)?" in words(declined)
    assert ledger.halt() is None
    assert CliRunner().invoke(app, arguments).exit_code == 1  # nobody is there to answer
    assert ledger.halt() is None
    assert CliRunner().invoke(app, arguments, input="y\n").exit_code == 0
    halt = ledger.halt()
    assert halt
    assert halt.flatten


def test_a_later_wish_joins_the_halt_that_is_there(ledger: DynamoLedger) -> None:
    ledger.set_halt(Halt("the daily loss", "the daily loss limit", AS_OF))
    told = openbell("halt", "--reason", "out", "--flatten", "--yes")
    assert told.exit_code == 0
    assert "that halt stays, and has the wish to flatten now" in " ".join(told.stdout.split())
    assert ledger.halt() == Halt("the daily loss", "the daily loss limit", AS_OF, flatten=True)
    assert "Its wish to flatten is forgotten" in openbell("resume").stdout


def test_a_second_halt_keeps_the_first_reason_and_a_second_resume_does_nothing(ledger: DynamoLedger) -> None:
    openbell("halt", "--reason", "first")
    told = openbell("halt", "--reason", "second", "--json")
    answer = json.loads(told.stdout)
    assert answer["halt"] == answer["before"]
    assert answer["halt"]["reason"] == "first"
    openbell("resume")
    again = openbell("resume")
    assert again.exit_code == 0
    assert "Trading was not halted: nothing to resume." in again.stdout


@pytest.mark.parametrize("reason", [[], ["--reason", ""], ["--reason", " \t"]])
def test_a_halt_needs_a_reason(ledger: DynamoLedger, reason: list[str]) -> None:
    told = openbell("halt", *reason)
    assert (told.exit_code, told.stdout) == (2, "")
    assert "--reason is missing: say why trading stops" in words(told)
    assert ledger.halt() is None
