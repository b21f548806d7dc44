"""Switching the schedules of a stack: a parameter of the template, so that the next deployment keeps it."""

from typing import Any, Literal

from botocore.exceptions import ClientError

from cli.platform import Platform

type State = Literal["ENABLED", "DISABLED"]
_NOTHING_TO_DO = "No updates are to be performed"
_PARAMETER = "ScheduleState"


def schedule_state(cloudformation: Any, stack: str) -> str:
    """ENABLED or DISABLED, as the stack was deployed or switched last."""
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    states = {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}
    return str(states[_PARAMETER])


def switch_schedules(platform: Platform, state: State) -> None:
    """Update the stack with this state and everything else as it is; returns when that is done.

    Before they are switched on, the broker's clock is asked: KeysRefused if the keys are not in the secret, or wrong.
    """
    if state == "ENABLED":
        platform.broker.clock()
    cloudformation, stack = platform.client("cloudformation"), platform.place.stack
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    names = [each["ParameterKey"] for each in found["Parameters"] if each["ParameterKey"] != _PARAMETER]
    kept: list[dict[str, Any]] = [{"ParameterKey": name, "UsePreviousValue": True} for name in names]
    try:
        cloudformation.update_stack(
            StackName=stack,
            UsePreviousTemplate=True,
            Parameters=[*kept, {"ParameterKey": _PARAMETER, "ParameterValue": state}],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
    except ClientError as error:
        if _NOTHING_TO_DO not in str(error):
            raise
        return
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 5})
