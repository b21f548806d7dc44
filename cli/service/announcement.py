"""The file that tells other commands where the running local platform is."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.endpoint import ENDPOINT_FILE
from cli.service.folder import held


@contextmanager
def only_one_here() -> Iterator[None]:
    """One service in a folder, so that the commands given there mean it; InvalidInput if another runs here."""
    with held(ENDPOINT_FILE.with_name("lock"), f"the folder {Path.cwd()}"):
        yield


@contextmanager
def announced(endpoint_url: str, stack_name: str, exchange_url: str) -> Iterator[None]:
    """The file is there inside the block; one that a killed service has left is replaced."""
    told = {"endpoint_url": endpoint_url, "stack_name": stack_name, "exchange_url": exchange_url, "pid": os.getpid()}
    unfinished = ENDPOINT_FILE.with_suffix(".tmp")
    unfinished.write_text(json.dumps(told) + "\n")
    unfinished.replace(ENDPOINT_FILE)
    try:
        yield
    finally:
        ENDPOINT_FILE.unlink(missing_ok=True)
