"""Pictures of every page of the console, as Chromium shows them: light, dark, and on a phone."""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from cli.platform import Platform, find_place, open_platform
from console.child import arguments, running
from console.serve import serving
from openbell.model import RunStatus
from scripts.chromium import chromium_options

_FOLDER = Path("reports/console")
_LOOKS = {"light": ("light", 1280, 900), "dark": ("dark", 1280, 900), "phone": ("light", 390, 844)}
_RUNS = 5
_SPEED = "3600x"
_PATIENCE_S = 300.0


def main() -> None:
    """Play some sessions, then go through the pages in every look."""
    folder = _FOLDER.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _played() as platform, serving(platform) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium_options())
        pages = _pages(platform)
        for look in _LOOKS:
            for name in _shoot(browser, look, address, pages, folder):
                print(folder / name)
        browser.close()


@contextmanager
def _played() -> Iterator[Platform]:
    """A platform of its own after some sessions, and after a run that was stopped."""
    with (
        tempfile.TemporaryDirectory(prefix="openbell-shots-") as work,
        chdir(work),
        running(arguments("", _SPEED, None)),
        open_platform(find_place("", "")) as platform,
    ):
        print("playing ...", file=sys.stderr)
        _await(lambda: _number(platform, RunStatus.COMPLETED) >= _RUNS)
        _stop_one(platform)
        yield platform


def _stop_one(platform: Platform) -> None:
    """Start runs by hand and stop them, until one had come so far that it counts as failed."""
    workflow, machine = platform.client("stepfunctions"), platform.outputs["LiveMachineArn"]
    while not _number(platform, RunStatus.FAILED):
        begun = workflow.start_execution(stateMachineArn=machine, input=json.dumps({}))["executionArn"]
        _await(partial(_has_begun, platform, begun.rsplit(":", 1)[-1]))
        workflow.stop_execution(executionArn=begun)
        time.sleep(5)  # a rule then has the run closed


def _has_begun(platform: Platform, execution: str) -> bool:
    return platform.ledger.run_of(execution) is not None or platform.execution_status(execution) != "RUNNING"


def _number(platform: Platform, status: RunStatus) -> int:
    return sum(run.status is status for run in platform.ledger.runs(200))


def _await(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not reached within {_PATIENCE_S:.0f} s")
        time.sleep(0.3)


def _pages(platform: Platform) -> dict[str, str]:
    newest = {run.status: run.run_id for run in reversed(platform.ledger.runs(200))}
    return {
        "overview": "/",
        "runs": "/runs",
        "run": f"/runs/{newest[RunStatus.COMPLETED]}",
        "run-failed": f"/runs/{newest[RunStatus.FAILED]}",
        "run-skipped": f"/runs/{newest[RunStatus.SKIPPED]}",
        "positions": "/positions",
        "dashboard": "/dashboard",
        "halt": "/halt",
        "missing": "/runs/20990101-0000-none",
    }


def _shoot(browser: Browser, look: str, address: str, pages: dict[str, str], folder: Path) -> Iterator[str]:
    scheme, width, height = _LOOKS[look]
    with browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": height},
        device_scale_factor=1 if width > height else 2,
    ) as context:
        page = context.new_page()
        page.goto(address)
        root = address.partition("?")[0].rstrip("/")
        for name, path in pages.items():
            page.goto(root + path)
            yield _picture(page, folder, name, look)
        yield from _halted(page, root, look, folder)


def _halted(page: Page, root: str, look: str, folder: Path) -> Iterator[str]:
    """Trading is halted and resumed as a person does it."""
    page.goto(f"{root}/halt")
    page.get_by_label("Reason").fill("Prices of CVX look wrong since 14:55")
    page.get_by_role("button", name="Halt trading").click()
    yield _picture(page, folder, "halted", look)
    page.goto(f"{root}/resume")
    yield _picture(page, folder, "resume", look)
    page.get_by_role("button", name="Resume trading").click()


def _picture(page: Page, folder: Path, name: str, look: str) -> str:
    file = f"{name}-{look}.png"
    page.screenshot(path=str(folder / file), full_page=True)
    return file


if __name__ == "__main__":
    main()
