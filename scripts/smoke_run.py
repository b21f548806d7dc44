"""One run on a stack that was just deployed: 0 if it succeeded (a skip is a success), 1 if it failed or hung.

.venv/bin/python -m scripts.smoke_run STACK
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import boto3

_EVERY_SECONDS = 10
_MOST_SECONDS = 3600  # beyond the workflow's own limit


def smoke_run(client_of: Callable[[str], Any], stack: str, pause: Callable[[float], None] = time.sleep) -> str:
    """Start a run as the schedules do, by the live alias; how it ended.

    SUCCEEDED, FAILED, TIMED_OUT or ABORTED; RUNNING if it did not end in time.
    """
    (found,) = client_of("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
    states = client_of("stepfunctions")
    execution = states.start_execution(stateMachineArn=outputs["LiveMachineArn"], input="{}")["executionArn"]
    status = "RUNNING"
    for _ in range(_MOST_SECONDS // _EVERY_SECONDS):
        status = str(states.describe_execution(executionArn=execution)["status"])
        if status != "RUNNING":
            break
        pause(_EVERY_SECONDS)
    print(f"{execution.rpartition(':')[2]}: {status}")
    return status


if __name__ == "__main__":
    sys.exit(smoke_run(boto3.client, sys.argv[1]) != "SUCCEEDED")
