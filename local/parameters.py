"""What CloudFormation checks before it makes anything: the template's parameters and rules."""

import re
from collections.abc import Mapping
from typing import Any

from local.failures import DeployError


def checked_parameters(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """All parameters of `template` with the given values, else their defaults.

    Raises DeployError for an unknown or missing one, a value that is not allowed, and a broken rule.
    """
    declared = template.get("Parameters", {})
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise DeployError(f"the template has no parameter {', '.join(unknown)}; it has {', '.join(sorted(declared))}")
    values = {name: _value(name, slot, given) for name, slot in declared.items()}
    for name, rule in template.get("Rules", {}).items():
        _check_rule(name, rule, values)
    return values


def _value(name: str, slot: Mapping[str, Any], given: Mapping[str, str]) -> str:
    found = given.get(name, slot.get("Default"))
    if found is None:
        raise DeployError(f"parameter {name} has no default and was not given")
    value = str(found)
    allowed = slot.get("AllowedValues")
    if allowed is not None and value not in map(str, allowed):
        raise DeployError(f"parameter {name} is {value!r}; allowed are {', '.join(map(str, allowed))}")
    pattern = slot.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        words = slot.get("ConstraintDescription", f"it must match {pattern}")
        raise DeployError(f"parameter {name} is {value!r}: {words}")
    return value


def _check_rule(name: str, rule: Mapping[str, Any], values: Mapping[str, str]) -> None:
    if "RuleCondition" in rule and not _holds(rule["RuleCondition"], values):
        return
    for assertion in rule["Assertions"]:
        if not _holds(assertion["Assert"], values):
            raise DeployError(f"rule {name}: {assertion.get('AssertDescription', 'an assertion does not hold')}")


def _holds(condition: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    ((function, arguments),) = condition.items()
    match function:
        case "Fn::Equals":
            left, right = (_read(argument, values) for argument in arguments)
            return left == right
        case "Fn::Not":
            return not _holds(arguments[0], values)
        case "Fn::And":
            return all(_holds(argument, values) for argument in arguments)
        case "Fn::Or":
            return any(_holds(argument, values) for argument in arguments)
        case "Fn::Contains":
            return _read(arguments[1], values) in [_read(argument, values) for argument in arguments[0]]
    raise DeployError(f"a rule uses {function}, which is not known here")


def _read(argument: Any, values: Mapping[str, str]) -> str:
    return values[argument["Ref"]] if isinstance(argument, Mapping) else str(argument)
