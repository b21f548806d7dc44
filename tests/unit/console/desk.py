"""A source for the console without any cloud: ledger and archive in memory, the exchange as the broker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console.app import create_app
from console.guard import Guard
from openbell.errors import BrokerUnavailable
from openbell.ports import Archive, Broker, Ledger
from tests.integration.workflow.stage import Stage

PORT, KEY = 8700, "the-key"
HOME = f"http://127.0.0.1:{PORT}"


@dataclass
class Desk:
    """What the console needs of a platform."""

    stage: Stage
    mode: Literal["paper", "live"] = "paper"
    broker_answers: bool = True
    histories: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> Mapping[str, str]:
        return {"stack": "openbell-test", "where": "this process", "mode": self.mode}

    @property
    def ledger(self) -> Ledger:
        return self.stage.ledger

    @property
    def archive(self) -> Archive:
        return self.stage.archive

    @property
    def broker(self) -> Broker:
        if not self.broker_answers:
            raise BrokerUnavailable("Alpaca did not answer the account: timed out")
        return self.stage.broker

    def client(self, service: str) -> Any:
        raise AssertionError(f"no page under test here asks {service}")

    def execution_status(self, execution: str) -> str:
        return ""

    def history(self, execution: str) -> Sequence[Mapping[str, Any]]:
        return self.histories.get(execution, [])


def stranger(desk: Desk) -> FlaskClient:
    """A browser that has not been let in."""
    return create_app(desk, Guard(PORT, KEY)).test_client()


class Visitor:
    """A browser that was let in, and sends what a browser sends."""

    def __init__(self, desk: Desk) -> None:
        self._client = stranger(desk)
        self.get(f"/?key={KEY}")

    def get(self, path: str) -> TestResponse:
        return self._client.get(path, base_url=HOME)

    def text(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def form_token(self, path: str) -> str:
        """The token in the form at `path`."""
        return self.text(path).partition('name="form_token" value="')[2].partition('"')[0]

    def post(self, path: str, origin: str | None = HOME, **fields: str) -> TestResponse:
        """Send a form; without a token of its own, with the one that the page at `path` holds."""
        data = {"form_token": self.form_token(path)} | fields
        return self._client.post(path, base_url=HOME, data=data, headers={"Origin": origin} if origin else {})
