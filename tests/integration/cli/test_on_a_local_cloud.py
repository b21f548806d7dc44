"""The commands on a local cloud in which two runs have been played, reached by its endpoint alone."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.endpoint import ENDPOINT_FILE
from cli.main import app
from openbell.model import RunStatus
from openbell.runs import decisions_key
from tests.e2e.stages import Played, playing

COMMANDS = (["status"], ["positions"], ["orders"], ["orders", "--open"], ["runs"], ["reconcile"])


@dataclass(frozen=True)
class Rehearsed:
    """A platform that is up, and its two runs, oldest first."""

    played: Played
    endpoint_url: str
    address: str  # with the key that it asks for
    runs: tuple[str, str]

    def openbell(self, *arguments: str) -> Result:
        """One command on this platform."""
        return CliRunner().invoke(app, [*arguments, "--local", self.address])

    def answer(self, *arguments: str) -> dict[str, Any]:
        """Its answer for programs."""
        told = self.openbell(*arguments, "--json")
        assert told.exit_code == 0, told.output
        found: dict[str, Any] = json.loads(told.stdout)
        return found


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    with playing(tmp_path_factory.mktemp("operated")) as played:
        exchange, runs = played.stage.exchange, []
        for day in (1, 2):
            if day > 1:
                exchange.close_session()
                exchange.open_next_session(exchange.now.time().replace(hour=15, minute=0, second=0))
            report, _ = played.run()
            assert report.status is RunStatus.COMPLETED, report.note
            runs.append(report.run_id)
        cloud = played.stage._cloud
        yield Rehearsed(played, cloud.endpoint_url, cloud.address, (runs[0], runs[1]))


def words(told: Result) -> str:
    return " ".join(told.stderr.split())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_answers_people_and_programs(platform: Rehearsed, command: list[str]) -> None:
    told = platform.openbell(*command)
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith(f"openbell local cloud at {platform.endpoint_url}, paper\n")
    assert told.stderr == ""
    where = {"stack": "openbell", "where": f"local cloud at {platform.endpoint_url}", "mode": "paper"}
    assert platform.answer(*command)["platform"] == where


def test_status_tells_the_account_and_the_runs(platform: Rehearsed) -> None:
    status = platform.answer("status")
    assert [run["run_id"] for run in status["runs"]] == list(reversed(platform.runs))
    assert Decimal(status["account"]["equity"]) == platform.played.stage.exchange.account().equity
    assert (status["halt"], status["lease"], status["broker_error"]) == (None, None, "")
    assert {sleeve["strategy"] for sleeve in status["sleeves"]} == {"momentum", "prophet_trend"}


def test_positions_sum_to_what_the_exchange_holds(platform: Rehearsed) -> None:
    positions = platform.answer("positions")
    owned: dict[str, Decimal] = {}
    for holding in positions["holdings"]:
        owned[holding["symbol"]] = owned.get(holding["symbol"], Decimal(0)) + Decimal(holding["qty"])
    assert owned == {position.symbol: position.qty for position in platform.played.stage.exchange.positions()}
    assert (positions["unmanaged"], positions["drift"]) == ([], [])


def test_protective_orders_at_the_exchange_are_known_to_the_books(platform: Rehearsed) -> None:
    books = platform.answer("reconcile")
    assert any(order.parent_id for order in platform.played.stage.exchange.orders())
    assert (books["foreign_orders"], books["orders"], books["positions"], books["next_run"]) == ([], [], [], [])


def test_orders_of_one_run_are_those_of_the_exchange(platform: Rehearsed) -> None:
    first = {order["client_order_id"] for order in platform.answer("orders", "--run", platform.runs[0])["orders"]}
    both = {order["client_order_id"] for order in platform.answer("orders")["orders"]}
    assert first
    assert first <= both
    assert both == {order.client_order_id for order in platform.played.stage.exchange.orders() if not order.parent_id}


def test_a_run_is_shown_with_its_signals_and_its_time_by_state(platform: Rehearsed) -> None:
    told = platform.openbell("run", "show", platform.runs[0])
    assert told.exit_code == 0, told.output
    for words_of_it in (platform.runs[0], "Signals", "Plan and fills", "Positions", "AggregateSignals"):
        assert words_of_it in told.stdout
    shown = platform.answer("run", "show", platform.runs[0])
    assert shown["run"]["status"] == "COMPLETED"
    assert shown["report"]["run_id"] == platform.runs[0]
    assert {order["run_id"] for order in shown["orders"]} == {platform.runs[0]}


def test_every_run_replays_identically(platform: Rehearsed) -> None:
    for run_id in platform.runs:
        told = platform.openbell("replay", run_id)
        assert told.exit_code == 0, told.output
        assert f"identical: signals and plan of run {run_id}" in told.stdout


def test_the_runs_did_as_the_backtest_does(platform: Rehearsed) -> None:
    span = ("--from", "2022-06-15", "--to", "2022-06-16")
    found = platform.answer("drift", *span)
    assert (found["runs"], Decimal(found["total"]["total"]), found["left_out"]) == (2, 0, [])
    assert {order["run_id"] for order in found["orders"]} <= set(platform.runs)
    told = platform.openbell("drift", *span)
    assert told.exit_code == 0, told.output
    assert "Live and backtest did the same over 2 runs, to the cent." in told.stdout
    wrong = platform.openbell("drift", "--from", "yesterday", "--to", "2022-06-16")
    assert (wrong.exit_code, "--from yesterday: expected a date such as 2022-06-13" in words(wrong)) == (2, True)


def test_one_byte_that_was_changed_is_found(platform: Rehearsed) -> None:
    s3, bucket = platform.played.stage._cloud.client("s3"), platform.played.stage._cloud.outputs["BucketName"]
    where = {"Bucket": bucket, "Key": decisions_key(platform.runs[0])}
    stored = s3.get_object(**where)["Body"].read()
    at = stored.index(b'"score": 1.0') + len(b'"score": ')
    s3.put_object(**where, Body=stored[:at] + b"0" + stored[at + 1 :])
    try:
        told = platform.openbell("replay", platform.runs[0])
        programs = platform.openbell("replay", platform.runs[0], "--json")
    finally:
        s3.put_object(**where, Body=stored)
    assert (told.exit_code, programs.exit_code) == (1, 1)
    assert f"different: run {platform.runs[0]}, 1 difference" in told.stdout
    answer = json.loads(programs.stdout)
    assert answer["identical"] is False
    assert answer["differences"] == [{"where": "signals.momentum[0].score", "stored": "0.0", "recomputed": "1.0"}]


def test_a_halt_is_seen_by_the_next_command_until_it_is_resumed(platform: Rehearsed) -> None:
    assert platform.openbell("halt", "--reason", "an exercise").exit_code == 0
    status = platform.openbell("status")
    assert status.exit_code == 3
    assert ": an exercise." in status.stdout
    assert "an exercise" in platform.openbell("reconcile").stdout
    assert platform.openbell("resume").exit_code == 0
    assert platform.openbell("status").exit_code == 0


@pytest.mark.parametrize("command", [["run", "show"], ["replay"], ["orders", "--run"]], ids=" ".join)
def test_an_unknown_run_is_told(platform: Rehearsed, command: list[str]) -> None:
    told = platform.openbell(*command, "20220615-1500-zzzz")
    assert (told.exit_code, told.stdout) == (2, "")
    assert "there is no run '20220615-1500-zzzz'; `openbell runs` lists them" in words(told)


def test_an_unknown_stack_is_told_with_those_that_are_there(platform: Rehearsed) -> None:
    told = platform.openbell("runs", "--stack", "nope")
    assert (told.exit_code, told.stdout) == (2, "")
    expected = f"there is no stack 'nope' in the local cloud at {platform.endpoint_url}; there are: openbell"
    assert expected in words(told)


def test_the_local_cloud_of_the_folder_is_found_by_its_file(
    platform: Rehearsed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ENDPOINT_FILE.parent.mkdir()
    access_key = platform.played.stage._cloud.access_key
    where = {"endpoint_url": platform.endpoint_url, "access_key": access_key, "stack_name": "openbell"}
    ENDPOINT_FILE.write_text(json.dumps(where))
    told = CliRunner().invoke(app, ["runs"])
    assert told.exit_code == 0, told.output
    assert platform.runs[0] in told.stdout
