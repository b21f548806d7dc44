"""Who may call the exchange, and how often: no web page that a person happens to visit, and nobody without keys."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request

type Answer = tuple[dict[str, str], int, dict[str, str]]

_MINUTE = 60.0
MAX_BODY_BYTES = 1024 * 1024  # of a request; an order has a few hundred


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys that the exchange knows."""

    key_id: str
    secret_key: str = field(repr=False)


def new_credentials() -> Credentials:
    """Keys of the shape of Alpaca's, for one start."""
    return Credentials(f"PK{secrets.token_hex(9).upper()}", secrets.token_hex(20))


def refuse_web_page(request: Request, port: int) -> Answer | None:
    """403 for what only a browser sends for a page of another site: its Origin, a preflight, or another Host.

    A name that was rebound to 127.0.0.1 does not give our Host. What changes something must be JSON, which a form
    cannot send without a preflight.
    """
    if request.host not in {f"127.0.0.1:{port}", f"localhost:{port}"}:  # both always with the port
        return {"message": f"this is the paper exchange at 127.0.0.1:{port}, not {request.host}"}, 403, {}
    if "Origin" in request.headers or request.method == "OPTIONS":
        return {"message": "the paper exchange answers no web page"}, 403, {}
    return None


def refuse_body(request: Request) -> Answer | None:
    """4xx for a body whose length is not given, is no length or too long, and for one that is not named as JSON."""
    if "Transfer-Encoding" in request.headers:
        return {"message": "expected a Content-Length, and no Transfer-Encoding"}, 411, {}
    length = request.environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return {"message": f"Content-Length {length!r} is no length"}, 400, {}
    if int(length) > MAX_BODY_BYTES:
        return {"message": f"the body has more than {MAX_BODY_BYTES} bytes"}, 413, {}
    if int(length) and not request.is_json:
        return {"message": "expected Content-Type: application/json"}, 415, {}
    return None


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
