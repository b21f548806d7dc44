"""The state machine is played as it is written: names of states, retries, catches."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.chaos.machine import Aborted, Ended, Outer, TaskFailed, play

ANSWERS: dict[str, Any] = {
    "OpenRun": {
        "opened": True,
        "reason": "",
        "run_id": "r",
        "fence": 1,
        "as_of": "now",
        "strategies": [],
        "poll_seconds": 10,
    },
    "SelectUniverse": {"snapshot_key": "k", "tickers": 2, "batches": [{"index": 0}, {"index": 1}]},
    "Forecast": {"made": 1, "failed": 0},
    "AggregateSignals": {"sells": ["s-1"], "buys": ["b-1", "b-2"]},
    "ExecuteOrder": {"client_order_id": "x", "status": "WORKING"},
    "SettleOrders": {"round": 1, "settled": True},
    "CloseRun": {"run_id": "r", "status": "COMPLETED", "report_key": "k"},
}


@dataclass
class Script:
    """Answers every task; some fail, as often as told."""

    failures: dict[str, list[str]] = field(default_factory=dict)  # by state
    answers: dict[str, Any] = field(default_factory=dict)  # by function, instead of ANSWERS
    states: list[str] = field(default_factory=list)
    payloads: list[Any] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def invoke(self, state: str, function: str, payload: Any) -> Any:
        self.states.append(state)
        self.payloads.append(payload)
        if self.failures.get(state):
            error = self.failures[state].pop(0)
            raise Aborted if error == "stopped" else TaskFailed(error, "because")
        return {**ANSWERS, **self.answers}[function]

    def publish(self, _: str, message: str) -> None:
        if self.failures.get("NotifyFailure"):
            raise TaskFailed(self.failures["NotifyFailure"].pop(0), "because")
        self.told.append(message)

    def play(self) -> Ended:
        outer = Outer(self.invoke, self.publish, self.waited.append, self.waited.append)
        return play(outer, "e-1", {"schedule": "daily"})


def test_a_run_passes_its_states_in_order() -> None:
    script = Script()
    assert script.play() == Ended("SUCCEEDED", "RunCompleted")
    assert script.states == [
        *("OpenRun", "SelectUniverse", "Forecast", "Forecast", "AggregateSignals"),
        *("ExecuteSell", "SettleSells", "ExecuteBuy", "ExecuteBuy", "SettleBuys", "CloseRun"),
    ]
    assert script.payloads[0] == {
        "execution": "e-1",
        "execution_arn": "arn:e-1",
        "request": {"schedule": "daily"},
    }
    assert script.payloads[5] == {"run_id": "r", "fence": 1, "client_order_id": "s-1"}


def test_an_error_that_may_pass_is_retried_four_times() -> None:
    script = Script({"OpenRun": ["StoreUnavailable"] * 4})
    assert script.play().status == "SUCCEEDED"
    assert script.waited == [2, 4, 8, 16]


def test_an_error_that_does_not_pass_fails_the_run_and_is_told() -> None:
    script = Script({"SelectUniverse": ["StaleData"]})
    assert script.play() == Ended("FAILED", "RunFailed", "StaleData", "because")
    assert script.states[-1] == "AbortRun"
    assert "Run e-1 failed.\n\nError: StaleData\nCause: because" in script.told[0]


def test_where_nobody_could_be_told_the_failure_says_so_and_the_run_is_aborted_all_the_same() -> None:
    script = Script({"OpenRun": ["BrokerRefused"], "NotifyFailure": ["SNS.InternalErrorException"] * 5})
    ended = script.play()
    assert (ended.error, ended.cause) == ("NobodyTold", "BrokerRefused: because")
    assert script.states[-1] == "AbortRun"
    assert script.payloads[-1]["trace"]["failure"] == {"Error": "NobodyTold", "Cause": "BrokerRefused: because"}


def test_a_skipped_run_is_a_success() -> None:
    script = Script(answers={"OpenRun": {**ANSWERS["OpenRun"], "opened": False, "reason": "Halted: by alice"}})
    assert script.play() == Ended("SUCCEEDED", "RunSkipped")
    assert script.states == ["OpenRun"]
    assert script.told == []


def test_a_throttled_function_is_waited_for() -> None:
    script = Script({"OpenRun": ["Lambda.TooManyRequestsException"] * 10})
    assert script.play().status == "SUCCEEDED"
    assert script.waited == [2, 4, 8, 16, 32, 60, 60, 60, 60, 60]


def test_an_order_in_trouble_leaves_the_others_alone_but_a_lost_lease_stops_them() -> None:
    script = Script({"ExecuteBuy": ["BrokerRefused"]})
    assert script.play().status == "SUCCEEDED"
    assert script.states.count("ExecuteBuy") == 2
    script = Script({"ExecuteBuy": ["LeaseLost"]})
    assert script.play().error == "LeaseLost"
    assert script.states.count("ExecuteBuy") == 1


def test_a_stopped_execution_passes_no_catch() -> None:
    script = Script({"OpenRun": ["stopped"]})
    with pytest.raises(Aborted):
        script.play()
    assert script.told == []
