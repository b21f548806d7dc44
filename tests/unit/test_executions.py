"""Whether an execution of Step Functions has ended."""

import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from openbell.adapters.step_functions import StepFunctionsExecutions

OWN = "arn:aws:states:us-east-1:123456789012:execution:machine:this-one"


class Client:
    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 as botocore spells it
        self.asked.append(executionArn)
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"status": self.answer}


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("RUNNING", False),
        ("PENDING_REDRIVE", False),
        ("SUCCEEDED", True),
        ("FAILED", True),
        ("TIMED_OUT", True),
        ("ABORTED", True),
    ],
)
def test_an_execution_of_the_same_workflow_is_asked_for(status: str, ended: bool) -> None:
    client = Client(status)
    assert StepFunctionsExecutions(client, OWN).ended("another") is ended
    assert client.asked == ["arn:aws:states:us-east-1:123456789012:execution:machine:another"]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": "no"}}, "DescribeExecution"),
        ConnectTimeoutError(endpoint_url="https://states"),
    ],
)
def test_what_is_not_known_has_not_ended(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert StepFunctionsExecutions(Client(error), OWN).ended("another") is False
    assert "machine:another has ended is not known" in caplog.text
