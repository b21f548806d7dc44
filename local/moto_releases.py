"""Versions and aliases of state machines, which moto has only in part (moto 5.2.5): published, listed and started."""

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from moto.core.responses import ActionResult
from moto.stepfunctions.models import StateMachine, StepFunctionBackend
from moto.stepfunctions.responses import StepFunctionResponse

from local.patching import added, replaced

_PARTS = 7  # of a state machine's ARN; an eighth is a version's number or an alias


def unqualified(arn: str) -> str:
    """The state machine's own ARN, without a version or an alias."""
    return ":".join(arn.split(":")[:_PARTS])


@contextmanager
def releases_are_kept() -> Iterator[None]:
    """State machines have versions and aliases inside the block, and whatever takes an ARN takes theirs."""
    describe = StepFunctionBackend.describe_state_machine
    answer = StepFunctionResponse._describe_state_machine

    def describe_state_machine(self: StepFunctionBackend, arn: str) -> StateMachine:
        """A version or an alias is the machine as it was published: stock knows no aliases here."""
        machine = describe(self, unqualified(arn))
        number = _number(machine, arn)
        if number is None:
            return machine
        published = describe(self, f"{machine.arn}:{number}")
        found = copy.copy(machine)  # shares its executions: those of all versions are the machine's
        found.definition, found.description = published.definition, published.description
        found.creation_date = published.creation_date
        return found

    def answer_description(self: StepFunctionResponse, arn: str) -> ActionResult:
        made = answer(self, arn)
        made.result["stateMachineArn"] = arn
        return made

    def publish_state_machine_version(self: StepFunctionResponse) -> ActionResult:
        machine = self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
        machine.publish(self._get_param("description"))
        version = machine.latest_version
        return ActionResult({"stateMachineVersionArn": version.arn, "creationDate": version.creation_date})

    def list_state_machine_versions(self: StepFunctionResponse) -> ActionResult:
        machine = self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
        versions = sorted(machine.versions.values(), key=lambda version: version.version, reverse=True)
        listed = [{"stateMachineVersionArn": each.arn, "creationDate": each.creation_date} for each in versions]
        return ActionResult({"stateMachineVersions": listed})

    with ExitStack() as stack:
        stack.enter_context(replaced(StepFunctionBackend, "describe_state_machine", describe_state_machine))
        stack.enter_context(replaced(StepFunctionResponse, "_describe_state_machine", answer_description))
        for operation in (publish_state_machine_version, list_state_machine_versions):
            stack.enter_context(added(StepFunctionResponse, operation.__name__, operation))
        yield


def _number(machine: StateMachine, arn: str) -> int | None:
    """The version that a qualified ARN means now; None without a qualifier, which is the newest definition."""
    qualifier = arn.removeprefix(machine.arn).removeprefix(":")
    if not qualifier:
        return None
    alias = machine.aliases.get(qualifier)
    if alias:
        return int(alias.routing_configuration[0]["stateMachineVersionArn"].rpartition(":")[2])
    return int(qualifier)
