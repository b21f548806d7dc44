"""Invocations that can be left behind: each in a thread of its own, of which one at a time goes on."""

import threading
from collections.abc import Callable
from typing import Any


class Invocation:
    """One run of a task's code. Whoever starts it waits until it has ended, or has parked itself."""

    def __init__(self, state: str, function: str, body: Callable[[], Any], number: int) -> None:
        self.state = state
        self.function = function
        self.number = number  # of invocations, in the order of their starts
        self.result: Any = None
        self.error: BaseException | None = None
        self.ended = False
        self.body = body
        self._go, self._yielded = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Run until the end, or until it parks."""
        self._thread.start()
        self._yielded.acquire()

    def resume(self) -> None:
        """Go on where it was parked."""
        self._go.release()
        self._yielded.acquire()

    def park(self) -> None:
        """Called from within: give control back to whoever waits, until resumed."""
        self._yielded.release()
        self._go.acquire()

    def _work(self) -> None:
        try:
            self.result = self.body()
        except BaseException as error:
            self.error = error
        self.ended = True
        self._yielded.release()
