"""A first deployment is quiet: nothing fires before there are keys, and one alert says what is missing."""

import json
from collections.abc import Iterator

import pytest
from samtranslator.yaml_helper import yaml_parse
from typer.testing import CliRunner, Result

from cli.main import app
from cli.own_broker import hand_over
from cli.places import TEMPLATE
from openbell.model import RunStatus
from paper import Credentials
from tests.integration.releases.project import KEYS, Platform, a_platform


def openbell(platform: Platform, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--local", platform.cloud.address])


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with a_platform(tmp_path_factory.mktemp("first"), as_deployed=True) as platform:
        yield platform


def subjects(platform: Platform) -> list[str]:
    return [alert.subject for alert in platform.cloud.alerts]


def test_no_schedule_fires_by_default(first: Platform) -> None:
    assert yaml_parse(TEMPLATE.read_text())["Parameters"]["ScheduleState"]["Default"] == "DISABLED"
    assert first.cloud.schedules_due() == ()
    assert len(first.cloud.schedules) == 3


def test_runs_by_hand_without_keys_are_skipped_with_one_alert(first: Platform) -> None:
    assert [first.by_hand() for _ in range(2)] == ["SUCCEEDED"] * 2
    hand_over(Credentials("PKWRONG", "wrong"), first.cloud)
    assert first.by_hand() == "SUCCEEDED"
    runs = first.ledger.runs()
    assert [run.status for run in runs] == [RunStatus.SKIPPED] * 3
    assert all(run.note.startswith("no broker keys yet: ") for run in runs)
    assert "Alpaca refuses the keys" in runs[0].note
    assert subjects(first) == ["Openbell: no keys that the broker accepts"]


def test_doctor_says_so_and_the_schedules_stay_off_until_the_keys_are_right(first: Platform) -> None:
    told = openbell(first, "doctor", "--json")
    checks = {check["what"]: check["found"] for check in json.loads(told.stdout)["checks"] if not check["ok"]}
    assert "KeysRefused: Alpaca refuses the keys" in checks["account"]
    assert "DISABLED" in checks["schedules"]
    refused = openbell(first, "schedules", "on")
    assert refused.exit_code == 1
    assert "KeysRefused" in refused.stderr
    assert first.cloud.schedules_due() == ()


def test_with_keys_the_schedules_go_on_and_a_deployment_keeps_them_on(first: Platform) -> None:
    hand_over(KEYS, first.cloud)
    told = openbell(first, "schedules", "on")
    assert (told.exit_code, told.stderr) == (0, "")
    assert "The schedules are now on" in told.stdout
    first.cloud.deploy(parameters={"Release": "2611271943-abc"})
    assert first.run() == "SUCCEEDED"
    assert [run.status for run in first.ledger.runs()].count(RunStatus.COMPLETED) == 1
    assert "already on" in openbell(first, "schedules", "on").stdout
    assert json.loads(openbell(first, "schedules", "off", "--json").stdout)["state"] == "DISABLED"
    assert first.cloud.schedules_due() == ()
    assert len(subjects(first)) == 1
