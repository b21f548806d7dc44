"""Who may call the exchange, and how often."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from werkzeug.datastructures import Headers

type Answer = tuple[dict[str, str], int, dict[str, str]]

_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys that the exchange knows."""

    key_id: str
    secret_key: str = field(repr=False)


def refuse_stranger(headers: Headers, credentials: Credentials | None) -> Answer | None:
    """401 unless keys are sent, and are the right ones if any are configured. Alpaca's body has no code."""
    key, secret = headers.get("APCA-API-KEY-ID", ""), headers.get("APCA-API-SECRET-KEY", "")
    bearer = headers.get("Authorization", "").removeprefix("Bearer ")
    known = credentials is None or Credentials(key, secret) == credentials or bearer == credentials.secret_key
    if known and ((key and secret) or bearer):
        return None
    return {"message": "unauthorized."}, 401, {}


class RateLimit:
    """So many requests in each minute of real time; the exchange's own clock plays no part."""

    def __init__(self, requests_per_minute: int, clock: Callable[[], float] = time.time) -> None:
        if requests_per_minute < 1:
            raise ValueError(f"requests_per_minute must be above 0, got {requests_per_minute}")
        self._most = requests_per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._used = 0

    def use(self) -> tuple[bool, dict[str, str]]:
        """Count a request: whether it is within the limit, and the X-RateLimit headers (Reset in Unix seconds)."""
        with self._lock:
            minute = int(self._clock() // _MINUTE)
            if minute != self._minute:
                self._minute, self._used = minute, 0
            self._used += 1
            return self._used <= self._most, {
                "X-RateLimit-Limit": str(self._most),
                "X-RateLimit-Remaining": str(max(0, self._most - self._used)),
                "X-RateLimit-Reset": str(int((minute + 1) * _MINUTE)),
            }
