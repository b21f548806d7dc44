"""Where Chromium is, for tests and pictures of the console: Playwright's own browsers are not downloaded."""

import os
import shutil
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str:
    """The path of an installed Chromium; empty if there is none. OPENBELL_CHROMIUM names another one."""
    named = os.environ.get("OPENBELL_CHROMIUM", "")
    return named or next((path for name in _NAMES if (path := shutil.which(name))), "")


def chromium_options() -> dict[str, Any]:
    """What Playwright's `launch` is called with; FileNotFoundError if there is no Chromium."""
    path = find_chromium()
    if not path:
        raise FileNotFoundError(f"no Chromium here (looked for {', '.join(_NAMES)}); OPENBELL_CHROMIUM may name one")
    # Chromium's own sandbox refuses to run as root, as in most containers.
    return {"executable_path": path, "args": ["--no-sandbox"] if os.geteuid() == 0 else []}
