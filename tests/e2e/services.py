"""`openbell up` as a process of its own: started, looked at from outside, killed, stopped."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cli.books import compare_books
from cli.platform import Place, Platform, open_platform
from openbell.model import Order
from tests.builders import D
from tests.e2e.commands import workers_of

_PATIENCE_S = 120.0  # of real time, on a busy machine

FLIP = '''
"""flip: holds everything on one day, and nothing on the next; every run has orders."""

from typing import ClassVar

from openbell.strategies import Context, Parameters, Signal, Sizing, Strategy


class Flip(Strategy[Parameters]):
    """For tests."""

    sizing: ClassVar[Sizing] = Sizing.ENTER

    def signals(self, context: Context) -> list[Signal]:
        score = -1.0 if context.holdings else 1.0
        return [Signal(str(symbol), score, "flip") for symbol in context.closes]
'''

FLIP_CONFIG = """
strategies:
  flip: {uses: 'flip.py:Flip', allocation: 0.8, universe: {size: 4, lookback: 60}, schedule: {daily_at: "TIME"}}
risk: {max_failed_runs: 10}
"""


def write_flip(folder: Path, daily_at: str = "15:00") -> None:
    """A configuration whose only strategy trades in every run that is due, in `folder`/flip.yaml."""
    (folder / "flip.py").write_text(FLIP)
    (folder / "flip.yaml").write_text(FLIP_CONFIG.replace("TIME", daily_at))


@dataclass
class Service:
    """A service that runs in `folder`."""

    process: subprocess.Popen[str]
    folder: Path

    @property
    def announced(self) -> Path:
        """The file that says where it is."""
        return self.folder / ".openbell" / "endpoint.json"

    @cached_property
    def endpoint(self) -> dict[str, Any]:
        """What the file says, as soon as it is this process's."""

        def told() -> dict[str, Any] | None:
            assert self.process.poll() is None, f"the service has ended: {self.process.communicate()[1]}"
            try:
                found: dict[str, Any] = json.loads(self.announced.read_text())
            except FileNotFoundError:
                return None
            return found if found["pid"] == self.process.pid else None

        return eventually(told)

    @cached_property
    def place(self) -> Place:
        """Where other commands look for it."""
        return Place(self.endpoint["stack_name"], self.endpoint["endpoint_url"], access_key=self.endpoint["access_key"])

    def exchange(self, path: str, **body: str) -> dict[str, Any]:
        """An answer of the exchange's control; with a body, something is changed."""
        headers = {
            "APCA-API-KEY-ID": self.endpoint["exchange_key_id"],
            "APCA-API-SECRET-KEY": self.endpoint["exchange_secret_key"],
            "Content-Type": "application/json",
        }
        asked = urllib.request.Request(
            f"{self.endpoint['exchange_url']}/control/{path}", json.dumps(body).encode() if body else None, headers
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def line(self, pattern: str) -> str:
        """The next line on stdout in which `pattern` is found."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if re.search(pattern, line):
                return line
        raise AssertionError(f"the service has ended without a line with {pattern}")

    def kill(self) -> None:
        """As the machine's power button would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()
        eventually(lambda: not workers_of(self.process.pid))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Ask it to end; its exit code and what it said on stderr."""
        self.process.send_signal(number)
        _, stderr = self.process.communicate(timeout=_PATIENCE_S)
        return self.process.returncode, stderr


@contextmanager
def service(folder: Path, *arguments: str) -> Iterator[Service]:
    """`openbell up` with these arguments; killed at the end if it still runs."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("openbell")), "up", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
    )
    started = Service(process, folder)
    try:
        yield started
    finally:
        if process.poll() is None:
            started.kill()


def eventually[T](look: Callable[[], T | None]) -> T:
    """What `look` gives as soon as it is something."""
    deadline = time.monotonic() + _PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {_PATIENCE_S:.0f} s"
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Books:
    """What ledger, archive and exchange know."""

    runs: dict[str, str]  # run ids by execution
    files: frozenset[str]  # keys in the archive
    ledger_orders: dict[str, Order]
    exchange_orders: dict[str, dict[str, Any]]  # by client_order_id
    differences: tuple[str, ...]  # sleeves against positions
    aborted: frozenset[str]  # executions that did not come to their end

    @classmethod
    def of(cls, running: Service) -> "Books":
        """As they are now."""
        with open_platform(running.place) as platform:
            runs = platform.ledger.runs(1000)
            orders = [order for run in runs for order in platform.ledger.orders(run.run_id)]
            held = {name: position.qty for name, position in platform.broker.positions().items()}
            return cls(
                runs={run.execution: run.run_id for run in runs},
                files=frozenset(_keys(platform)),
                ledger_orders={order.client_order_id: order for order in orders},
                exchange_orders=_exchange_orders(running),
                differences=compare_books(platform.ledger.sleeves(), held),
                aborted=frozenset(_aborted(platform)),
            )

    def check_includes(self, earlier: "Books") -> None:
        """Nothing of `earlier` has been lost."""
        assert earlier.runs.items() <= self.runs.items()
        assert earlier.files <= self.files
        assert set(earlier.ledger_orders) <= set(self.ledger_orders)
        assert set(earlier.exchange_orders) <= set(self.exchange_orders)

    def check_each_order_was_sent_once(self) -> None:
        """The exchange has no order that the ledger does not know, and both say the same of each."""
        assert set(self.exchange_orders) <= set(self.ledger_orders)
        sent = Counter(
            (self.ledger_orders[key].run_id, order["symbol"], order["side"])
            for key, order in self.exchange_orders.items()
        )
        assert set(sent.values()) == {1}
        for key, order in self.exchange_orders.items():
            assert D(order["filled_qty"]) == self.ledger_orders[key].filled_qty, key


def _keys(platform: Platform) -> list[str]:
    pages = platform.client("s3").get_paginator("list_objects_v2").paginate(Bucket=platform.outputs["BucketName"])
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def _aborted(platform: Platform) -> list[str]:
    listed = platform.client("stepfunctions").list_executions(
        stateMachineArn=platform.outputs["StateMachineArn"], statusFilter="ABORTED"
    )
    return [execution["name"] for execution in listed["executions"]]


def _exchange_orders(running: Service) -> dict[str, dict[str, Any]]:
    with open_platform(running.place) as platform:
        secret = platform.client("secretsmanager").get_secret_value(SecretId=platform.outputs["BrokerSecretArn"])
    keys = json.loads(secret["SecretString"])
    asked = urllib.request.Request(
        f"{running.endpoint['exchange_url']}/v2/orders?status=all&limit=500",
        headers={"APCA-API-KEY-ID": keys["key_id"], "APCA-API-SECRET-KEY": keys["secret_key"]},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return {order["client_order_id"]: order for order in json.load(answer)}
