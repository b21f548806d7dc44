"""`openbell up --state`: killed at the worst moments and started again, it loses nothing and sends nothing twice."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.endpoint import read_endpoint
from cli.service.folder import state_folder
from openbell.errors import InvalidInput
from tests.e2e.commands import workers_of
from tests.e2e.services import Books, Service, eventually, service, write_flip

NOTHING = Books({}, frozenset(), {}, {}, (), frozenset())

# At real speed, so that each tick comes two seconds after the clock was put before it.
ARGUMENTS = ("--speed", "1x", "--config", "flip.yaml", "--state", "kept")


def put_before_the_tick(running: Service, day: str) -> None:
    running.exchange("advance", to=f"{day}T14:44:58")


def let_closing_prices_come(running: Service, day: str) -> None:
    running.exchange("advance", to=f"{day}T15:52:00")  # too late for the ticks up to 15:45


def executions(running: Service) -> dict[str, str]:
    """What is written of each execution, by its name."""
    return {path.stem: path.read_text() for path in running.folder.glob("kept/cloud/executions/*/*.jsonl")}


def fresh(running: Service, known: set[str]) -> str:
    """The name of the execution that is none of `known`."""
    (name,) = eventually(lambda: set(executions(running)) - known)
    return name


def await_wait_state(running: Service, known: set[str]) -> None:
    """Until the new execution has sent its orders and waits for their fills."""
    name = fresh(running, known)
    eventually(lambda: "WaitStateEntered" in executions(running)[name])


def when_an_order_has_reached_the_exchange(running: Service, known: set[str]) -> None:
    saved = running.folder / "kept" / "exchange.json"
    eventually(lambda: saved.exists() and json.loads(saved.read_text())["orders"])


def when_the_exchange_has_filled_what_the_ledger_still_waits_for(running: Service, known: set[str]) -> None:
    await_wait_state(running, known)
    running.exchange(
        "advance", to="2022-06-16T15:52:00"
    )  # closing prices are there, and it is too late for a tick of 15:45


def when_the_execution_has_begun(running: Service, known: set[str]) -> None:
    fresh(running, known)


KILLS: dict[str, Callable[[Service, set[str]], None]] = {
    "2022-06-15": when_an_order_has_reached_the_exchange,
    "2022-06-16": when_the_exchange_has_filled_what_the_ledger_still_waits_for,
    "2022-06-17": when_the_execution_has_begun,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("killed")
    write_flip(made, daily_at="14:45")  # when one schedule fires alone: at 15:00 there are two
    return made


def killed_on(day: str, folder: Path, earlier: Books, *begin: str) -> tuple[Books, str]:
    """Start the service, kill it in the run of `day`; the books before that run, and the execution that died."""
    with service(folder, *ARGUMENTS, *begin) as running:
        books = Books.of(running)
        books.check_includes(earlier)
        known = set(executions(running))
        if not begin:
            put_before_the_tick(running, day)
        KILLS[day](running, known)
        running.kill()
        return books, fresh(running, known)


def check_who_is_told(running: Service) -> None:
    """Other commands find the service; a second one is kept from its folder."""
    told = read_endpoint(running.announced)
    assert told is not None
    assert (told.endpoint_url, told.exchange_url) == (running.place.endpoint_url, running.endpoint["exchange_url"])
    kept = state_folder(running.folder / "kept")
    with pytest.raises(InvalidInput, match="another `openbell up` is running with it"), kept:
        pass


def test_whenever_it_is_killed_the_next_start_goes_on_with_true_books(folder: Path) -> None:
    books, first = killed_on("2022-06-15", folder, NOTHING, "--from", "2022-06-15T14:44:58")
    books, second = killed_on("2022-06-16", folder, books)
    assert books.aborted == {first}
    books, third = killed_on("2022-06-17", folder, books)
    with service(folder, *ARGUMENTS) as running:
        Books.of(running).check_includes(books)
        known = set(executions(running))
        put_before_the_tick(running, "2022-06-21")  # the 20th is a holiday
        await_wait_state(running, known)
        running.exchange(
            "advance", to="2022-06-21T15:52:00"
        )  # closing prices are there, and it is too late for a tick of 15:45
        assert "COMPLETED" in running.line("2022-06-21 14:45  quarter_hour")
        last = Books.of(running)
        check_who_is_told(running)
        exit_code, said = running.stop(signal.SIGINT)
    last.check_includes(books)
    assert last.aborted == {first, second, third}
    runs = {last.ledger_orders[key].run_id for key in last.exchange_orders}
    assert {last.runs[first], last.runs[second]} < runs  # both had sent orders, as has the last run
    last.check_each_order_was_sent_once()
    assert last.differences == ()
    assert (exit_code, running.announced.exists()) == (130, False)
    assert "stopped; nothing is left running" in said
    assert workers_of(running.process.pid) == []
