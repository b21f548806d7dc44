"""Two releases, and the way back: what a run uses after a rollback is the earlier one, and nothing is deployed."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from openbell.model import RunStatus
from tests.integration.releases.project import Platform, a_platform, copy_of_the_project

A, B = "2611271900-aaaaaaa", "2611271930-bbbbbbb"


def openbell(platform: Platform, *arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["release", *arguments, "--local", platform.cloud.address], input=answer)


def used(platform: Platform) -> tuple[str, ...]:
    """The versions of the functions that the last run was opened and closed with."""
    versions = platform.versions_used()
    return versions["OpenRun"][-1], versions["CloseRun"][-1]


@pytest.fixture(scope="module")
def two_releases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("rollback")
    template = copy_of_the_project(folder / "b")
    with (folder / "b" / "shared" / "openbell" / "lambdas.py").open("a") as file:
        file.write('\nprint("release B")\n')
    with a_platform(folder, Release=A) as platform:
        platform.cloud.deploy(template, {"Release": B})
        yield platform


def test_the_list_names_both_and_says_which_is_live(two_releases: Platform) -> None:
    found = json.loads(openbell(two_releases, "list", "--json").stdout)["releases"]
    assert [(each["number"], each["name"], each["live"]) for each in found] == [(2, B, True), (1, A, False)]
    assert set(found[0]["functions"].values()) == {2}
    assert set(found[1]["functions"].values()) == {1}
    told = openbell(two_releases, "list").stdout
    assert "OpenRun 1 -> 2" in told


def test_who_does_not_confirm_changes_nothing(two_releases: Platform) -> None:
    told = openbell(two_releases, "rollback", answer="n\n")
    assert told.exit_code == 1
    assert f"Release 2 ({B}) is live; 1 ({A}) was made at" in told.stderr
    assert "CloseRun 2 -> 1" in told.stderr
    assert two_releases.run() == "SUCCEEDED"
    assert used(two_releases) == ("2", "2")


def test_after_a_rollback_runs_use_the_earlier_release_and_after_another_the_later(two_releases: Platform) -> None:
    two_releases.next_day()
    told = openbell(two_releases, "rollback", "--yes")
    assert told.exit_code == 0, told.output
    assert f"use release 1 ({A})" in " ".join(told.stdout.split())
    assert two_releases.run() == "SUCCEEDED"
    assert used(two_releases) == ("1", "1")
    two_releases.next_day()
    assert openbell(two_releases, "rollback", B, "--yes").exit_code == 0
    assert two_releases.run() == "SUCCEEDED"
    assert used(two_releases) == ("2", "2")
    assert [run.status for run in two_releases.ledger.runs()] == [RunStatus.COMPLETED] * 3


def test_the_rule_for_dead_runs_follows(two_releases: Platform) -> None:
    openbell(two_releases, "rollback", "1", "--yes")
    function = two_releases.cloud.physical_id("CloseRunFunction")
    alias = two_releases.cloud.client("lambda").get_alias(FunctionName=function, Name="dead-runs")
    assert alias["FunctionVersion"] == "1"


def test_the_release_that_is_live_is_left_as_it_is(two_releases: Platform) -> None:
    openbell(two_releases, "rollback", "1", "--yes")
    told = openbell(two_releases, "rollback", "1")
    assert (told.exit_code, told.stderr) == (0, "")
    assert "was live already" in told.stdout


@pytest.mark.parametrize(
    ("wanted", "words"), [("7", "there is no release '7'; `openbell release list` has 2, 1"), ("", "none before it")]
)
def test_a_release_that_is_not_there_is_told(two_releases: Platform, wanted: str, words: str) -> None:
    openbell(two_releases, "rollback", "1", "--yes")
    told = openbell(two_releases, "rollback", *([wanted] if wanted else []), "--yes")
    assert told.exit_code == 2
    assert words in " ".join(told.stderr.split())


def test_a_release_with_a_part_that_is_gone_stays_where_it_is(two_releases: Platform) -> None:
    openbell(two_releases, "rollback", "1", "--yes")
    function = two_releases.cloud.physical_id("SettleOrdersFunction")
    two_releases.cloud.client("lambda").delete_function(FunctionName=function, Qualifier="2")
    told = openbell(two_releases, "rollback", "2", "--yes")
    assert told.exit_code == 1
    assert "version 2 of" in " ".join(told.stderr.split())
    found = json.loads(openbell(two_releases, "list", "--json").stdout)["releases"]
    assert [each["number"] for each in found if each["live"]] == [1]
