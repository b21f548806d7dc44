import copy
from collections.abc import Callable
from typing import Any

import pytest

from openbell import errors
from openbell.errors import OpenbellError, OrderError, PermanentError, RetryableError, RunSkipped
from openbell.workflow.open_run import LEASE_SECONDS, RUN_SECONDS
from tests.unit.infrastructure.asl import problems, targets, walk
from tests.unit.infrastructure.sources import machine

PLATFORM = {
    "States.ALL",
    "States.TaskFailed",
    "States.Timeout",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
}
# Seen by the state machine itself; other permanent errors only pass through States.ALL.
STOPS_THE_ORDERS = {"LeaseLost", "PlanNotSealed"}
MACHINES = ["trading", "sweep"]


def _leaves(family: type[OpenbellError]) -> set[str]:
    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, family)]
    return {error.__name__ for error in found if not error.__subclasses__()}


def _named(block: str, name: str = "trading") -> set[str]:
    states = [state for _, state, _ in walk(machine(name))]
    return {error for state in states for handler in state.get(block, []) for error in handler["ErrorEquals"]}


@pytest.mark.parametrize("name", MACHINES)
def test_a_state_machine_has_no_problem(name: str) -> None:
    assert problems(machine(name)) == []


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda states: states["OpenRun"]["Retry"][0].update(MaxDelaySecondz=1), "MaxDelaySecondz"),
        (lambda states: states["OpenRun"].update(TimeoutSecond=1), "a Task has no TimeoutSecond"),
        (lambda states: states["OpenRun"].pop("TimeoutSeconds"), "a Task needs TimeoutSeconds"),
        (lambda states: states["OpenRun"].update(Next="SelectUnivers"), "SelectUnivers is led to but is no state"),
        (lambda states: states["OpenRun"].update(Next="CloseRun"), "ForecastTickers can never be reached"),
        (lambda states: states["OpenRun"].pop("Next"), "needs either Next or End"),
        (lambda states: states["OpenRun"]["Parameters"].update(run="$.run"), "its name must end in .$"),
        (lambda states: states["OpenRun"]["Catch"].append({"ErrorEquals": ["X"]}), "must stand alone and last"),
        (lambda states: states["OpenRun"]["Catch"][0].pop("ResultPath"), "would replace all"),
        (lambda states: _inner(states, "Forecast").update(Retri=[]), "Forecast: a Task has no Retri"),
        (lambda states: _inner(states, "Forecast").update(Next="OpenRun"), "OpenRun is led to but is no state"),
    ],
)
def test_a_mistake_is_found(spoil: Callable[[dict[str, Any]], None], complaint: str) -> None:
    spoilt = copy.deepcopy(machine())
    spoil(spoilt["States"])
    assert complaint in "\n".join(problems(spoilt))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda trials: trials.update(MaxConcurrency=1), "a Map has no MaxConcurrency"),
        (lambda trials: trials.pop("ResultWriter"), "a Map needs ResultWriter"),
        (lambda trials: trials["ItemBatcher"].update(MaxItems=1), "ItemBatcher has no MaxItems"),
        (lambda trials: trials["ItemBatcher"]["BatchInput"].update(sweep="$.sweep"), "its name must end in .$"),
    ],
)
def test_a_mistake_in_a_distributed_map_is_found(spoil: Callable[[dict[str, Any]], None], complaint: str) -> None:
    spoilt = copy.deepcopy(machine("sweep"))
    spoil(spoilt["States"]["RunTrials"])
    assert complaint in "\n".join(problems(spoilt))


def _inner(states: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = states["ForecastTickers"]["ItemProcessor"]["States"][name]
    return found


@pytest.mark.parametrize("name", MACHINES)
def test_every_error_name_is_a_class_of_ours_or_known_of_aws(name: str) -> None:
    assert _named("Retry", name) | _named("Catch", name) <= _leaves(OpenbellError) | PLATFORM


@pytest.mark.parametrize(("name", "besides"), [("trading", set()), ("sweep", {"LegsStillOpen"})])
def test_every_retryable_error_is_retried_and_none_is_caught_by_name(name: str, besides: set[str]) -> None:
    assert _leaves(RetryableError) - besides <= _named("Retry", name)
    assert not _leaves(RetryableError) & _named("Catch", name)


@pytest.mark.parametrize("name", MACHINES)
def test_no_other_error_of_ours_is_retried(name: str) -> None:
    assert not (_leaves(OpenbellError) - _leaves(RetryableError)) & _named("Retry", name)


def test_a_skipped_run_is_a_success_and_no_error() -> None:
    states = machine()["States"]
    assert [name for name, state, _ in walk(machine()) if "RunSkipped" in targets(state)] == ["RunOpened"]
    assert (states["OpenRun"]["Next"], states["RunSkipped"]["Type"]) == ("RunOpened", "Succeed")
    assert not _leaves(RunSkipped) & (_named("Retry") | _named("Catch"))


def test_errors_of_one_order_never_reach_the_workflow() -> None:
    assert not _leaves(OrderError) & (_named("Retry") | _named("Catch"))


def test_of_the_permanent_errors_only_those_are_named_that_stop_the_orders() -> None:
    assert _leaves(PermanentError) & _named("Catch") == STOPS_THE_ORDERS


@pytest.mark.parametrize("of", MACHINES)
def test_every_outer_task_and_map_hands_its_errors_to_a_person(of: str) -> None:
    for name, state, outer in walk(machine(of)):
        if outer and state["Type"] in {"Task", "Map"} and name not in {"NotifyFailure", "AbortRun"}:
            last = state["Catch"][-1]
            assert (last["ErrorEquals"], last["Next"]) == (["States.ALL"], "NotifyFailure"), name


def test_after_a_failure_the_run_is_aborted_even_if_nobody_could_be_told() -> None:
    states = machine()["States"]
    assert (states["NotifyFailure"]["Next"], states["NotifyFailure"]["Catch"][-1]["Next"]) == ("AbortRun", "NobodyTold")
    assert states["NobodyTold"]["Next"] == "AbortRun"
    assert (states["AbortRun"]["Next"], states["AbortRun"]["Catch"][-1]["Next"]) == ("RunFailed", "RunFailed")


def test_the_right_to_trade_outlasts_the_workflow() -> None:
    assert machine()["TimeoutSeconds"] == RUN_SECONDS < LEASE_SECONDS


def test_retries_for_the_same_errors_are_spelled_the_same_everywhere() -> None:
    spelled: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for state in (state for name in MACHINES for _, state, _ in walk(machine(name))):
        for retrier in state.get("Retry", []):
            spelled.setdefault(tuple(sorted(retrier["ErrorEquals"])), []).append(retrier)
    assert len(spelled) == 5
    for first, *others in spelled.values():
        assert all(other == first for other in others)


@pytest.mark.parametrize("of", MACHINES)
def test_every_function_is_retried_when_lambda_itself_stumbles(of: str) -> None:
    for name, state, _ in walk(machine(of)):
        if state.get("Resource", "").endswith("lambda:invoke"):
            retried = {error for retrier in state["Retry"] for error in retrier["ErrorEquals"]}
            assert {error for error in PLATFORM if error.startswith("Lambda.")} <= retried, name


@pytest.mark.parametrize("of", MACHINES)
def test_every_state_says_why_it_is_there(of: str) -> None:
    silent = {name for name, state, _ in walk(machine(of)) if not state.get("Comment")}
    assert silent <= {"RunCompleted", "RunFailed", "SweepCompleted", "SweepFailed"}
