"""`openbell run` where nothing may be started: wrong arguments end with a sentence and exit code 2."""

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as-of", "2022-02-30"], "--as-of 2022-02-30: "),
        (["--as-of", "noon"], "expected a New York time such as 2022-06-15T15:00"),
        (["--days", "0"], "--days 0: expected a number of sessions from 1 to 260"),
        (["--equity", "-1"], "--equity -1: expected an amount above 0 in USD"),
        (["--slippage-bps", "lots"], "--slippage-bps lots: expected basis points from 0 to 1000"),
        (["--strategies", "a,,b"], "expected names separated by commas"),
        (
            ["--bundles", "nowhere"],
            "--bundles nowhere: expected what make package builds, .aws-sam/build; build it first",
        ),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_started(arguments: list[str], message: str) -> None:
    outcome = CliRunner().invoke(app, ["run", *arguments])
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert message in outcome.stderr
    assert "Traceback" not in outcome.output


@pytest.mark.parametrize("option", [["--json"], ["--days", "3"]])
def test_an_option_before_show_is_refused_instead_of_lost(option: list[str]) -> None:
    outcome = CliRunner().invoke(app, ["run", *option, "show", "20220615-1500-e2b9"])
    assert outcome.exit_code == 2
    told = " ".join(outcome.stderr.split())
    assert f"{option[0]} belongs to `openbell run` itself; options of `show` follow after it" in told


def test_without_a_verb_the_menu_is_shown() -> None:
    assert "run" in CliRunner().invoke(app, []).output


def test_the_exit_codes_are_in_the_help() -> None:
    assert "ledger and exchange" in CliRunner().invoke(app, ["run", "--help"]).output
