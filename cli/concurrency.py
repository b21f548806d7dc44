"""How many Lambdas an account on AWS may run at once, and who gets how many of them."""

from collections.abc import Mapping
from typing import Any

_BESIDE = 2  # a run's other Lambdas, one at a time, and the dashboard's


def free_lambdas(client: Any) -> int:
    """How many Lambdas without a reservation may run at once in the account and region of a boto3 Lambda client."""
    return int(client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])


def lambdas_of_a_run(parameters: Mapping[str, str]) -> int:
    """How many Lambdas a run of a stack with these parameters has at once, those beside it included."""
    return int(parameters.get("ForecastLambdas", "40")) + _BESIDE


def share_of_a_sweep(asked: int, free: int, of_a_run: int) -> int:
    """How many Lambdas a sweep may have so that a run that begins meanwhile finds its own; one at least."""
    return max(1, min(asked, free - of_a_run))
