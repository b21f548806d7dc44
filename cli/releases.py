"""Releases of a stack: versions of its state machine, each of which names one version of every function."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from cli.platform import Platform
from openbell.errors import InvalidInput, OpenbellError

_FUNCTION = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d+:function:([\w-]+):(\d+)")
_NAME = re.compile(r"Release ([0-9a-z-]+)\. ")  # in the comment of statemachine/trading.asl.json


class ReleaseGone(OpenbellError):
    """A release cannot trade any more: somebody has removed a part of it."""


@dataclass(frozen=True)
class Release:
    """One version of the state machine."""

    number: int  # the version's
    name: str  # as it was deployed; empty if it was not named
    made_at: datetime
    live: bool  # whether runs start with it now
    functions: Mapping[str, int]  # the version of each, by its name on AWS


def read_releases(platform: Platform, limit: int) -> tuple[Release, ...]:
    """The newest releases, newest first, and in any case the live one."""
    states, machine = platform.client("stepfunctions"), platform.outputs["StateMachineArn"]
    live = _live_number(platform)
    listed = list(_versions(states, machine))
    wanted = [each for at, each in enumerate(listed) if at < limit or _number(each) == live]
    return tuple(_release(states, each, live) for each in wanted)


def _versions(states: Any, machine: str) -> Iterator[str]:
    token: dict[str, str] = {}
    while True:
        page = states.list_state_machine_versions(stateMachineArn=machine, **token)
        yield from (each["stateMachineVersionArn"] for each in page["stateMachineVersions"])
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def _live_number(platform: Platform) -> int:
    alias = platform.client("stepfunctions").describe_state_machine_alias(
        stateMachineAliasArn=platform.outputs["LiveMachineArn"]
    )
    most = max(alias["routingConfiguration"], key=lambda route: route["weight"])
    return _number(most["stateMachineVersionArn"])


def _number(version_arn: str) -> int:
    return int(version_arn.rpartition(":")[2])


def _release(states: Any, version_arn: str, live: int) -> Release:
    found = states.describe_state_machine(stateMachineArn=version_arn)
    name = _NAME.search(found["definition"])
    return Release(
        number=_number(version_arn),
        name=name[1] if name else "",
        made_at=found["creationDate"],
        live=_number(version_arn) == live,
        functions={function: int(version) for function, version in _FUNCTION.findall(found["definition"])},
    )


def find_release(releases: tuple[Release, ...], wanted: str) -> Release:
    """The release with this number or name; for an empty one the newest before the live one. InvalidInput if none."""
    live = next(release for release in releases if release.live)
    if not wanted:
        before = [release for release in releases if release.number < live.number]
        if not before:
            raise InvalidInput(f"release {live.number} is live, and there is none before it")
        return before[0]
    found = [release for release in releases if wanted in {str(release.number), release.name}]
    if not found:
        known = ", ".join(str(release.number) for release in releases)
        raise InvalidInput(f"there is no release {wanted!r}; `openbell release list` has {known}")
    return found[0]


def make_live(platform: Platform, release: Release) -> None:
    """Runs that start from now on use `release`; those under way go on with theirs.

    One call moves the alias of the state machine, and with it everything a run uses. The functions' own aliases follow;
    only the rule that closes dead runs makes use of one. Raises ReleaseGone, before anything is changed, if a version
    of a function is gone.
    """
    functions = platform.client("lambda")
    for name, version in release.functions.items():
        _check_is_there(functions, name, version)
    platform.client("stepfunctions").update_state_machine_alias(
        stateMachineAliasArn=platform.outputs["LiveMachineArn"],
        routingConfiguration=[
            {"stateMachineVersionArn": f"{platform.outputs['StateMachineArn']}:{release.number}", "weight": 100}
        ],
    )
    for name, version in release.functions.items():
        for alias in functions.list_aliases(FunctionName=name)["Aliases"]:
            functions.update_alias(FunctionName=name, Name=alias["Name"], FunctionVersion=str(version))


def _check_is_there(functions: Any, name: str, version: int) -> None:
    try:
        functions.get_function_configuration(FunctionName=name, Qualifier=str(version))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise ReleaseGone(f"version {version} of {name} was deleted: this release cannot be made live") from error
