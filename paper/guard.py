"""What guards the exchange's state: one thread at a time, and no change is known to anybody before it is saved."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, Protocol


class Guarded(Protocol):
    """Something whose methods are guarded."""

    @property
    def guard(self) -> "Guard":
        """Its guard."""
        ...


class Guard:
    """A lock that knows when a change is complete, and has it saved before the lock is given back."""

    def __init__(self, save: Callable[[], None] | None = None) -> None:
        self.lock = threading.RLock()
        self._save = save
        self._changes = 0  # under way in this thread: one may consist of others

    @contextmanager
    def change(self) -> Iterator[None]:
        """Around what changes the state. A change that raises an error is saved as far as it came.

        One that is interrupted is not saved: the process ends, and the next one goes on from before it.
        """
        with self.lock:
            self._changes += 1
            failed: Exception | None = None
            try:
                yield
            except Exception as error:
                failed = error
            finally:
                self._changes -= 1
            if self._save and not self._changes:
                self._save()
            if failed:
                raise failed


def locked[E: Guarded, **P, R](method: Callable[Concatenate[E, P], R]) -> Callable[Concatenate[E, P], R]:
    """One thread at a time: what a method reads belongs together."""

    @wraps(method)
    def run(guarded: E, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with guarded.guard.lock:
            return method(guarded, *args, **kwargs)

    return run


def changing[E: Guarded, **P, R](method: Callable[Concatenate[E, P], R]) -> Callable[Concatenate[E, P], R]:
    """One thread at a time, and what the method changes is saved when it returns."""

    @wraps(method)
    def run(guarded: E, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with guarded.guard.change():
            return method(guarded, *args, **kwargs)

    return run
