"""The platform that a command looks at or steers: a stack on AWS, or the same stack in a local cloud."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)
from botocore.parsers import ResponseParserError

from cli.endpoint import ENDPOINT_FILE, read_endpoint
from openbell.adapters.alpaca.broker import AlpacaBroker
from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.adapters.s3_archive import S3Archive
from openbell.broker_keys import broker_keys
from openbell.errors import InvalidInput, OpenbellError, StoreRefused
from openbell.ports import Broker, Ledger

LOCAL_STACK = "openbell"  # the name of the stack in a local cloud
_OUTPUTS = ("TableName", "BucketName", "BrokerSecretArn", "StateMachineArn", "LiveMachineArn", "BrokerUrlInUse")
_ON_AWS = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
# A local cloud shares its processor with the Lambdas, and answers late while they work.
_LOCAL = Config(connect_timeout=3, read_timeout=60, retries={"total_max_attempts": 1}, proxies={})
_NOTHING_OF_THE_CALLERS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


class PlatformUnreachable(OpenbellError):
    """AWS or the local cloud did not do what a command asked of it."""


@dataclass(frozen=True)
class Place:
    """Where a platform is; without an endpoint it is on AWS."""

    stack: str
    endpoint_url: str = ""
    told_by: str = ""  # what names the endpoint
    access_key: str = field(default="", repr=False)  # the token of a local cloud

    def __str__(self) -> str:
        return f"local cloud at {self.endpoint_url}" if self.endpoint_url else "AWS"


def find_place(stack: str, local: str) -> Place:
    """The place that --stack and --local name, else the local cloud that runs in this folder.

    InvalidInput if neither is given and no local cloud runs here, or if the URL is none.
    """
    if local:
        return _local_place(local, stack or LOCAL_STACK)
    if stack:
        return Place(stack)
    found = read_endpoint()
    if found is None:
        raise InvalidInput(
            "which platform? Name a stack on AWS with --stack NAME, or a local cloud with --local URL; "
            f"without either, the one that `openbell up` runs in this folder is meant, and there is no {ENDPOINT_FILE}"
        )
    url = _checked_url(found.endpoint_url, f"{ENDPOINT_FILE}:")
    return Place(found.stack_name, url, str(ENDPOINT_FILE), found.access_key)


def _local_place(address: str, stack: str) -> Place:
    """The local cloud at an address such as http://KEY@127.0.0.1:4566; of the one that runs here the key is known."""
    parts = urlsplit(_checked_url(address, "--local"))
    url, key = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), parts.username or ""
    found = None if key else read_endpoint()
    if found and found.endpoint_url == url:
        key = found.access_key
    if not key:
        raise InvalidInput(
            f"--local {address}: expected the address with its access key, such as http://KEY@127.0.0.1:4566; "
            "`openbell up` prints it when it starts"
        )
    return Place(stack, url, f"--local {url}", key)


