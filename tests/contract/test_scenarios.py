"""The paper exchange keeps every promise that a real paper account is held to, in the shapes that it answered with."""

from collections.abc import Iterator

import pytest
from werkzeug.wrappers import Request, Response

from paper import PaperExchange, serve
from paper.server import Proceed
from tests.contract.account import Account
from tests.contract.api import Api
from tests.contract.recordings import differences
from tests.contract.scenarios import SCENARIOS, Scenario, same_id_twice
from tests.unit.paper.market_days import at, bars, exchange

# The last day falls through every stop that lies just below the market.
DAYS = [(100.0, 101.0, 99.0, 100.0), (100.0, 101.5, 99.5, 101.0), (101.0, 101.5, 80.0, 82.0), (82.0, 83.0, 81.0, 82.0)]


@pytest.fixture
def api() -> Iterator[Api]:
    market = exchange(bars(AAPL=DAYS))
    with serve(market, 0) as served:
        account = Account(served.url, served.url, "key", "secret", "AAPL")
        yield Api(account, wait=lambda seconds: _pass(market, seconds), later=lambda: _next_day(market))


def _pass(market: PaperExchange, seconds: float) -> None:
    market.wait(seconds)


def _next_day(market: PaperExchange) -> None:
    market.close_session()
    market.open_next_session(at(14, "10:00").time())


def test_a_broken_promise_is_noticed() -> None:
    """An exchange that answers in other words when an id comes twice."""
    market = exchange(bars(AAPL=DAYS))

    def other_words(_request: Request, proceed: Proceed) -> Response:
        answer = proceed()
        answer.set_data(answer.get_data().replace(b"must be unique", b"is known already"))
        return answer

    with serve(market, 0, other_words) as served:
        account = Account(served.url, served.url, "key", "secret", "AAPL")
        with pytest.raises(AssertionError, match="is known already"):
            same_id_twice(Api(account, wait=lambda seconds: _pass(market, seconds)))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_exchange_keeps_the_promise(scenario: Scenario, api: Api) -> None:
    scenario(api)
    assert list(differences(scenario.__name__, api.answers)) == []
    for answer in api.answers.values():
        assert answer.status != 500, answer.body
