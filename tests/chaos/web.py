"""The real client between the handlers and the exchange, and what can go wrong on the wire."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from werkzeug.wrappers import Request, Response

from openbell.adapters.alpaca import client
from openbell.adapters.alpaca.broker import AlpacaBroker
from paper import serve
from tests.chaos.faults import Kind
from tests.chaos.outside import Outside
from tests.chaos.world import World

_PATIENCE = 0.25  # seconds that the client waits in a play
_STATUS = {
    Kind.HTTP_429: 429,
    Kind.HTTP_500_BEFORE: 500,
    Kind.HTTP_500_AFTER: 500,
    Kind.HTTP_502_BEFORE: 502,
    Kind.HTTP_504_AFTER: 504,
}

type Proceed = Callable[[], Response]


@contextmanager
def over_http(world: World) -> Iterator[None]:
    """While this lasts, the world's broker is Alpaca's client, talking to the exchange through a wire of faults."""
    wire = Wire(world.outside)
    with (
        serve(world.exchange, intercept=wire.intercept) as served,
        patch.object(client, "READ_SECONDS", _PATIENCE),
    ):
        world.broker = AlpacaBroker(served.url, served.url, "PK", "secret")
        yield


class Wire:
    """Stands before every request."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def intercept(self, request: Request, proceed: Proceed) -> Response:
        """The exchange's answer, or what a fault makes of it."""
        invocation = self._outside.current
        fault = self._outside.due(f"{invocation.state}.http.{name_of(request)}") if invocation else None
        if fault is None:
            return proceed()
        if fault.kind.endswith("_after"):
            return _spoil(fault.kind, request, proceed(), proceed)
        return _spoil(fault.kind, request, Response(), proceed)


def _spoil(kind: Kind, request: Request, answer: Response, proceed: Proceed) -> Response:
    match kind:
        case Kind.CUT_BEFORE | Kind.CUT_AFTER:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        case Kind.STALLED_AFTER:
            time.sleep(2 * _PATIENCE)
        case Kind.EMPTY_AFTER:
            return Response(status=200)
        case Kind.GARBAGE_AFTER:
            return Response("<html>We will be back soon</html>", 200, content_type="text/html")
        case Kind.DOUBLED_AFTER:
            return proceed()
        case _:
            return Response('{"message": "try again later"}', _STATUS[kind], content_type="application/json")
    return answer


def name_of(request: Request) -> str:
    """What is asked for, such as `POST-orders`; ids are left out."""
    what = request.path.removeprefix("/v2/").split("/")
    name = what[0] if len(what) == 1 or what[0].endswith("client_order_id") else f"{what[0]}-one"
    return f"{request.method}-{name.replace(':', '-')}"
