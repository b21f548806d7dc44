"""Who may use the local cloud: whoever was handed its token, and no web page that a person happens to visit.

Code runs here on request, so an address of this machine alone is no protection: a browser opens connections to it for
any page. Every request must name our Host, which a name rebound to 127.0.0.1 does not, must carry the token of this
start as the access key that AWS's clients sign with, and must not come from a page (Origin). Nothing is answered to
a preflight, and no answer lets a page of another origin read it.
"""

import hmac
import re
import secrets
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BODY_BYTES = 64 * 1024 * 1024  # far above what any handler sends; a request that claims more is no client's
_ACCESS_KEY = re.compile(r"(?:^|[ ,&?])(?:X-Amz-)?Credential=([^/&,\s]+)/")


def new_token() -> str:
    """A token for one start, of the shape of an access key."""
    return f"LOCAL{secrets.token_hex(20).upper()}"


def is_ours(host: str, port: int) -> bool:
    """Whether a Host header names this machine at `port`."""
    return host in {f"127.0.0.1:{port}", f"localhost:{port}"}


class Door:
    """Stands before an application; lets in who has the token."""

    def __init__(self, application: "WSGIApplication", token: str) -> None:
        self._application = application
        self._token = token

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer as the application does, or refuse."""
        if refusal := self._refusal(environ):
            return refusal(environ, start_response)
        return self._application(environ, _without_cors(start_response))

    def _refusal(self, environ: "WSGIEnvironment") -> Response | None:
        host = environ.get("HTTP_HOST", "")
        if not is_ours(host, int(environ["SERVER_PORT"])):
            return _refuse(HTTPStatus.BAD_REQUEST, f"this is the local cloud at 127.0.0.1, not {host}")
        if "HTTP_ORIGIN" in environ or environ["REQUEST_METHOD"] == "OPTIONS":
            return _refuse(HTTPStatus.FORBIDDEN, "the local cloud answers no web page")
        if refusal := _refuse_length(environ):
            return refusal
        if not hmac.compare_digest(_access_key(environ).encode(), self._token.encode()):
            return _refuse(
                HTTPStatus.FORBIDDEN,
                "sign with the access key of this start of the local cloud: `openbell up` wrote it to endpoint.json",
            )
        return None


def _refuse_length(environ: "WSGIEnvironment") -> Response | None:
    """An answer to a body whose length is not given, is no length, or is too long."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return _refuse(HTTPStatus.LENGTH_REQUIRED, "expected a Content-Length, and no Transfer-Encoding")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return _refuse(HTTPStatus.BAD_REQUEST, f"Content-Length {length!r} is no length")
    if int(length) > MAX_BODY_BYTES:
        return _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BODY_BYTES} bytes")
    return None


def _access_key(environ: "WSGIEnvironment") -> str:
    """The access key of a request signed in its header or in its address."""
    for text in (environ.get("HTTP_AUTHORIZATION", ""), unquote(environ.get("QUERY_STRING", ""))):
        if found := _ACCESS_KEY.search(text):
            return found[1]
    return ""


def _refuse(status: HTTPStatus, why: str) -> Response:
    return Response(f"{why}\n", status, content_type="text/plain; charset=utf-8")


def _without_cors(start_response: "StartResponse") -> "StartResponse":
    """No header that lets a page of another origin read the answer: moto allows every origin."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        kept = [(name, value) for name, value in headers if not name.lower().startswith("access-control-")]
        return start_response(status, kept, exc_info)

    return start
