"""A pytest plugin: what was left out is said, and where nothing may be left out (CI=true) it fails the run.

A skip that is right everywhere stands in ALLOWED with its reason.
"""

import os
from collections.abc import Mapping

import pytest

ALLOWED: Mapping[str, str] = {}  # the beginning of a test's id: why it may be left out in CI

_skipped: pytest.StashKey[dict[str, str]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is left out yet."""
    config.stash[_skipped] = {}
    config.pluginmanager.register(_Listener(config.stash[_skipped]), "left-out-listener")


class _Listener:
    def __init__(self, skipped: dict[str, str]) -> None:
        self._skipped = skipped

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a skip with its reason; xfail is none."""
        if report.skipped and not hasattr(report, "wasxfail"):
            where = report.longrepr
            self._skipped[report.nodeid] = str(where[2] if isinstance(where, tuple) else where)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole file that is skipped counts too."""
        if report.skipped:
            self._skipped[report.nodeid] = str(report.longrepr)


def _is_ci() -> bool:
    return os.environ.get("CI") == "true"


def _unexplained(skipped: Mapping[str, str]) -> dict[str, str]:
    return {name: why for name, why in skipped.items() if not any(name.startswith(known) for known in ALLOWED)}


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a skip without a reason on the list is a failure."""
    skipped = session.config.stash[_skipped]
    if _is_ci() and _unexplained(skipped) and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, why, and what to do."""
    skipped = config.stash[_skipped]
    if not skipped:
        return
    terminalreporter.section("left out")
    for why in sorted(set(skipped.values())):
        names = [name for name, reason in skipped.items() if reason == why]
        terminalreporter.write_line(f"{len(names)} tests, {names[0]} the first: {why}")
    if _is_ci() and _unexplained(skipped):
        terminalreporter.write_line("In CI nothing may be left out: provide it, or name it in tests/left_out.py")
