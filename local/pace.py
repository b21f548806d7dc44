"""How fast the market's time passes, measured by real time."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta


class Pace:
    """`speed` seconds of the market for each real second; None is as fast as the runs allow.

    It is an upper limit: the market's clock stands while a run computes, and then catches up.
    """

    def __init__(self, speed: float | None, real: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._real = real
        self._anchor: tuple[datetime, float] | None = None

    def reached(self, now: datetime, at: datetime) -> datetime:
        """Where the clock, which stands at `now`, may stand by this moment on its way to `at`; whole seconds."""
        if self._speed is None:
            return at
        if self._anchor is None or self._at(self._anchor) < now:  # somebody else has moved the clock on
            self._anchor = (now, self._real())
        allowed = self._at(self._anchor)
        return at if allowed >= at else max(now, allowed.replace(microsecond=0))

    def _at(self, anchor: tuple[datetime, float]) -> datetime:
        market, real = anchor
        return market + timedelta(seconds=(self._real() - real) * (self._speed or 0))

    def seconds_until(self, now: datetime, at: datetime) -> float:
        """Real seconds that the way from `now` to `at` takes."""
        return 0.0 if self._speed is None else (at - now).total_seconds() / self._speed
