"""The arguments of `openbell up`, and how they meet what is kept in a folder."""

import socket
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.market import Market
from cli.service.folder import StateFolder, end_of, held, open_exchange, state_folder
from cli.service.options import UpOptions, parse_instant, parse_port, parse_speed
from openbell.errors import InvalidInput
from openbell.model import NEW_YORK
from tests.integration.workflow.stage import sample


def market(source: str = "sample") -> Market:
    return Market(sample(), source, sample=True)


def options(**changes: Any) -> UpOptions:
    plain: dict[str, Any] = {
        "start": None,
        "until": None,
        "speed": None,
        "state": None,
        "bars": None,
        "config": Path("strategies.yaml"),
        "equity": None,
        "port": 0,
    }
    return UpOptions(**plain | changes)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(("text", "speed"), [("1x", 1), ("600x", 600), ("0.5x", 0.5), ("60", 60), ("max", None)])
def test_a_speed_is_a_multiple_of_real_time_or_max(text: str, speed: float | None) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["fast", "0x", "-1x", "", "1xx", "inf"])
def test_any_other_speed_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="expected 1x for real time, a multiple such as 600x, or max"):
        parse_speed(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-06-01T09:15", at("2022-06-01 09:15")),
        ("2022-06-01", at("2022-06-01 09:00")),
        ("", None),
        ("2022-06-01T15:00:00+00:00", at("2022-06-01 11:00")),  # New York is four hours behind in summer
    ],
)
def test_an_instant_is_new_yorks(text: str, expected: datetime | None) -> None:
    assert parse_instant(text, "--from", time(9)) == expected


def test_a_date_that_does_not_exist_is_named_with_its_option() -> None:
    with pytest.raises(InvalidInput, match="--until 2022-02-30: day"):
        parse_instant("2022-02-30", "--until", time(20))


def test_a_port_that_is_taken_is_refused_also_the_exchanges() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for wanted in (port, port - 1):
            with pytest.raises(InvalidInput, match=rf"--port {wanted}: the port ({wanted}|{port}) cannot be had"):
                parse_port(wanted)
    with pytest.raises(InvalidInput, match="--port 70000: expected a port from 1 to 65534"):
        parse_port(70000)


def test_the_command_refuses_before_anything_is_started() -> None:
    ended = CliRunner().invoke(app, ["up", "--speed", "fast"])
    assert ended.exit_code == 2
    assert "--speed fast" in ended.stderr


def test_a_new_exchange_stands_where_it_is_told_else_in_the_morning_of_a_good_day() -> None:
    told = open_exchange(options(start=at("2021-11-01 09:00"), equity=Decimal(5)), market(), None)
    assert (told.now, told.account().cash) == (at("2021-11-01 09:00"), 5)
    default = open_exchange(options(), market(), None)
    assert (default.now, default.account().cash) == (at("2022-06-15 09:00"), 100_000)


def test_a_kept_exchange_goes_on_from_where_it_stood(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    first = open_exchange(options(start=at("2022-06-15 09:00")), market(), folder)
    first.advance(at("2022-06-15 11:00"))
    assert open_exchange(options(), market(), folder).now == at("2022-06-15 11:00")


@pytest.mark.parametrize(
    ("given", "source", "words"),
    [
        ({"start": at("2022-06-15 09:00")}, "sample", "--from: the account in --state .* goes on from where"),
        ({"equity": Decimal(5)}, "sample", "--equity: the account in --state .* goes on from where"),
        ({}, "other.csv", "its account trades in sample, not in other.csv"),
    ],
)
def test_a_kept_exchange_is_not_made_anew(given: dict[str, Any], source: str, words: str, tmp_path: Path) -> None:
    open_exchange(options(), market(), StateFolder(tmp_path))
    with pytest.raises(InvalidInput, match=words):
        open_exchange(options(**given), market(source), StateFolder(tmp_path))


def test_a_file_that_is_no_exchange_is_named(tmp_path: Path) -> None:
    (tmp_path / "exchange.json").write_text("{}")
    with pytest.raises(InvalidInput, match=r"exchange.json is not a saved paper exchange"):
        open_exchange(options(), market(), StateFolder(tmp_path))


def test_the_end_is_the_datas_unless_told(tmp_path: Path) -> None:
    assert end_of(options(), market(), at("2022-06-15 09:00")) == at("2022-12-28 20:00")
    until = at("2022-06-16 20:00")
    assert end_of(options(until=until), market(), at("2022-06-15 09:00")) == until


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("2022-06-15 08:00", "--until 2022-06-15T08:00: the exchange stands at 2022-06-15 09:00 already"),
        ("2023-06-15 08:00", "the data ends on 2022-12-28"),
    ],
)
def test_an_end_in_the_past_or_beyond_the_data_is_refused(until: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        end_of(options(until=at(until)), market(), at("2022-06-15 09:00"))


def test_a_folder_has_one_service_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state"
    with state_folder(path) as folder:
        assert folder is not None
        with pytest.raises(InvalidInput, match="another `openbell up` is running with it"), state_folder(path):
            pass
    with state_folder(path):  # free again
        pass
    with state_folder(None) as nothing:
        assert nothing is None


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be made"), state_folder(tmp_path / "file"):
        pass


def test_a_lock_is_freed_with_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with held(tmp_path / "lock", "here"):
            pass