def _checked_url(text: str, told_by: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number
        valid = False
    if not valid:
        raise InvalidInput(f"{told_by} {text}: expected the URL of a local cloud, such as http://127.0.0.1:4566")
    return text.rstrip("/")


@contextmanager
def open_platform(place: Place) -> Iterator["Platform"]:
    """The platform at `place`; what AWS says no to, here and in the body, is told as an OpenbellError."""
    try:
        session = _session(place)
        found = _described(session.client("cloudformation", **_options(place)), place)
        yield Platform(place, session, found)
    except (BotoCoreError, ClientError, ResponseParserError, StoreRefused) as error:
        raise _explained(error, place) from error


def _session(place: Place) -> boto3.Session:
    if not place.endpoint_url:
        return boto3.Session()
    return boto3.Session(
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.access_key,
        region_name="us-east-1",
        botocore_session=botocore.session.Session(session_vars=_NOTHING_OF_THE_CALLERS),
    )


def _options(place: Place) -> dict[str, Any]:
    return {"endpoint_url": place.endpoint_url, "config": _LOCAL} if place.endpoint_url else {"config": _ON_AWS}


def _described(cloudformation: Any, place: Place) -> dict[str, Any]:
    """The stack as CloudFormation describes it; InvalidInput if there is none of that name, or it is not ours."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=place.stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            where = f"in the {place}" if place.endpoint_url else f"on {place}, {cloudformation.meta.region_name}"
            raise InvalidInput(f"there is no stack {place.stack!r} {where}; {_names(cloudformation)}") from error
        raise
    missing = [name for name in _OUTPUTS if name not in _by_key(found, "Output")]
    if missing:
        raise InvalidInput(
            f"the stack {place.stack!r} is no Openbell, or was not completely made: it has no output {missing[0]}"
        )
    return dict(found)


def _names(cloudformation: Any) -> str:
    try:
        stacks = [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]
    except ClientError:  # who may look at one stack need not be allowed to list them all
        return "which there are, AWS does not tell this login"
    return f"there are: {', '.join(sorted(stacks))}" if stacks else "there is none at all"


def _by_key(stack: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {entry[f"{kind}Key"]: entry[f"{kind}Value"] for entry in stack.get(f"{kind}s", [])}


class Platform:
    """A platform that was found: its ledger, its archive, its broker."""

    def __init__(self, place: Place, session: boto3.Session, stack: Mapping[str, Any]) -> None:
        self.place = place
        self.outputs: Mapping[str, str] = _by_key(stack, "Output")
        self.parameters: Mapping[str, str] = _by_key(stack, "Parameter")
        mode = self.parameters.get("TradingMode")
        self.mode: Literal["paper", "live"] = "live" if mode == "live" else "paper"
        self._session = session

    @property
    def identity(self) -> dict[str, str]:
        """Which platform this is, in words."""
        return {"stack": self.place.stack, "where": self.where, "mode": self.mode}

    @property
    def where(self) -> str:
        """AWS and its region, or the local cloud's URL."""
        return str(self.place) if self.place.endpoint_url else f"{self.place}, {self._session.region_name}"

    @property
    def trades_at_alpaca(self) -> bool:
        """Whether its broker is Alpaca itself, not a paper exchange."""
        return (urlsplit(self.outputs["BrokerUrlInUse"]).hostname or "").endswith("alpaca.markets")

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        return self._session.client(service, **_options(self.place))

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger in its table."""
        return DynamoLedger(self.client("dynamodb"), self.outputs["TableName"])

    @cached_property
    def archive(self) -> S3Archive:
        """The archive in its bucket."""
        return S3Archive(self.client("s3"), self.outputs["BucketName"])

    @cached_property
    def broker(self) -> Broker:
        """The brokerage account, with the keys in the stack's secret; KeysRefused if they were not filled in."""
        key_id, secret_key = self._keys()
        url = self.outputs["BrokerUrlInUse"]
        # Commands ask for no prices beside those of positions: the data host is never called.
        return AlpacaBroker(base_url=url, data_url=url, key_id=key_id, secret_key=secret_key, mode=self.mode)

    def _keys(self) -> tuple[str, str]:
        arn = self.outputs["BrokerSecretArn"]
        return broker_keys(self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"], arn)

    def execution_status(self, execution: str) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; empty if there is no such execution (any more)."""
        workflow = self.client("stepfunctions")
        try:
            return str(workflow.describe_execution(executionArn=self._arn(execution))["status"])
        except workflow.exceptions.ExecutionDoesNotExist:
            return ""

    def history(self, execution: str) -> Sequence[Mapping[str, Any]]:
        """The execution's events, oldest first; none if Step Functions has forgotten it, which it does in 90 days."""
        workflow = self.client("stepfunctions")
        pages = workflow.get_paginator("get_execution_history").paginate(executionArn=self._arn(execution))
        try:
            return [event for page in pages for event in page["events"]]
        except workflow.exceptions.ExecutionDoesNotExist:
            return []

    def _arn(self, execution: str) -> str:
        return f"{self.outputs['StateMachineArn'].replace(':stateMachine:', ':execution:')}:{execution}"


def _explained(error: Exception, place: Place) -> OpenbellError:
    """What an answer of AWS means for the person who asked."""
    match error:
        case EndpointConnectionError() | HTTPClientError() | ResponseParserError() if place.endpoint_url:
            return InvalidInput(
                f"{place.told_by}: no local cloud answers at {place.endpoint_url}, or its access key is another; "
                "start one with `openbell up`, or name a stack on AWS with --stack NAME"
            )
        case NoRegionError():
            return InvalidInput(f"--stack {place.stack}: in which region? Set AWS_DEFAULT_REGION, such as us-east-1")
        case NoCredentialsError() | ProfileNotFound():
            return InvalidInput(f"--stack {place.stack}: {error}. Log in to AWS first, such as with `aws sso login`")
    return PlatformUnreachable(f"{place}: {error}")
