"""What no broker offers: moving the clock and the account by hand, over HTTP; and the exchange as a command."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from paper import PaperExchange
from tests.integration.paper.conftest import Serve, client_of
from tests.unit.paper.market_days import at, buy

KEYS = {"APCA-API-KEY-ID": "key", "APCA-API-SECRET-KEY": "secret"}


def control(url: str, verb: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    answer = requests.post(f"{url}/control/{verb}", json=body or {}, headers=KEYS, timeout=5)
    return answer.status_code, answer.json()


@pytest.fixture
def url(paper: PaperExchange, url_of: Serve) -> str:
    return url_of(paper)


def test_the_state_is_told_to_who_has_keys(paper: PaperExchange, url: str) -> None:
    paper.submit(buy("10"))
    assert requests.get(f"{url}/control/state", timeout=5).status_code == 401
    state = requests.get(f"{url}/control/state", headers=KEYS, timeout=5).json()
    assert (state["timestamp"], state["is_open"]) == ("2022-06-14T10:00:00-04:00", True)
    assert (state["cash"], state["equity"], state["positions"]) == ("10000", "10000", [])
    assert (state["orders"], state["open_orders"], state["fills"]) == (1, 1, 0)
    assert "no opens, highs or lows" in state["how_orders_fill"]


@pytest.mark.parametrize(
    ("verb", "body", "expected"),
    [
        ("advance", {"to": "2022-06-15T15:00"}, at(15, "15:00")),  # New York, where no offset is given
        ("advance", {"to": "2022-06-15T15:00:00Z"}, at(15, "11:00")),
        ("wait", {"seconds": 60}, at(14, "10:01")),
        ("close_session", {}, at(14, "16:00")),
        ("next_session", {"time": "15:00"}, at(15, "15:00")),
    ],
)
def test_the_clock_is_moved(paper: PaperExchange, url: str, verb: str, body: dict[str, Any], expected: object) -> None:
    status, state = control(url, verb, body)
    assert (status, paper.now) == (200, expected)
    assert state["timestamp"] == paper.now.isoformat()


@pytest.mark.parametrize(
    ("verb", "body", "status", "words"),
    [
        ("advance", {"to": "2022-06-13T15:00"}, 400, "cannot go back"),
        ("advance", {"to": "tomorrow"}, 400, "cannot advance to 'tomorrow'"),
        ("advance", {"to": "2031-06-13T15:00"}, 400, "beyond the calendar"),
        ("wait", {}, 422, "seconds is required"),
        ("advance", {"to": "9999-12-31T23:59:59-14:00"}, 400, "cannot advance"),
        ("wait", {"seconds": -1}, 400, "cannot go back"),
        ("wait", {"seconds": 1e9}, 400, "beyond the calendar"),
        ("wait", {"seconds": "1e12"}, 400, "cannot wait 1E+12 seconds"),
        ("next_session", {"time": "noon"}, 400, "cannot go to 'noon'"),
        ("cash", {"amount": "-10001"}, 403, "cannot take 10001 out of 10000"),
        ("position", {"symbol": "AAPL", "qty": "-1"}, 403, "insufficient qty"),
        ("position", {"symbol": "ZZZ", "qty": "1"}, 404, "asset not found"),
        ("asset", {"symbol": "AAPL", "tradable": "no"}, 422, "must be true or false"),
        ("status", {"trading_blocked": 1}, 422, "must be true or false"),
    ],
)
def test_what_cannot_be_done_changes_nothing_and_says_why(
    paper: PaperExchange, url: str, verb: str, body: dict[str, Any], status: int, words: str
) -> None:
    answered, told = control(url, verb, body)
    assert (answered, words in told["message"]) == (status, True)
    assert (paper.now, paper.account().cash, paper.positions()) == (at(14, "10:00"), 10000, [])


def test_what_happens_outside_the_platform_is_seen_by_it(url: str) -> None:
    client = client_of(url)
    control(url, "position", {"symbol": "aapl", "qty": "10"})
    control(url, "position", {"symbol": "AAPL", "qty": "-4", "price": "90"})
    assert [(held["symbol"], held["qty"]) for held in client.list_positions()] == [("AAPL", "6")]
    _, state = control(url, "cash", {"amount": "640.5"})  # 10,000 - 10 x 100 + 4 x 90
    assert (state["cash"], client.get_account()["cash"]) == ("10000.5", "10000.5")
    control(url, "asset", {"symbol": "KO", "tradable": False})
    assert not client.get_asset("KO")["tradable"]
    _, state = control(url, "status", {"trading_blocked": True})
    assert (state["trading_blocked"], state["account_blocked"]) == (True, False)
    assert client.get_account()["trading_blocked"]


def test_the_command_serves_until_told_to_stop_and_goes_on_from_its_state(tmp_path: Path) -> None:
    bars, state = tmp_path / "bars.csv", tmp_path / "state.json"
    bars.write_text("date,symbol,close\n2022-06-13,AAPL,100\n2022-06-14,AAPL,102\n")
    command = [sys.executable, "-m", "paper", "--bars", str(bars), "--at", "2022-06-14T15:50", "--cash", "500"]
    process = subprocess.Popen(
        [*command, "--state", str(state), "--key", "id:secret"], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout
        url = process.stdout.readline().strip()
        client_of(url, "id", "secret").submit_order("AAPL", qty="1", client_order_id="run-1")
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    saved = json.loads(state.read_text())
    assert (saved["cash"], saved["orders"][0]["client_order_id"]) == ("398.0000", "run-1")


def test_the_command_makes_keys_for_each_start(tmp_path: Path) -> None:
    bars = tmp_path / "bars.csv"
    bars.write_text("date,symbol,close\n2022-06-13,AAPL,100\n2022-06-14,AAPL,102\n")
    command = [sys.executable, "-m", "paper", "--bars", str(bars), "--at", "2022-06-14T15:50"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url, key = process.stdout.readline().strip(), process.stdout.readline().removeprefix("key ").strip()
        try:
            key_id, _, secret = key.partition(":")
            assert client_of(url, key_id, secret).get_account()["cash"] == "100000"
            answer = requests.get(f"{url}/v2/account", headers=KEYS, timeout=5)
            assert answer.status_code == 401
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_the_command_says_what_is_wrong_with_its_bars(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "paper", "--bars", str(tmp_path / "none.csv")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("paper: ")
    assert "no such file" in ended.stderr
