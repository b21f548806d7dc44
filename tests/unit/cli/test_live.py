"""The run as it happens, where stderr is no terminal."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from cli.day import Alert
from cli.follow import follow
from cli.live import LiveDisplay

START = datetime(2025, 1, 2, 9, tzinfo=UTC)


def event(number: int, kind: str, **details: object) -> dict[str, object]:
    return {"id": number, "type": kind, "timestamp": START + timedelta(seconds=number), **details}


HISTORY = [
    event(1, "ExecutionStarted"),
    event(2, "TaskStateEntered", stateEnteredEventDetails={"name": "Open"}),
    event(3, "TaskFailed", taskFailedEventDetails={"error": "RateLimited", "cause": "slow [down]"}),
    event(5, "TaskStateExited", stateExitedEventDetails={"name": "Open"}),
    event(6, "ExecutionSucceeded"),
]


def test_each_state_is_told_once_however_often_the_history_is_read() -> None:
    screen = io.StringIO()
    steps = iter((HISTORY[:2], HISTORY[:2], HISTORY[:4], HISTORY))
    with LiveDisplay(Console(file=screen, width=100)) as display:
        story = follow(lambda: next(steps), ["Open"], display)
    assert story.status == "SUCCEEDED"
    assert screen.getvalue().count("Open") == 1
    assert "Open                 3.00 s" in screen.getvalue()
    assert "attempt failed: RateLimited: slow [down]" in screen.getvalue()


def test_an_alert_is_shown_with_its_subject() -> None:
    screen = io.StringIO()
    with LiveDisplay(Console(file=screen, width=100)) as display:
        display.alert(Alert("Openbell: drift found", "KO [1]: the strategies own 2"))
    assert "Openbell: drift found" in screen.getvalue()
    assert "KO [1]: the strategies own 2" in screen.getvalue()
