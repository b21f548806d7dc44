"""A Lambda that fails: the state machine catches it, a person hears of it, the ledger stays true."""

import threading
from collections.abc import Callable, Iterator
from datetime import time
from time import monotonic, sleep

import pytest
from werkzeug.wrappers import Request, Response

from openbell.model import RunStatus
from tests.e2e.stages import Played, playing
from tests.integration.workflow.stage import only_momentum


class Outage:
    """What the exchange answers while it is down, to requests whose path starts with `path`; it may hang instead."""

    def __init__(self, path: str, status: int = 401) -> None:
        self.path = path
        self.status = status
        self.hangs = False
        self.reached = threading.Event()
        self.over = threading.Event()

    def __call__(self, request: Request, proceed: Callable[[], Response]) -> Response:
        if self.path and request.path.startswith(self.path):
            self.reached.set()
            if self.hangs:
                self.over.wait(30)
            return Response('{"message": "unauthorized."}', self.status, content_type="application/json")
        return proceed()


outage = Outage("/v2/stocks")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with playing(tmp_path_factory.mktemp("failures"), only_momentum(), outage) as played:
        yield played


def test_a_lambda_that_raises_fails_the_run_and_alerts_a_person(platform: Played) -> None:
    report, story = platform.run()
    assert (report.status, story.status) == (RunStatus.FAILED, "FAILED")
    assert [visit.state for visit in story.visits] == [
        "OpenRun",
        "RunOpened",
        "SelectUniverse",
        "NotifyFailure",
        "AbortRun",
        "RunFailed",
    ]
    subject, message = platform.alerts[0].subject, platform.alerts[0].message
    assert subject == "Openbell: a trading run failed"
    assert "KeysRefused" in message
    assert "First thing to do: openbell status" in message
    assert "protective legs included" in message
    assert "KeysRefused: Alpaca refuses" in report.note
    assert platform.stage.exchange.orders() == []


def test_the_next_run_trades_again_when_the_trouble_is_over(platform: Played) -> None:
    outage.path = ""
    platform.stage.exchange.wait(900)  # the next tick of a later hour: the lease was given back
    report, _ = platform.run()
    assert report.status is RunStatus.COMPLETED, report.note
    assert {order.status for order in report.orders} == {"FILLED"}
    assert platform.stage.differences() == ()


def test_a_run_that_is_stopped_is_closed_and_blocks_nobody(platform: Played) -> None:
    platform.stage.exchange.close_session()
    platform.stage.exchange.open_next_session(time(15))
    platform.alerts.clear()
    outage.path, outage.hangs = "/v2/assets", True
    outage.reached.clear()
    (start,) = platform.stage.starts()
    execution = start()
    assert outage.reached.wait(30)
    assert platform.stage.ledger.lease()
    platform.stage.stop(execution)
    outage.over.set()
    wait_until(lambda: platform.stage.ledger.lease() is None)
    run = platform.stage.ledger.run_of(execution.name)
    assert run
    assert (run.status, run.note) == (
        RunStatus.FAILED,
        "ABORTED: the execution ended without passing through AbortRun",
    )
    assert any("ended as ABORTED" in alert.message for alert in platform.alerts)
    outage.path = ""
    platform.stage.exchange.wait(900)  # the tick is taken: by hand, a quarter of an hour later
    report, _ = platform.run()
    assert report.status is RunStatus.COMPLETED, report.note


def wait_until(true: Callable[[], bool]) -> None:
    deadline = monotonic() + 60
    while not true():
        assert monotonic() < deadline
        sleep(0.1)
