"""The file that tells other commands where the running local platform is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.endpoint import ENDPOINT_FILE, Endpoint
from cli.service.folder import held


@contextmanager
def only_one_here() -> Iterator[None]:
    """One service in a folder, so that the commands given there mean it; InvalidInput if another runs here."""
    with held(ENDPOINT_FILE.with_name("lock"), f"the folder {Path.cwd()}"):
        yield


@contextmanager
def announced(endpoint: Endpoint) -> Iterator[None]:
    """The file is there inside the block, readable by this user alone; one that a killed service has left is replaced.

    It holds the keys of this start: whoever reads it may drive the platform.
    """
    unfinished = ENDPOINT_FILE.with_suffix(".tmp")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(endpoint.model_dump_json() + "\n")
    unfinished.replace(ENDPOINT_FILE)
    try:
        yield
    finally:
        ENDPOINT_FILE.unlink(missing_ok=True)
