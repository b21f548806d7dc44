"""The files under test, read once, and the template as CloudFormation would resolve it."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[3]


@cache
def template() -> dict[str, Any]:
    """template.yaml, its short tags spelled out."""
    found: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return found


@cache
def machine(name: str = "trading") -> dict[str, Any]:
    """A state machine, its placeholders as they are."""
    found: dict[str, Any] = json.loads((ROOT / "statemachine" / f"{name}.asl.json").read_text())
    return found


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the template's resources of one type, by logical id."""
    return {name: r["Properties"] for name, r in template()["Resources"].items() if r["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """The functions' properties by logical id."""
    return resources("AWS::Serverless::Function")


@cache
def expanded() -> dict[str, Any]:
    """The template after the SAM transform, its code replaced by a place in S3."""
    source: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in source["Resources"].values():
        for key in resource["Properties"].keys() & {"CodeUri", "ContentUri", "DefinitionUri"}:
            resource["Properties"][key] = "s3://bucket/key"
    folder = "arn:aws:iam::aws:policy"
    managed = {
        "AWSLambdaBasicExecutionRole": f"{folder}/service-role/AWSLambdaBasicExecutionRole",
        "AWSXrayWriteOnlyAccess": f"{folder}/AWSXrayWriteOnlyAccess",
    }
    translator = Translator(managed, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    found: dict[str, Any] = translator.translate(source, parameter_values={})
    return found


def resolve(value: Any, **given: str) -> Any:
    """`value` with the given parameters and the defaults of the others put in, as far as conditions and maps go."""
    if not isinstance(value, dict):
        return [resolve(entry, **given) for entry in value] if isinstance(value, list) else value
    ((name, argument),) = value.items()
    if name == "Ref":
        return given.get(argument, template()["Parameters"][argument]["Default"])
    if name == "Condition":
        return resolve(template()["Conditions"][argument], **given)
    if name == "Fn::If":
        condition, yes, no = argument
        return resolve(yes if resolve({"Condition": condition}, **given) else no, **given)
    return _FUNCTIONS[name](*resolve(argument, **given))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Fn::Equals": lambda a, b: a == b,
    "Fn::Not": lambda a: not a,
    "Fn::FindInMap": lambda name, top, second: template()["Mappings"][name][top][second],
}
