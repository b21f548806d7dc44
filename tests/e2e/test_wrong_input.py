"""What `openbell run` says to input that it cannot use: the thing, what was expected, and exit code 2."""

from pathlib import Path

import pytest

from tests.e2e.commands import openbell


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--strategies", "martingale"), "unknown strategy martingale"),
        (("--as-of", "2022-06-31"), "day is out of range"),
        (("--as-of", "2031-06-02"), "lies outside the data"),
        (("--equity", "0"), "expected an amount above 0"),
        (("--bars", "no-such-file.csv"), "no such file"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_starts(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    ended = openbell("run", *arguments, "--json", folder=tmp_path)
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("date,open,high,low,volume,Name\n2022-06-13,1,1,1,1,A\n", "close"),
        ("date,close,symbol\n2022-06-13,1,A\n2022-06-13,2,A\n", "2022-06-13"),
        ("date,close,symbol\n2022-06-14,1,A\n2022-06-13,2,A\n", "A"),
    ],
)
def test_a_bars_file_that_cannot_be_trusted_is_refused(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bars.csv").write_text(content)
    ended = openbell("run", "--bars", "bars.csv", folder=tmp_path)
    assert ended.exit_code == 2
    assert "bars.csv" in ended.stderr
    assert said in ended.stderr


def test_allocations_above_the_whole_account_are_refused(tmp_path: Path) -> None:
    (tmp_path / "strategies.yaml").write_text(
        "strategies:\n  momentum: {allocation: 0.6}\n  prophet_trend: {allocation: 0.5}\n"
    )
    ended = openbell("run", "--config", "strategies.yaml", folder=tmp_path)
    assert ended.exit_code == 2
    assert "sum to 1.1" in ended.stderr
