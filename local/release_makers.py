"""How what a release consists of is made and changed: functions, their versions, and state machines (moto 5.2.5)."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from local.custom_resources import asked
from local.failures import DeployError
from local.moto_lambda import LOGICAL_ID_TAG, find_function
from local.moto_resources import Made, Wanted, lower_first, makes, updates

# ------------------------------------------------------------------------------------------------ Lambda


@makes("AWS::Lambda::Function", "FunctionName")
def _function(wanted: Wanted) -> Made:
    reserved = wanted.take("ReservedConcurrentExecutions")
    tags = {tag["Key"]: tag["Value"] for tag in wanted.take("Tags", [])} | {LOGICAL_ID_TAG: wanted.logical_id}
    properties = wanted.take_all() | {"FunctionName": wanted.name}
    if "KmsKeyArn" in properties:
        properties["KMSKeyArn"] = properties.pop("KmsKeyArn")
    made = wanted.call("lambda", "create_function", **properties, Tags=tags)
    if reserved is not None:
        wanted.call(
            "lambda",
            "put_function_concurrency",
            FunctionName=wanted.name,
            ReservedConcurrentExecutions=reserved,
        )
    group = properties.get("LoggingConfig", {}).get("LogGroup")
    if group:
        find_function(wanted.name).logs_group_name = group  # moto's API drops it
    return Made(wanted.name, {"Arn": made["FunctionArn"]})


@updates("AWS::Lambda::Function")
def _update_function(wanted: Wanted, made: Made) -> Made:
    function = find_function(wanted.name)
    function.code = dict(function.code)  # moto's versions share it, and would change with it
    wanted.call("lambda", "update_function_code", FunctionName=wanted.name, **wanted.take("Code"))
    for fixed in ("FunctionName", "Architectures", "PackageType", "Tags", "ReservedConcurrentExecutions"):
        wanted.take(fixed)
    properties = wanted.take_all()
    if "KmsKeyArn" in properties:
        properties["KMSKeyArn"] = properties.pop("KmsKeyArn")
    wanted.call("lambda", "update_function_configuration", FunctionName=wanted.name, **properties)
    return made


@makes("AWS::Lambda::LayerVersion", again=True)
def _layer_version(wanted: Wanted) -> Made:
    properties = {"LayerName": wanted.logical_id} | wanted.take_all()
    arn = wanted.call("lambda", "publish_layer_version", **properties)["LayerVersionArn"]
    return Made(arn, {"LayerVersionArn": arn})


@makes("AWS::Lambda::Version")
def _version(wanted: Wanted) -> Made:
    made = wanted.call("lambda", "publish_version", **wanted.take_all())
    base, version = made["FunctionArn"], made["Version"]
    arn = base if base.endswith(f":{version}") else f"{base}:{version}"
    return Made(arn, {"Version": version, "FunctionArn": arn})


@makes("AWS::Lambda::Alias", "Name")
def _alias(wanted: Wanted) -> Made:
    arn = wanted.call("lambda", "create_alias", **wanted.take_all())["AliasArn"]
    return Made(arn, {"AliasArn": arn})


@updates("AWS::Lambda::Alias")
def _update_alias(wanted: Wanted, made: Made) -> Made:
    wanted.call("lambda", "update_alias", **wanted.take_all())
    return made


@makes("AWS::Lambda::Permission")
def _permission(wanted: Wanted) -> Made:
    function = find_function(wanted.take("FunctionName"))
    wanted.call(
        "lambda",
        "add_permission",
        **wanted.take_all(),
        FunctionName=function.function_name,
        StatementId=wanted.logical_id,
    )
    return Made(wanted.logical_id)


@makes("AWS::Lambda::EventInvokeConfig")
def _event_invoke_config(wanted: Wanted) -> Made:
    properties = wanted.take_all()
    wanted.call("lambda", "put_function_event_invoke_config", **properties)
    return Made(f"{properties['FunctionName']}|{properties.get('Qualifier', '$LATEST')}")


# ------------------------------------------------------------------------------------------------ The check


@makes("Custom::ReleaseCheck")
def _check(wanted: Wanted) -> Made:
    return asked(wanted, "Create")


@updates("Custom::ReleaseCheck")
def _check_again(wanted: Wanted, _: Made) -> Made:
    return asked(wanted, "Update")


# ------------------------------------------------------------------------------------------------ Workflow


@makes("AWS::StepFunctions::StateMachine", "StateMachineName")
def _state_machine(wanted: Wanted) -> Made:
    wanted.take("StateMachineName")
    made = wanted.call(
        "stepfunctions",
        "create_state_machine",
        name=wanted.name,
        definition=_definition(wanted),
        roleArn=wanted.take("RoleArn"),
        type=wanted.take("StateMachineType", "STANDARD"),
        loggingConfiguration=lower_first(wanted.take("LoggingConfiguration", {})),
        tracingConfiguration=lower_first(wanted.take("TracingConfiguration", {})),
        tags=lower_first(wanted.take("Tags", [])),
    )
    arn = made["stateMachineArn"]
    return _machine(arn, wanted)


@updates("AWS::StepFunctions::StateMachine")
def _update_state_machine(wanted: Wanted, made: Made) -> Made:
    for fixed in ("StateMachineName", "StateMachineType", "Tags"):
        wanted.take(fixed)
    wanted.call(
        "stepfunctions",
        "update_state_machine",
        stateMachineArn=made.ref,
        definition=_definition(wanted),
        roleArn=wanted.take("RoleArn"),
        loggingConfiguration=lower_first(wanted.take("LoggingConfiguration", {})),
        tracingConfiguration=lower_first(wanted.take("TracingConfiguration", {})),
    )
    return _machine(made.ref, wanted)


def _machine(arn: str, wanted: Wanted) -> Made:
    """The revision is another after each change: a version of the machine is published then."""
    return Made(arn, {"Arn": arn, "Name": wanted.name, "StateMachineRevisionId": str(uuid.uuid4())})


@makes("AWS::StepFunctions::StateMachineVersion", again=True)
def _state_machine_version(wanted: Wanted) -> Made:
    wanted.take("StateMachineRevisionId")
    machine, description = wanted.take("StateMachineArn"), wanted.take("Description", "")
    made = wanted.call(
        "stepfunctions", "publish_state_machine_version", stateMachineArn=machine, description=description
    )
    return Made(made["stateMachineVersionArn"], {"Arn": made["stateMachineVersionArn"]})


@makes("AWS::StepFunctions::StateMachineAlias", "Name")
def _state_machine_alias(wanted: Wanted) -> Made:
    routing = _routing(wanted)
    made = wanted.call(
        "stepfunctions", "create_state_machine_alias", name=wanted.take("Name"), routingConfiguration=routing
    )
    return Made(made["stateMachineAliasArn"], {"Arn": made["stateMachineAliasArn"]})


@updates("AWS::StepFunctions::StateMachineAlias")
def _update_state_machine_alias(wanted: Wanted, made: Made) -> Made:
    wanted.take("Name")
    wanted.call(
        "stepfunctions",
        "update_state_machine_alias",
        stateMachineAliasArn=made.ref,
        routingConfiguration=_routing(wanted),
    )
    return made


def _routing(wanted: Wanted) -> list[dict[str, Any]]:
    """All to one version at once, whatever the preference: nobody watches alarms while a local stack is deployed."""
    return [{"stateMachineVersionArn": wanted.take("DeploymentPreference")["StateMachineVersionArn"], "weight": 100}]


def _definition(wanted: Wanted) -> str:
    location, inline = wanted.take("DefinitionS3Location"), wanted.take("Definition")
    text = wanted.take("DefinitionString") or json.dumps(inline)
    if location:
        found = wanted.call("s3", "get_object", Bucket=location["Bucket"], Key=location["Key"])
        text = found["Body"].read().decode()
    return _substituted(text, wanted.take("DefinitionSubstitutions", {}))


def _substituted(text: str, values: Mapping[str, Any]) -> str:
    """`text` with each ${Name} replaced; DeployError names the ones that have no value."""
    names = set(re.findall(r"\$\{(\w+)\}", text))
    unknown = sorted(names - set(values))
    if unknown:
        raise DeployError(f"DefinitionSubstitutions has no {', '.join(unknown)}, which the workflow uses")
    return re.sub(r"\$\{(\w+)\}", lambda found: str(values[found[1]]), text)
