"""alpaca-trade-api with what it lacks: time limits, no repeated requests, a data host that is no global variable."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from alpaca_trade_api.rest import REST, APIError
from requests import HTTPError, PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidJSONError

from openbell.errors import BrokerRefused, BrokerUnavailable, KeysRefused, OpenbellError, RateLimited

CONNECT_SECONDS, READ_SECONDS = 3.05, 10.0
LONGEST_WAIT_SECONDS = 15.0  # for the end of the broker's minute: a Lambda's time is short
_UNAUTHORIZED, _FORBIDDEN, _RATE_LIMITED, _SERVER_ERROR = 401, 403, 429, 500
_NOT_FOUND = 404
# Time-out, locked, too early, closed by the client's side: none of these is the broker's verdict.
_PASSING = frozenset({408, 423, 425, 499})


class AlpacaClient(REST):  # type: ignore[misc]  # the library has no types
    """The REST client, answering with plain JSON.

    Hosts must be given: the library's own default is the live host. It repeats no request, because it would repeat
    orders too. When the broker says that the requests of this minute are used up, the next one waits for its end, if
    that is near, and is not sent if it is not. Private attributes of the library are touched here and nowhere else.
    """

    def __init__(
        self,
        base_url: str,
        data_url: str,
        key_id: str,
        secret_key: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(key_id, secret_key, base_url=base_url.rstrip("/"), api_version="v2", raw_data=True)
        self._data_url = data_url.rstrip("/")
        self._retry = 0
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Considerate(sleep))

    def _request(self, method: str, path: str, *arguments: Any, **options: Any) -> Any:
        """Any request. Only a deletion is answered with nothing: elsewhere it would read as "there is none"."""
        answer = super()._request(method, path, *arguments, **options)
        if answer is None and method != "DELETE":
            raise InvalidJSONError(f"{method} {path}: the answer is empty")
        return answer

    def data_get(
        self,
        path: str,
        data: dict[str, Any] | None = None,
        feed: str | None = None,
        api_version: str = "v2",
    ) -> Any:
        """GET from the market data host."""
        query = (data or {}) | ({"feed": feed} if feed else {})
        return self._request("GET", path, query, base_url=self._data_url, api_version=api_version)

    def actions_get(self, query: dict[str, Any]) -> Any:
        """GET of corporate actions, which are at the first version of the market data host."""
        return self.data_get("/corporate-actions", query, api_version="v1")


class RequestsUsedUp(RequestException):
    """The broker's limit is reached, and its reset is too far away to wait for: nothing was sent."""


class _Considerate(HTTPAdapter):
    """Gives up on silence, which would block until the Lambda is killed, and keeps to the broker's rate limit."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        super().__init__()
        self._sleep = sleep
        self._used_up_until: dict[str, float] = {}  # Unix seconds by host

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        host = urlsplit(request.url or "").netloc
        self._wait(host)
        options["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
        answer = super().send(request, **options)
        if answer.headers.get("X-RateLimit-Remaining") == "0" and answer.headers.get("X-RateLimit-Reset", "").isdigit():
            self._used_up_until[host] = float(answer.headers["X-RateLimit-Reset"])
        return answer

    def _wait(self, host: str) -> None:
        left = self._used_up_until.pop(host, 0.0) - time.time()
        if left > LONGEST_WAIT_SECONDS:
            self._used_up_until[host] = time.time() + left
            raise RequestsUsedUp(f"{host} takes no more requests for {left:.0f} s")
        if left > 0:
            self._sleep(left)


FAILURES = (APIError, RequestException)  # everything that a call of AlpacaClient may raise


def status_of(error: Exception) -> int | None:
    """The HTTP status of an answer, None if there was none that could be read."""
    if isinstance(error, RequestsUsedUp):
        return _RATE_LIMITED
    if isinstance(error, APIError):
        return int(error.status_code) if error.status_code else None
    if isinstance(error, HTTPError) and error.response is not None:
        return int(error.response.status_code)
    return None


def words_of(error: Exception) -> str:
    """The broker's own words: message and reason, with the code."""
    body = getattr(error, "_error", None)
    if isinstance(body, dict):
        reason = f": {body['reject_reason']}" if body.get("reject_reason") else ""
        code = f" (code {body['code']})" if body.get("code") else ""
        return f"{body.get('message', '')}{reason}{code}"
    return str(error)


def keys_are_refused(error: Exception) -> bool:
    """Whether the answer concerns the keys: 401, or a 403 that says "forbidden" without a code of a cause."""
    body = getattr(error, "_error", None)
    status = status_of(error)
    return status == _UNAUTHORIZED or (status == _FORBIDDEN and isinstance(body, dict) and "code" not in body)


def says_not_found(error: Exception) -> bool:
    """Whether the broker itself, in its own JSON, says that there is no such thing; a proxy's 404 says nothing."""
    body = getattr(error, "_error", None)
    return status_of(error) == _NOT_FOUND and isinstance(body, dict) and "code" in body


def in_doubt(error: Exception) -> bool:
    """Whether an answer is none: silence, an outage, or words of somebody between us and the broker."""
    status = status_of(error)
    if status is None or status >= _SERVER_ERROR or status in _PASSING:
        return True
    return status == _NOT_FOUND and not says_not_found(error)


def explain_read(error: Exception, what: str) -> OpenbellError:
    """What a failed call that changes nothing means."""
    status = status_of(error)
    if in_doubt(error):
        return BrokerUnavailable(f"Alpaca did not answer {what}: {words_of(error)}")
    if status == _RATE_LIMITED:
        return RateLimited(f"Alpaca refuses more requests for now ({what})")
    if keys_are_refused(error):
        return KeysRefused(f"Alpaca refuses the keys: {words_of(error)}")
    return BrokerRefused(f"Alpaca refuses {what} with status {status}: {words_of(error)}")
