"""A paper exchange behind a port of this machine."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from openbell.adapters.alpaca.broker import AlpacaBroker
from openbell.adapters.alpaca.client import AlpacaClient
from openbell.ports import Broker
from paper import Credentials, Intercept, PaperExchange, serve
from tests.unit.paper.market_days import closes, exchange

type Serve = Callable[..., str]


def client_of(url: str, key: str = "key", secret: str = "secret") -> AlpacaClient:
    """The REST client that the platform uses."""
    return AlpacaClient(url, url, key, secret)


def broker_of(url: str) -> Broker:
    """The platform's broker in paper mode."""
    return AlpacaBroker(url, url, "key", "secret")


@pytest.fixture
def paper() -> PaperExchange:
    """10:00 on 14 June 2022, 10,000 USD in cash; AAPL closed at 100, closes at 102 today."""
    return exchange(closes(AAPL=[100, 102, 104], KO=[50, 51, 52]))


@pytest.fixture
def client(paper: PaperExchange, url_of: Serve) -> AlpacaClient:
    """The client of an exchange of the test's own."""
    return client_of(url_of(paper))


@pytest.fixture
def broker(paper: PaperExchange, url_of: Serve) -> Broker:
    """The broker over an exchange of the test's own."""
    return broker_of(url_of(paper))


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
