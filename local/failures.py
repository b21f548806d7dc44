"""What went wrong where nobody could be told at once."""

import threading
import traceback
from dataclasses import dataclass


class LocalCloudError(Exception):
    """Base of what the local cloud raises itself."""


class DeployError(LocalCloudError):
    """The template cannot be deployed here: what, where, and what to do."""


class InternalError(LocalCloudError):
    """The emulation broke while the cloud was up; the results that it gave are not to be trusted."""


@dataclass(frozen=True)
class Failure:
    """One error and where it happened."""

    where: str
    error: BaseException

    def __str__(self) -> str:
        return f"{self.where}: {''.join(traceback.format_exception(self.error)).rstrip()}"


class Failures:
    """Errors of background threads and of the emulation, kept until somebody asks; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: list[Failure] = []

    def add(self, where: str, error: BaseException) -> None:
        """Keep `error`."""
        with self._lock:
            self._found.append(Failure(where, error))

    def take(self) -> tuple[Failure, ...]:
        """What was found since the last time, oldest first."""
        with self._lock:
            found, self._found = tuple(self._found), []
        return found
