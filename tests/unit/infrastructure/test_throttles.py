"""Accounts with few Lambdas at once: a throttled task is tried for long enough, and nothing else is."""

import heapq
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.unit.infrastructure.asl import walk
from tests.unit.infrastructure.sources import machine

THROTTLE = "Lambda.TooManyRequestsException"
NEW_ACCOUNT = 10  # Lambdas at once
SECONDS = (4.0, 12.0)  # how long a batch takes, a cold start included


@pytest.mark.parametrize("name", ["trading", "sweep"])
def test_a_throttle_has_a_retrier_of_its_own_in_every_task(name: str) -> None:
    for state_name, state, _ in walk(machine(name)):
        if state.get("Resource", "").endswith("lambda:invoke"):
            (found,) = [retrier for retrier in state["Retry"] if THROTTLE in retrier["ErrorEquals"]]
            assert found["ErrorEquals"] == [THROTTLE], state_name
            assert found["MaxAttempts"] >= 8, state_name
            assert (found["MaxDelaySeconds"], found["JitterStrategy"]) == (60, "FULL"), state_name


def _lost(retrier: dict[str, Any], items: int, limit: int, draw: Random) -> int:
    """How many of `items`, all started at once, find no free Lambda of `limit` until their attempts are used up."""
    waiting = [(0.0, item, 0) for item in range(items)]  # when, which, retries used
    busy: list[float] = []  # when each running one ends
    lost = 0
    while waiting:
        now, item, used = heapq.heappop(waiting)
        busy = [end for end in busy if end > now]
        if len(busy) < limit:
            busy.append(now + draw.uniform(*SECONDS))
        elif used == retrier["MaxAttempts"]:
            lost += 1
        else:
            longest = min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** used, retrier["MaxDelaySeconds"])
            heapq.heappush(waiting, (now + draw.uniform(0, longest), item, used + 1))
    return lost


def _runs_that_lose(retrier: dict[str, Any], lost: Callable[..., int] = _lost) -> int:
    return sum(lost(retrier, 40, NEW_ACCOUNT, Random(seed)) > 0 for seed in range(200))


def test_a_map_of_40_loses_no_batch_in_an_account_with_ten_lambdas() -> None:
    forecast = machine()["States"]["ForecastTickers"]["ItemProcessor"]["States"]["Forecast"]
    (throttle,) = [retrier for retrier in forecast["Retry"] if THROTTLE in retrier["ErrorEquals"]]
    assert _runs_that_lose(throttle) == 0
    as_any_other = next(retrier for retrier in forecast["Retry"] if "Lambda.ServiceException" in retrier["ErrorEquals"])
    assert _runs_that_lose(as_any_other) > 100  # which is why it has its own
