"""The paper exchange over HTTP: one server for trading, market data and control."""

import io
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as WsgiResponse

from paper.control_api import control_api
from paper.data_api import actions_api, data_api
from paper.errors import Refused
from paper.exchange import PaperExchange
from paper.gate import Answer, Credentials, RateLimit, refuse_body, refuse_stranger, refuse_web_page
from paper.trading_api import trading_api

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

type Proceed = Callable[[], WsgiResponse]
type Intercept = Callable[[Request, Proceed], WsgiResponse]


def create_app(
    exchange: PaperExchange,
    intercept: Intercept | None = None,
    credentials: Credentials | None = None,
    requests_per_minute: int | None = None,
) -> Flask:
    """A WSGI application that answers as Alpaca does, and under /control what `paper.control_api` lists.

    `intercept(request, proceed)` stands before every request to /v2: it answers in the exchange's place, or calls
    `proceed()`, which lets the request take effect, and returns what that gave or something else (a 504 after an
    order was booked). Without `credentials` any keys will do, but there must be some. No limit without
    `requests_per_minute`.
    """
    app = Flask("paper")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    for api in (data_api(exchange), actions_api(exchange), trading_api(exchange), control_api(exchange)):
        app.register_blueprint(api)
    _guard(app, credentials, RateLimit(requests_per_minute) if requests_per_minute else None)
    _answer_errors(app)
    if intercept:
        setattr(app, "wsgi_app", _intercepted(app.wsgi_app, intercept))  # noqa: B010 - Flask takes middleware so
    return app


def _guard(app: Flask, credentials: Credentials | None, limit: RateLimit | None) -> None:
    @app.before_request
    def check() -> Answer | None:
        refused = refuse_web_page(request, int(request.environ["SERVER_PORT"])) or refuse_body(request)
        if refused:
            return refused
        if limit and not request.path.startswith("/control"):
            within, g.rate_headers = limit.use()
            if not within:
                return {"message": "too many requests."}, 429, {}
        return refuse_stranger(request.headers, credentials)

    @app.after_request
    def tell_limit(response: Response) -> Response:
        response.headers.update(g.get("rate_headers", {}))
        return response


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(Refused)
    def refused(error: Refused) -> tuple[Response, int]:
        return jsonify(error.body), error.status

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> tuple[Response, int]:
        return jsonify({"message": error.description}), error.code or 500


def _intercepted(inner: "WSGIApplication", intercept: Intercept) -> "WSGIApplication":
    def run(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        seen = Request(environ)
        if not seen.path.startswith("/v2"):
            return inner(environ, start_response)
        body = seen.get_data()

        def proceed() -> WsgiResponse:
            content, status, headers = run_wsgi_app(inner, {**environ, "wsgi.input": io.BytesIO(body)})
            return WsgiResponse(content, status, headers)

        return intercept(seen, proceed)(environ, start_response)

    return run


class _Quiet(WSGIRequestHandler):
    """A request that was answered is nothing to log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class RunningServer:
    """A server in a thread of its own. Usable in a `with` statement."""

    def __init__(self, server: BaseWSGIServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True, name="paper-exchange")
        self._thread.start()

    @property
    def url(self) -> str:
        """Where trading, data and control are served, without a trailing slash."""
        return f"http://{self._server.host}:{self._server.server_port}"

    def stop(self) -> None:
        """Answer what has been asked, and close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "RunningServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(
    exchange: PaperExchange,
    port: int = 0,
    intercept: Intercept | None = None,
    credentials: Credentials | None = None,
    requests_per_minute: int | None = None,
) -> RunningServer:
    """Serve the exchange on 127.0.0.1, on a free port by default; the arguments are those of `create_app`."""
    app = create_app(exchange, intercept, credentials, requests_per_minute)
    return RunningServer(make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet))
