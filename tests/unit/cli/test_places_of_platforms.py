"""Which platform a command means: by --stack, by --local, or by the local cloud that runs in the folder."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.endpoint import ENDPOINT_FILE
from cli.main import app
from cli.platform import Place, find_place
from openbell.errors import InvalidInput


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, and nothing of the caller's AWS settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


def running(folder: Path, content: str) -> None:
    path = folder / ENDPOINT_FILE
    path.parent.mkdir()
    path.write_text(content)


def openbell(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def words(told: Result) -> str:
    return " ".join(told.stderr.split())


def test_a_stack_is_on_aws() -> None:
    assert find_place("openbell-paper", "") == Place("openbell-paper")


def test_an_address_is_a_local_cloud_with_its_usual_stack() -> None:
    assert find_place("", "http://KEY@127.0.0.1:4566/") == Place(
        "openbell", "http://127.0.0.1:4566", "--local http://127.0.0.1:4566", "KEY"
    )
    assert find_place("other", "http://KEY@127.0.0.1:4566").stack == "other"


def test_an_address_without_its_key_is_told_where_the_key_is() -> None:
    with pytest.raises(InvalidInput, match=r"such as http://KEY@127.0.0.1:4566; `openbell up` prints it"):
        find_place("", "http://127.0.0.1:4566")


def test_the_key_of_the_cloud_that_runs_here_is_known(folder: Path) -> None:
    running(folder, '{"endpoint_url": "http://127.0.0.1:5000", "access_key": "KEY"}')
    assert find_place("", "http://127.0.0.1:5000").access_key == "KEY"
    with pytest.raises(InvalidInput, match="with its access key"):
        find_place("", "http://127.0.0.1:5001")


def test_a_key_is_not_shown_by_accident() -> None:
    assert "KEY" not in repr(Place("openbell", "http://127.0.0.1:5000", "", "KEY"))


def test_without_either_the_local_cloud_of_this_folder_is_meant(folder: Path) -> None:
    told = {"endpoint_url": "http://127.0.0.1:5000", "stack_name": "mine", "exchange_url": "http://127.0.0.1:5001"}
    running(folder, json.dumps({**told, "access_key": "KEY"}))
    assert find_place("", "") == Place("mine", "http://127.0.0.1:5000", ".openbell/endpoint.json", "KEY")
    assert find_place("openbell-paper", "") == Place("openbell-paper")


def test_with_nothing_to_mean_the_choices_are_told() -> None:
    told = openbell("status")
    assert (told.exit_code, told.stdout) == (2, "")
    for choice in ("--stack NAME", "--local URL", "`openbell up`", ".openbell/endpoint.json"):
        assert choice in words(told)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"endpoint_url": 1}', '{"endpoint_url": "http://127.0.0.1:5000"}']
)
def test_a_file_that_says_nothing_is_told(folder: Path, content: str) -> None:
    running(folder, content)
    with pytest.raises(InvalidInput, match=r"endpoint.json: does not say where the local cloud is; delete it"):
        find_place("", "")


@pytest.mark.parametrize("url", ["localhost", "127.0.0.1:80", "ftp://host", "http://", "http://host:port"])
def test_a_url_that_is_none_is_told(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"expected the URL of a local cloud, such as http://127.0.0.1:4566"):
        find_place("", url)


def test_a_file_with_a_url_that_is_none_is_named(folder: Path) -> None:
    running(folder, '{"endpoint_url": "nowhere", "access_key": "KEY"}')
    with pytest.raises(InvalidInput, match=r"endpoint.json: nowhere: expected the URL of a local cloud"):
        find_place("", "")


def test_a_cloud_that_has_ended_is_told_by_what_names_it(folder: Path) -> None:
    running(folder, '{"endpoint_url": "http://127.0.0.1:1", "access_key": "KEY"}')
    told = openbell("runs")
    assert (told.exit_code, told.stdout) == (2, "")
    assert ".openbell/endpoint.json: no local cloud answers at http://127.0.0.1:1, or its access key is" in words(told)


def test_a_stack_needs_a_region() -> None:
    told = openbell("orders", "--stack", "openbell-paper")
    assert told.exit_code == 2
    assert "--stack openbell-paper: in which region? Set AWS_DEFAULT_REGION" in words(told)


def test_a_stack_needs_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    told = openbell("positions", "--stack", "openbell-paper")
    assert told.exit_code == 2
    assert "Unable to locate credentials. Log in to AWS first" in words(told)


@pytest.mark.parametrize("verb", ["status", "positions", "orders", "runs", "reconcile", "replay", "halt", "resume"])
def test_every_command_tells_its_exit_codes(verb: str) -> None:
    told = openbell(verb, "--help")
    assert told.exit_code == 0
    assert "Exit codes: 0" in " ".join(told.output.split())
