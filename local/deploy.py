"""From a SAM template to resources: expanded by SAM's translator, made by CloudFormation, compared with it."""

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from moto.cloudformation.models import cloudformation_backends
from samtranslator.parser.parser import Parser
from samtranslator.public.exceptions import InvalidDocumentException
from samtranslator.translator.arn_generator import ArnGenerator
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template
from samtranslator.yaml_helper import yaml_parse

from local.account import ACCOUNT_ID, REGION, Clients, hermetic_session
from local.artefacts import Artefacts
from local.failures import DeployError, Failures
from local.parameters import checked_parameters
from local.patching import replaced

_BUCKET = "local-artefacts"
_NOTHING_TO_DO = "No updates are to be performed"


@dataclass(frozen=True)
class Stack:
    """What was made of the template."""

    name: str
    outputs: Mapping[str, str]
    physical_ids: Mapping[str, str]  # by logical id
    types: Mapping[str, str]  # by logical id

    def of_type(self, kind: str) -> tuple[str, ...]:
        """The physical ids of all resources of a type, such as AWS::S3::Bucket."""
        return tuple(self.physical_ids[name] for name, found in self.types.items() if found == kind)


class _AnyPolicy(dict[str, str]):
    """Tells SAM the ARN of any of AWS's managed policies without asking IAM; roles are not enforced here."""

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 dict's signature
        return f"arn:aws:iam::aws:policy/{name}"


def expand(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The CloudFormation template that AWS would make of a SAM template; DeployError if SAM refuses it."""
    fragment, values = copy.deepcopy(dict(template)), dict(parameters)
    to_py27_compatible_template(fragment, values)  # keeps the order of keys, on which the ids of versions depend
    with replaced(ArnGenerator, "BOTO_SESSION_REGION_NAME", REGION):
        translator = Translator(None, Parser(), None, hermetic_session())
        try:
            expanded = translator.translate(
                fragment, values, passthrough_metadata=True, get_managed_policy_map=_AnyPolicy
            )
        except InvalidDocumentException as error:
            causes = "; ".join(str(cause.message) for cause in error.causes)
            raise DeployError(f"SAM refuses the template: {causes or error.message}") from error
        finally:
            translator.metrics.publish()  # to nobody; otherwise it warns that they were not published
    return dict(undo_mark_unicode_str_in_template(expanded))


def deploy(
    path: Path, given: Mapping[str, str], artefacts: Artefacts, clients: Clients, stack: str, failures: Failures
) -> Stack:
    """Make every resource of the template at `path`; what the stack has already is changed or left as it is.

    `failures` has what breaks inside the emulation. Raises DeployError, naming the resource that was not made; a stack
    that was there is as it was then.
    """
    template = yaml_parse(path.read_text())
    parameters = checked_parameters(template, given)
    s3 = clients.get("s3")
    s3.create_bucket(Bucket=_BUCKET)
    for key, content in artefacts.package(template, _BUCKET):
        s3.put_object(Bucket=_BUCKET, Key=key, Body=content)
    expanded = expand(template, parameters)
    with _refusals_are_told(stack, failures):
        _create(clients, stack, expanded, parameters)
        return _compare(clients, stack, expanded)


@contextmanager
def _refusals_are_told(stack: str, failures: Failures) -> Iterator[None]:
    """What CloudFormation answers as an internal error becomes a DeployError with the cause that was found inside."""
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        found = [failure.error for failure in failures.take()] or [error]
        refused = next((cause for cause in found if isinstance(cause, DeployError)), None)
        words = str(refused or f"the stack {stack} could not be made")
        raise DeployError(words if found[0] is refused else f"{words}: {found[0]!r}") from found[0]


def _create(clients: Clients, stack: str, expanded: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
    cloudformation = clients.get("cloudformation")
    wanted = {
        "StackName": stack,
        "TemplateBody": json.dumps(expanded),
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    there = [found for found in cloudformation_backends[ACCOUNT_ID][REGION].stacks.values() if found.name == stack]
    if not there:
        cloudformation.create_stack(**wanted)
        return
    before = there[0].template
    try:
        cloudformation.update_stack(**wanted)
    except ClientError as error:
        if _NOTHING_TO_DO not in str(error):
            there[0].template = before  # moto would take the same template for no change next time
            raise


def _compare(clients: Clients, stack: str, expanded: Mapping[str, Any]) -> Stack:
    cloudformation = clients.get("cloudformation")
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    made = {found["LogicalResourceId"]: found for page in pages for found in page["StackResourceSummaries"]}
    missing = [
        f"{name} ({resource['Type']})"
        for name, resource in expanded["Resources"].items()
        if _is_wanted(stack, resource) and not made.get(name, {}).get("PhysicalResourceId")
    ]
    if missing:
        raise DeployError(
            f"not made of the template: {', '.join(missing)}. Teach local/resource_makers.py to make these types."
        )
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return Stack(
        stack,
        {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])},
        {name: found["PhysicalResourceId"] for name, found in made.items()},
        {name: found["ResourceType"] for name, found in made.items()},
    )


def _is_wanted(stack: str, resource: Mapping[str, Any]) -> bool:
    condition = resource.get("Condition")
    conditions = cloudformation_backends[ACCOUNT_ID][REGION].get_stack(stack).resource_map.lazy_condition_map
    return condition is None or bool(conditions[condition])
