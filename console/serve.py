"""Serving the console on this machine alone."""

import os
import secrets
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

from console.app import create_app
from console.guard import Guard
from console.source import Source
from openbell.errors import InvalidInput

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HOST = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing: a page that was looked at is no news."""


@contextmanager
def serving(source: Source, port: int = 0) -> Iterator[str]:
    """The console over `source` on `port` of 127.0.0.1 (0: a free one); gives the address that lets a browser in.

    InvalidInput if the port is taken.
    """
    with _listening(port) as listener:
        taken, key = listener.getsockname()[1], secrets.token_urlsafe(16)
        pages = _one_at_a_time(create_app(source, Guard(taken, key)))
        server = make_server(_HOST, taken, pages, threaded=True, request_handler=_QuietHandler, fd=listener.fileno())
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="console", daemon=True
        )
        thread.start()
        try:
            yield f"http://{_HOST}:{taken}/?key={key}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise InvalidInput(f"--port {port}: {why}. Is another console open? --port 0 takes a free one") from error


def _one_at_a_time(pages: "WSGIApplication") -> "WSGIApplication":
    """Matplotlib draws with settings of the whole process; a browser may ask for two pages at once.

    One thread for all would not do: it would wait for connections that a browser opens ahead and says nothing on.
    """
    lock = threading.Lock()

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with lock:
            return pages(environ, start_response)

    return application
