"""A paper exchange behind a port of this machine."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from paper import Credentials, PaperExchange, serve
from paper.server import Intercept

type Serve = Callable[..., str]


@pytest.fixture
def url_of() -> Iterator[Serve]:
    """Serves an exchange until the test is over, and gives its URL."""
    with ExitStack() as stack:

        def run(
            exchange: PaperExchange,
            intercept: Intercept | None = None,
            credentials: Credentials | None = None,
            requests_per_minute: int | None = None,
        ) -> str:
            return stack.enter_context(serve(exchange, 0, intercept, credentials, requests_per_minute)).url

        yield run
