"""A platform whose keys are missing or wrong: every run is skipped, and one alert says so."""

from datetime import UTC, datetime

import pytest

from openbell.errors import KeysLost, KeysRefused, NoBrokerKeys, RunInProgress
from openbell.model import RunStatus
from openbell.workflow.open_run import RunRequest
from openbell.workflow.skip_without_keys import skip_without_keys
from tests.integration.workflow.stage import Stage

REFUSED = KeysRefused("the broker's keys in the secret are not filled in")
NOW = datetime(2022, 6, 15, 18, 50, tzinfo=UTC)


def skip(stage: Stage, execution: str, tick: str = "") -> str:
    request = RunRequest(execution, "quarter_hour", tick)
    skipped = skip_without_keys(request, REFUSED, NOW, stage.ledger, stage.alerts)
    return type(skipped).__name__


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_each_tick_is_a_skipped_run_with_the_reason_and_one_alert_tells_of_all(stage: Stage) -> None:
    ticks = [f"2022-06-15T19:{minute:02}:00Z" for minute in (0, 15, 30, 45)]
    assert {skip(stage, f"tick-{tick}", tick) for tick in ticks} == {"NoBrokerKeys"}
    runs = stage.ledger.runs()
    assert [run.status for run in runs] == [RunStatus.SKIPPED] * 4
    assert {run.note for run in runs} == {f"no broker keys yet: {REFUSED}"}
    ((subject, message),) = stage.alerts.sent
    assert subject == "Openbell: no keys that the broker accepts"
    assert "no further mail tells so" in message
    assert "Nothing is held" in message


def test_two_schedules_at_one_tick_are_one_skipped_run(stage: Stage) -> None:
    tick = "2022-06-15T19:00:00Z"
    assert skip(stage, "first", tick) == NoBrokerKeys.__name__
    assert skip(stage, "second", tick) == RunInProgress.__name__
    assert len(stage.ledger.runs()) == len(stage.alerts.sent) == 1


def test_a_start_by_hand_is_skipped_at_this_computers_time(stage: Stage) -> None:
    assert skip(stage, "by-hand") == NoBrokerKeys.__name__
    assert [run.as_of for run in stage.ledger.runs()] == [NOW]


def test_keys_that_are_lost_after_trading_are_another_state_and_told_again_when_it_comes_back(stage: Stage) -> None:
    skip(stage, "before")
    assert stage.run("good").status is RunStatus.COMPLETED
    assert skip(stage, "lost", "2022-06-15T19:15:00Z") == KeysLost.__name__
    assert skip(stage, "still lost", "2022-06-15T19:30:00Z") == KeysLost.__name__
    assert [("Nothing is held" in message, "protective orders" in message) for _, message in stage.alerts.sent] == [
        (True, False),
        (False, True),
    ]


def test_keys_that_are_refused_in_the_middle_of_a_run_fail_it(stage: Stage) -> None:
    stage.run("under way")
    with pytest.raises(KeysRefused):
        skip(stage, "under way")
    assert stage.alerts.sent == []


def test_an_alert_that_was_not_sent_is_tried_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: str) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(stage.alerts, "alert", fail)
        with pytest.raises(ConnectionError):
            skip(stage, "first")
    assert stage.ledger.runs() == []
    assert skip(stage, "first") == NoBrokerKeys.__name__
    assert len(stage.alerts.sent) == 1
