"""The moto server: every AWS service, on a free port of 127.0.0.1, in a thread of this process."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Flask, got_request_exception
from moto.core import utils as core_utils
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from local.account import hermetic_core, hermetic_session
from local.door import Door
from local.failures import Failures
from local.patching import replaced

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

type Wrap = Callable[["WSGIApplication"], "WSGIApplication"]

_HOST = "127.0.0.1"
_one_at_a_time = threading.Lock()


class _QuietHandler(MotoRequestHandler):  # type: ignore[misc]
    """Does not print each request; and sends small answers at once, without waiting for a full packet."""

    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 werkzeug's name
        """Print nothing."""


@contextmanager
def moto_server(failures: Failures, wrap: Wrap, access_key: str, port: int = 0) -> Iterator[str]:
    """The URL of a running, empty moto server; its internal errors go to `failures`.

    It listens on a free port by default; `wrap` puts something before its application, and whoever does not sign with
    `access_key` is turned away before that. moto keeps its state in the
    process, so a second server in the same process raises RuntimeError.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise RuntimeError("a LocalCloud is already open in this process: moto's state is global, close it first")
    try:
        with (
            replaced(logging.getLogger("moto"), "level", logging.CRITICAL + 1),  # the history tells the same
            _callers_settings_are_ignored(),
        ):
            reset()
            yield from _serve(failures, wrap, access_key, port)
    finally:
        reset()
        _one_at_a_time.release()


_session = cache(hermetic_session)  # one for all servers: each has to read the regions of every service


@contextmanager
def _callers_settings_are_ignored() -> Iterator[None]:
    """Moto asks sessions of its own for regions and services, which fail if AWS_PROFILE names no profile here."""
    with (
        replaced(AccountSpecificBackend, "get_session", staticmethod(_session)),
        replaced(core_utils, "Session", hermetic_core),
    ):
        yield


def _say_nothing(*_: Any) -> None:
    """What breaks is collected through Flask's signal."""


def _serve(failures: Failures, wrap: Wrap, access_key: str, port: int) -> Iterator[str]:
    def remember(sender: Flask, exception: Exception, **_: Any) -> None:
        failures.add(f"moto {sender.service}", exception)  # type: ignore[attr-defined]

    application = Door(wrap(DomainDispatcherApplication(create_backend_app)), access_key)
    server = make_server(_HOST, port, application, threaded=True, request_handler=_QuietHandler)
    server.log = _say_nothing  # type: ignore[assignment]  # it would print each traceback that is collected above
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="moto", daemon=True)
    thread.start()
    try:
        with got_request_exception.connected_to(remember):
            yield f"http://{_HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reset() -> None:
    """Forget every resource of every service."""
    BackendDict.reset()
    reset_model_data()
