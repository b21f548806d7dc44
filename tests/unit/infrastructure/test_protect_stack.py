import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from scripts.protect_stack import deployed, protect

EXPECTED = {"StackName": "openbell-paper", "EnableTerminationProtection": True}


def client() -> tuple[object, Stubber]:
    made = boto3.client("cloudformation", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    return made, Stubber(made)


def test_the_stack_is_protected_against_deletion() -> None:
    cloudformation, stub = client()
    stub.add_response("update_termination_protection", {"StackId": "arn"}, EXPECTED)
    with stub:
        assert protect(cloudformation, "openbell-paper") == "the stack openbell-paper is protected against deletion"
    stub.assert_no_pending_responses()


def test_a_deployment_that_was_declined_leaves_nothing_to_protect() -> None:
    cloudformation, stub = client()
    words = "Stack with id openbell-paper does not exist"
    stub.add_client_error("update_termination_protection", "ValidationError", words, expected_params=EXPECTED)
    with stub:
        assert protect(cloudformation, "openbell-paper") == "there is no stack openbell-paper: nothing to protect"


def test_a_refusal_fails_the_deployment() -> None:
    cloudformation, stub = client()
    stub.add_client_error("update_termination_protection", "AccessDenied", "not allowed")
    with stub, pytest.raises(ClientError, match="not allowed"):
        protect(cloudformation, "openbell-paper")


@pytest.mark.parametrize(("profile", "stack"), [("default", "openbell-paper"), ("live", "openbell-live")])
def test_each_profile_protects_its_own_stack(profile: str, stack: str) -> None:
    assert deployed(profile) == (stack, "us-east-1")
