"""What is checked before anything is made."""

from collections.abc import Mapping
from typing import Any

import pytest

from local import DeployError
from local.parameters import checked_parameters

DECLARED: dict[str, Any] = {
    "Mode": {"Type": "String", "Default": "paper", "AllowedValues": ["paper", "live"]},
    "Confirm": {"Type": "String", "Default": ""},
    "Days": {"Type": "Number", "Default": 30, "AllowedValues": [7, 30]},
    "Url": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "^$|^https?://[a-z.]+$",
        "ConstraintDescription": "scheme and host only",
    },
}
LIVE_IS_MEANT = {
    "RuleCondition": {"Fn::Equals": [{"Ref": "Mode"}, "live"]},
    "Assertions": [
        {"Assert": {"Fn::Equals": [{"Ref": "Confirm"}, "yes"]}, "AssertDescription": "live needs Confirm=yes"},
        {"Assert": {"Fn::Equals": [{"Ref": "Url"}, ""]}, "AssertDescription": "live has its own Url"},
    ],
}


def checked(given: Mapping[str, str], rule: Mapping[str, Any] | None = None) -> dict[str, str]:
    template = {"Parameters": DECLARED} | ({"Rules": {"Rule": rule}} if rule else {})
    return checked_parameters(template, given)


def test_what_is_not_given_has_its_default_as_a_text() -> None:
    assert checked({"Mode": "live"}) == {"Mode": "live", "Confirm": "", "Days": "30", "Url": ""}


def test_a_number_may_be_given_as_a_text() -> None:
    assert checked({"Days": "7"})["Days"] == "7"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Mod": "live"}, "the template has no parameter Mod; it has Confirm, Days, Mode, Url"),
        ({"Mode": "play"}, "parameter Mode is 'play'; allowed are paper, live"),
        ({"Days": "8"}, "parameter Days is '8'; allowed are 7, 30"),
        ({"Url": "ftp://host"}, "parameter Url is 'ftp://host': scheme and host only"),
        ({"Url": "https://host/path"}, "parameter Url is 'https://host/path': scheme and host only"),
        ({"Url": "https://host\n"}, r"parameter Url is 'https://host\\n': scheme and host only"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is(given: dict[str, str], told: str) -> None:
    with pytest.raises(DeployError, match=f"^{told}$"):
        checked(given)


def test_a_pattern_holds_for_the_whole_value() -> None:
    template = {"Parameters": {"Name": {"Type": "String", "AllowedPattern": "[a-z]+"}}}
    assert checked_parameters(template, {"Name": "abc"}) == {"Name": "abc"}
    with pytest.raises(DeployError, match=r"parameter Name is 'abc1': it must match \[a-z\]\+"):
        checked_parameters(template, {"Name": "abc1"})


def test_a_parameter_without_a_default_must_be_given() -> None:
    with pytest.raises(DeployError, match="parameter Name has no default and was not given"):
        checked_parameters({"Parameters": {"Name": {"Type": "String"}}}, {})


def test_a_template_without_parameters_takes_none() -> None:
    assert checked_parameters({}, {}) == {}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Mode": "live"}, "rule Rule: live needs Confirm=yes"),
        ({"Mode": "live", "Confirm": "yes", "Url": "https://host"}, "rule Rule: live has its own Url"),
    ],
)
def test_each_assertion_of_a_rule_must_hold_where_its_condition_does(given: dict[str, str], told: str) -> None:
    with pytest.raises(DeployError, match=f"^{told}$"):
        checked(given, LIVE_IS_MEANT)


@pytest.mark.parametrize("given", [{}, {"Url": "https://host"}, {"Mode": "live", "Confirm": "yes"}])
def test_a_rule_lets_everything_else_pass(given: dict[str, str]) -> None:
    assert checked(given, LIVE_IS_MEANT).items() >= given.items()


IS_LIVE = {"Fn::Equals": [{"Ref": "Mode"}, "live"]}
IS_PAPER = {"Fn::Equals": [{"Ref": "Mode"}, "paper"]}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (IS_PAPER, True),
        (IS_LIVE, False),
        ({"Fn::Not": [IS_LIVE]}, True),
        ({"Fn::Not": [IS_PAPER]}, False),
        ({"Fn::And": [IS_PAPER, {"Fn::Not": [IS_LIVE]}]}, True),
        ({"Fn::And": [IS_PAPER, IS_LIVE]}, False),
        ({"Fn::Or": [IS_LIVE, IS_PAPER]}, True),
        ({"Fn::Or": [IS_LIVE, IS_LIVE]}, False),
        ({"Fn::Contains": [["paper", "live"], {"Ref": "Mode"}]}, True),
        ({"Fn::Contains": [["live"], {"Ref": "Mode"}]}, False),
    ],
)
def test_rules_know_the_functions_of_conditions(condition: dict[str, Any], holds: bool) -> None:
    rule = {"Assertions": [{"Assert": condition}]}
    if holds:
        assert checked({}, rule)["Mode"] == "paper"
    else:
        with pytest.raises(DeployError, match="rule Rule: an assertion does not hold"):
            checked({}, rule)


def test_a_function_that_is_not_known_is_named() -> None:
    with pytest.raises(DeployError, match="a rule uses Fn::ValueOf, which is not known here"):
        checked({}, {"Assertions": [{"Assert": {"Fn::ValueOf": ["a", "b"]}}]})
