"""Who may use the console: the person at this machine who started it, and no web page that they happen to visit.

Every request: the Host header is ours, which a name that was rebound to 127.0.0.1 would not give. Every page: the
browser was let in with the key in the address that the console printed, so that other users of this machine see
nothing. Every change: sent by our own page, by its Origin and by a token in the form that only our pages know.
"""

import hmac
import secrets
from dataclasses import dataclass

from flask import Flask, abort, redirect, request, session
from werkzeug.wrappers import Response

_OPEN_TO_ALL = frozenset({"static", "report_style"})  # endpoints that tell nothing
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would make the Origin of our own forms null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Guard:
    """Lets in who has the key, at the address of `port`."""

    port: int
    key: str

    @property
    def hosts(self) -> frozenset[str]:
        """The Host headers that are ours."""
        return frozenset({f"127.0.0.1:{self.port}", f"localhost:{self.port}"})

    def watch(self, app: Flask) -> None:
        """Put the guard before every request and its headers on every answer."""
        app.secret_key = secrets.token_bytes(32)
        app.config |= {
            "SESSION_COOKIE_NAME": f"openbell-console-{self.port}",  # cookies do not tell ports apart
            "SESSION_COOKIE_SAMESITE": "Strict",
            "SESSION_COOKIE_HTTPONLY": True,
        }
        app.before_request(self._check)
        app.after_request(_protect)
        app.jinja_env.globals["form_token"] = form_token

    def _check(self) -> Response | None:
        if request.host not in self.hosts:
            abort(400, f"This is the console at 127.0.0.1:{self.port}, not {request.host}.")
        if request.endpoint in _OPEN_TO_ALL:
            return None
        if request.method == "GET" and "key" in request.args:
            return self._let_in(request.args["key"])
        if not session.get("let_in"):
            abort(403, "Open the address that `openbell console` printed when it started: it holds the key.")
        if request.method not in {"GET", "HEAD", "OPTIONS"}:
            self._check_change()
        return None

    def _let_in(self, key: str) -> Response:
        if not hmac.compare_digest(key.encode(), self.key.encode()):
            abort(403, "The key in this address is of another console. Open the address that this one printed.")
        session["let_in"] = True
        return redirect(request.path, 303)  # the key shall not stay in the address bar

    def _check_change(self) -> None:
        if request.headers.get("Origin") not in {f"http://{host}" for host in self.hosts}:
            abort(403, "Nothing was changed: the request did not come from a page of this console.")
        known, given = session.get("form_token", ""), request.form.get("form_token", "")
        if not known or not hmac.compare_digest(known.encode(), given.encode()):
            abort(403, "Nothing was changed: the form is of an earlier session. Go back, load the page again, repeat.")


def form_token() -> str:
    """What a form must send back to change anything."""
    if "form_token" not in session:
        session["form_token"] = secrets.token_urlsafe(24)
    return str(session["form_token"])


def _protect(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint not in _OPEN_TO_ALL:
        response.headers.setdefault("Cache-Control", "no-store")
    return response
