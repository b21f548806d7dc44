"""A test that is skipped is said everywhere, and fails the run in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.infrastructure.sources import ROOT

SKIPS = """
import pytest

def test_one(): pass

@pytest.mark.skip(reason='no browser here: install one')
def test_two(): pass
"""
FAILS_AS_EXPECTED = "import pytest\n\n@pytest.mark.xfail(strict=True)\ndef test_one(): assert False\n"


def run(folder: Path, source: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(source)
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.left_out", "-p", "no:cacheprovider", "-c", os.devnull]
    return subprocess.run(
        [*command, "--rootdir", str(folder), str(folder)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skip_is_said_and_fails_in_ci_alone(tmp_path: Path, ci: str, code: int) -> None:
    ended = run(tmp_path, SKIPS, ci)
    assert ended.returncode == code, ended.stdout
    assert "1 tests, test_it.py::test_two the first: Skipped: no browser here: install one" in ended.stdout
    assert ("In CI nothing may be left out" in ended.stdout) == bool(code)


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert run(tmp_path, FAILS_AS_EXPECTED, "true").returncode == 0
