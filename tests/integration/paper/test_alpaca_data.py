"""`openbell.ports.MarketData` over Alpaca's API: complete frames, or an error that says why there is none."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from werkzeug.wrappers import Request, Response

from openbell.adapters.alpaca.data import AlpacaData
from openbell.errors import BrokerRefused, DataUnavailable, OpenbellError, RateLimited
from openbell.ports import MarketData
from openbell.snapshot import LastPrice, last_trades
from paper import PaperExchange, Split, load_sample
from paper.server import Proceed
from tests.integration.paper.conftest import Serve
from tests.unit.paper.market_days import at, closes, exchange

D = Decimal
NAN = float("nan")
FIRST, LAST = date(2022, 6, 1), date(2022, 6, 30)


def data_of(url: str) -> MarketData:
    return AlpacaData(url, "key", "secret")


def test_closes_come_as_one_frame_of_complete_sessions(url_of: Serve) -> None:
    paper = exchange(closes(KO=[50, 51, 52, 53], AAPL=[100, NAN, 104, 106]), at(16, "15:59"))
    frame = data_of(url_of(paper)).daily_closes(["KO", "ZZZ", "AAPL"], FIRST, LAST)
    expected = pd.DataFrame(
        {"AAPL": [100.0, NAN, 104.0], "KO": [50.0, 51.0, 52.0]},
        index=pd.DatetimeIndex([date(2022, 6, day) for day in (13, 14, 15)]),
    )
    pd.testing.assert_frame_equal(frame, expected, check_freq=False)
    assert frame.index.tz is None  # type: ignore[attr-defined]


def test_both_ends_are_included(url_of: Serve) -> None:
    paper = exchange(closes(KO=[50, 51, 52, 53]), at(17, "10:00"))
    frame = data_of(url_of(paper)).daily_closes(["KO"], date(2022, 6, 14), date(2022, 6, 15))
    assert frame["KO"].tolist() == [51.0, 52.0]


def test_closes_are_adjusted_for_splits(url_of: Serve) -> None:
    paper = exchange(closes([Split("KO", date(2022, 6, 15), D(2))], KO=[50, 52, 27]), at(16, "10:00"))
    data = data_of(url_of(paper))
    assert data.daily_closes(["KO"], FIRST, LAST)["KO"].tolist() == [25.0, 26.0, 27.0]
    assert data.latest_prices(["KO"]) == {"KO": D(27)}


def test_no_symbols_or_no_bars_give_an_empty_frame(url_of: Serve) -> None:
    data = data_of(url_of(exchange(closes(KO=[50]))))
    assert data.daily_closes([], FIRST, LAST).shape == (0, 0)
    assert data.daily_closes(["KO"], date(2022, 6, 14), LAST).shape == (0, 0)
    assert data.daily_closes(["ZZZ"], FIRST, LAST).shape == (0, 0)
    assert data.latest_prices([]) == {}


def test_more_bars_than_one_page_holds_are_all_there(url_of: Serve) -> None:
    history = load_sample()
    first, last = history.sessions[-600], history.sessions[-1]
    paper = exchange(history, history.calendar.between(last, last)[0].close)
    frame = data_of(url_of(paper)).daily_closes(history.symbols, first, last)
    assert frame.shape == (600, 20)  # 12,000 bars
    assert list(frame.columns) == sorted(history.symbols)
    columns = [history.columns[symbol] for symbol in frame.columns]
    np.testing.assert_array_equal(frame.to_numpy(), history.bars.close[-600:, columns])


def test_more_symbols_than_one_request_names_are_all_there(url_of: Serve) -> None:
    names = [f"S{n:03d}" for n in range(450)]
    asked: list[int] = []

    def count(request: Request, proceed: Proceed) -> Response:
        asked.append(len(request.args["symbols"].split(",")))
        return proceed()

    paper = exchange(closes((), **{name: [100.0 + n] for n, name in enumerate(names)}))
    data = data_of(url_of(paper, count))
    assert data.daily_closes(names, FIRST, LAST).iloc[0].tolist() == [100.0 + n for n in range(450)]
    assert data.latest_prices(names) == {name: D(100 + n) for n, name in enumerate(names)}
    assert asked == [200, 200, 50] * 2


def test_latest_prices_are_decimals_of_symbols_that_have_one(url_of: Serve) -> None:
    paper = exchange(closes(KO=[50.07, 51.3], AAPL=[NAN, 100.1]))
    data = data_of(url_of(paper))
    assert data.latest_prices(["AAPL", "KO", "ZZZ"]) == {"KO": D("50.07")}
    paper.advance(at(14, "15:45"))
    assert data.latest_prices(["AAPL", "KO"]) == {"AAPL": D("100.1"), "KO": D("51.3")}


def test_last_trades_say_of_when_they_are(url_of: Serve) -> None:
    paper = exchange(closes(KO=[50, 51], AAPL=[100, NAN]), at(14, "10:00"))
    found = last_trades(data_of(url_of(paper)), ["AAPL", "KO"])
    # KO trades today, and its bar has no open: it opens where it closed. AAPL does not trade today.
    assert found["KO"] == LastPrice(D(50), at(14, "09:30"))
    assert found["AAPL"] == LastPrice(D(100), at(13, "16:00"))


def test_the_host_is_the_one_given_whatever_the_environment_says(
    url_of: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APCA_API_DATA_URL", "http://127.0.0.1:9")
    assert data_of(url_of(exchange(closes(KO=[50])))).latest_prices(["KO"]) == {"KO": D(50)}


def free_plan(request: Request, proceed: Proceed) -> Response:
    """As Alpaca answers an account that pays for no data: trades of all exchanges only when they are 15 minutes old."""
    feed = request.args.get("feed")
    if feed not in {"iex", "sip"} or (feed == "sip" and "latest" in request.path):
        return Response('{"message": "subscription does not permit querying recent SIP data"}', 403)
    return proceed()


def test_a_free_plan_serves_closes_of_all_exchanges_and_last_prices_of_one(url_of: Serve) -> None:
    url = url_of(exchange(closes(KO=[50, 51]), at(14, "10:00")), free_plan)
    data = data_of(url)
    assert data.daily_closes(["KO"], FIRST, date(2022, 6, 13))["KO"].tolist() == [50.0]
    assert data.latest_prices(["KO"]) == {"KO": D(50)}
    with pytest.raises(BrokerRefused, match="does not permit querying recent SIP data"):
        AlpacaData(url, "key", "secret", "sip").latest_prices(["KO"])


@pytest.mark.parametrize("feed", ["iex", "sip"])
def test_the_feed_of_last_prices_is_the_one_that_is_asked_for(url_of: Serve, feed: Literal["iex", "sip"]) -> None:
    asked = []

    def note(request: Request, proceed: Proceed) -> Response:
        asked.append(request.args["feed"])
        return proceed()

    data = AlpacaData(url_of(exchange(closes(KO=[50])), note), "key", "secret", feed)
    data.daily_closes(["KO"], FIRST, LAST)
    data.latest_prices(["KO"])
    assert asked == ["sip", feed]


# What a failed call means.

CALLS: dict[str, Callable[[MarketData], object]] = {
    "daily_closes": lambda data: data.daily_closes(["KO"], FIRST, LAST),
    "latest_prices": lambda data: data.latest_prices(["KO"]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, '{"message": "internal server error"}', DataUnavailable),
        (504, "<html>Gateway Time-out</html>", DataUnavailable),
        (200, "<html>Welcome</html>", DataUnavailable),
        (200, "", DataUnavailable),
        (429, '{"message": "too many requests."}', RateLimited),
        (401, '{"message": "unauthorized."}', BrokerRefused),
        (403, '{"message": "subscription does not permit querying recent SIP data"}', BrokerRefused),
    ],
)
def test_a_failure_is_told_by_its_kind(
    url_of: Serve, call: Callable[[MarketData], object], status: int, body: str, error: type[OpenbellError]
) -> None:
    url = url_of(exchange(closes(KO=[50])), lambda _request, _proceed: Response(body, status))
    with pytest.raises(error):
        call(data_of(url))


def test_a_second_page_that_fails_makes_the_whole_frame_fail(url_of: Serve) -> None:
    def fail_later(request: Request, proceed: Proceed) -> Response:
        return Response("down", 503) if request.args.get("page_token") else proceed()

    history = load_sample()
    paper = PaperExchange(history, D(0), at(16, "10:00"))
    with pytest.raises(DataUnavailable, match="503"):
        data_of(url_of(paper, fail_later)).daily_closes(history.symbols, date(2019, 1, 2), LAST)
