"""What Yahoo does, and what the platform makes of it."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from yfinance import base, const
from yfinance.data import YfData
from yfinance.scrapers import history, quote

from openbell.adapters.yahoo.data import YahooData
from openbell.adapters.yahoo.download import Pace
from openbell.errors import DataUnavailable, OpenbellError, RateLimited
from tests.integration.yahoo.test_yahoo_data import MONDAY, THURSDAY
from tests.integration.yahoo.yahoo_server import (
    BROKEN,
    NOT_FOUND,
    TOO_MANY,
    Answer,
    FakeYahoo,
    Reply,
    always,
    chart,
    days,
    error_reply,
    in_turn,
    json_reply,
)

GOOD = chart(days("2022-06-13", [50, 51]))
OTHERS = ("AAA", "BBB", "CCC")


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def make(tmp_path: Path, waits: list[float]) -> Callable[..., YahooData]:
    """A source that notes its waits instead of waiting."""

    def of(**pace: float) -> YahooData:
        return YahooData(tmp_path / "cache", Pace(sleep=waits.append, **pace))  # type: ignore[arg-type]

    return of


@pytest.fixture
def slow() -> Iterator[Answer]:
    """Answers nothing until the test is over."""
    over = threading.Event()

    def answer(query: Mapping[str, str]) -> Reply:
        over.wait(20)
        return GOOD(query)

    yield answer
    over.set()


def truncated(query: Mapping[str, str]) -> Reply:
    whole = GOOD(query)
    return Reply(200, whole.body[: len(whole.body) // 2])


def cut_off(query: Mapping[str, str]) -> Reply:
    """The line breaks in the middle of the body."""
    whole = GOOD(query)
    return Reply(200, whole.body[: len(whole.body) // 2], declared=len(whole.body))


EMPTY = json_reply(200, {"chart": {"result": [{"meta": {}, "indicators": {"quote": [{}]}}], "error": None}})
NO_TIMES = json_reply(200, {"chart": {"result": [{"meta": {}, "indicators": {"quote": [{"close": [1.0]}]}}]}})
NO_DAYS = error_reply(400, "Bad Request", "Data doesn't exist for startDate = 1655092800, endDate = 1655438400")
INTERNAL = error_reply(500, "Internal Server Error", "Internal server error")

# Each row: what one ticker gets, how often it is asked, what is told of it, and the error if every ticker gets it.
FAULTS: dict[str, tuple[Answer, int, str, type[OpenbellError] | None]] = {
    "404": (always(NOT_FOUND), 1, "Yahoo says: No data found, symbol may be delisted", None),
    "no data for these days": (always(NO_DAYS), 1, "Yahoo says: Data doesn't exist for startDate", None),
    "429": (always(TOO_MANY), 3, "Yahoo refuses more requests for now (429)", RateLimited),
    "500": (always(BROKEN), 3, "no answer that can be read: JSONDecodeError", DataUnavailable),
    "500 with words": (always(INTERNAL), 3, "Yahoo says: Internal server error", DataUnavailable),
    "truncated JSON": (truncated, 3, "no answer that can be read: JSONDecodeError", DataUnavailable),
    "cut off": (cut_off, 3, "no answer that can be read", DataUnavailable),
    "empty": (always(EMPTY), 3, "Yahoo says: an empty answer", DataUnavailable),
    "without times": (always(NO_TIMES), 3, "no answer that can be read: KeyError", DataUnavailable),
    "only empty rows": (
        chart(days("2022-06-13", [None, None])),
        3,
        "an answer without a single price",
        DataUnavailable,
    ),
    "an empty page": (always(Reply(200, b"")), 3, "no answer that can be read", DataUnavailable),
    "down for repair": (
        always(Reply(200, b"Will be right back...")),
        3,
        "YAHOO! FINANCE IS CURRENTLY DOWN",
        DataUnavailable,
    ),
}


@pytest.mark.parametrize(("answer", "tries", "reason", "_error"), FAULTS.values(), ids=FAULTS)
def test_one_bad_ticker_is_missing_with_its_reason_and_the_others_are_there(
    yahoo: FakeYahoo,
    make: Callable[..., YahooData],
    waits: list[float],
    answer: Answer,
    tries: int,
    reason: str,
    _error: object,
) -> None:
    yahoo.tickers = {**dict.fromkeys(OTHERS, GOOD), "BAD": answer}
    found = make().fetch([*OTHERS, "BAD"], MONDAY, THURSDAY)
    assert set(found.closes.columns) == set(OTHERS)
    assert set(found.sources) == set(OTHERS)
    assert list(found.missing) == ["BAD"]
    assert reason in found.missing["BAD"]
    assert waits == [1.0, 4.0][: tries - 1]


@pytest.mark.parametrize(("answer", "_tries", "reason", "error"), FAULTS.values(), ids=FAULTS)
def test_the_same_for_every_ticker_is_a_failure_of_yahoo_unless_it_knows_none_of_them(
    yahoo: FakeYahoo,
    make: Callable[..., YahooData],
    answer: Answer,
    _tries: int,
    reason: str,
    error: type[OpenbellError] | None,
) -> None:
    yahoo.tickers = dict.fromkeys(OTHERS, answer)
    data = make()
    if error is None:
        found = data.fetch(OTHERS, MONDAY, THURSDAY)
        assert found.closes.empty
        assert set(found.missing) == set(OTHERS)
        return
    with pytest.raises(error, match="3 of 3 tickers have no prices; AAA: ") as raised:
        data.fetch(OTHERS, MONDAY, THURSDAY)
    assert reason in str(raised.value)


def test_a_slow_ticker_is_given_up_and_holds_up_nobody(
    yahoo: FakeYahoo, make: Callable[..., YahooData], slow: Answer
) -> None:
    yahoo.tickers = {**dict.fromkeys(OTHERS, GOOD), "BAD": slow}
    started = time.monotonic()
    found = make(timeout=0.2).fetch([*OTHERS, "BAD"], MONDAY, THURSDAY)
    assert "timed out" in found.missing["BAD"]
    assert time.monotonic() - started < 3


def test_patience_ends_for_all_together(yahoo: FakeYahoo, make: Callable[..., YahooData], slow: Answer) -> None:
    """Requests that time out singly would still add up to minutes."""
    yahoo.tickers = {**dict.fromkeys(OTHERS, GOOD), "BAD": slow}
    started = time.monotonic()
    found = make(timeout=5, patience=0.5).fetch([*OTHERS, "BAD"], MONDAY, THURSDAY)
    assert time.monotonic() - started < 2
    assert found.missing == {"BAD": "no answer within the 0.5 s that all tickers have together"}
    assert set(found.closes.columns) == set(OTHERS)


def test_nobody_listening_is_a_failure_of_yahoo(
    yahoo: FakeYahoo, make: Callable[..., YahooData], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (base, history):
        monkeypatch.setattr(module, "_BASE_URL_", "http://127.0.0.1:9")
    with pytest.raises(DataUnavailable, match="no answer that can be read: ConnectionError"):
        make().latest_prices(OTHERS)


def test_a_ticker_that_answers_at_a_further_try_is_there(
    yahoo: FakeYahoo, make: Callable[..., YahooData], waits: list[float]
) -> None:
    """yfinance keeps the first answer for the life of the process: without clearing it there is no other one."""
    yahoo.tickers = {**dict.fromkeys(OTHERS, GOOD), "BAD": in_turn(always(BROKEN), always(BROKEN), always(EMPTY), GOOD)}
    found = make().fetch([*OTHERS, "BAD"], MONDAY, THURSDAY)
    assert found.missing == {}
    assert waits == [1.0, 4.0]
    assert [yahoo.asked_for(ticker) for ticker in OTHERS] == [1, 1, 1]


def test_an_error_does_not_outlive_its_call(yahoo: FakeYahoo, make: Callable[..., YahooData]) -> None:
    yahoo.tickers["KO"] = always(BROKEN)
    data = make()
    with pytest.raises(DataUnavailable):
        data.daily_closes(["KO"], MONDAY, THURSDAY)
    yahoo.tickers["KO"] = GOOD
    assert data.daily_closes(["KO"], MONDAY, THURSDAY)["KO"].tolist() == [50, 51]


def test_after_a_batch_without_a_single_price_the_others_are_not_asked(
    yahoo: FakeYahoo, make: Callable[..., YahooData]
) -> None:
    names = [f"T{number}" for number in range(9)]
    yahoo.tickers = dict.fromkeys(names, always(BROKEN))
    with pytest.raises(DataUnavailable, match="9 of 9"):
        make(batch=3).fetch(names, MONDAY, THURSDAY)
    assert [yahoo.asked_for(name) > 0 for name in names] == [True] * 3 + [False] * 6


def test_after_a_429_the_others_are_not_asked_before_the_next_try(
    yahoo: FakeYahoo, make: Callable[..., YahooData], waits: list[float]
) -> None:
    names = [f"T{number}" for number in range(9)]
    yahoo.tickers = dict.fromkeys(names, GOOD)
    yahoo.tickers["T1"] = in_turn(always(TOO_MANY), always(TOO_MANY), GOOD)  # yfinance itself asks twice
    assert list(make(batch=3).fetch(names, MONDAY, THURSDAY).missing) == []
    assert waits == [1.0]


def test_a_429_for_all_but_the_first_ends_the_call(yahoo: FakeYahoo, make: Callable[..., YahooData]) -> None:
    names = [f"T{number}" for number in range(9)]
    yahoo.tickers = {**dict.fromkeys(names, always(TOO_MANY)), "T0": GOOD}
    with pytest.raises(RateLimited, match="8 of 9"):
        make(batch=3).fetch(names, MONDAY, THURSDAY)
    assert yahoo.asked_for("T8") == 0


def test_last_prices_leave_out_who_has_none(yahoo: FakeYahoo, make: Callable[..., YahooData]) -> None:
    yahoo.tickers = {**dict.fromkeys(OTHERS, GOOD), "BAD": always(BROKEN)}
    assert set(make().latest_prices([*OTHERS, "BAD"])) == set(OTHERS)


def test_the_private_names_that_these_tests_replace_are_still_there() -> None:
    for module in (const, base, history, quote):
        assert module._BASE_URL_ == "https://query2.finance.yahoo.com", f"{module.__name__} has a new base URL"
    for module in (const, base, quote):
        assert module._QUERY1_URL_ == "https://query1.finance.yahoo.com", f"{module.__name__} has a new base URL"
    assert quote._QUOTE_SUMMARY_URL_.startswith("https://")
    assert callable(YfData._get_cookie_and_crumb), "the cookie is fetched elsewhere now"
    assert callable(YfData.cache_get.cache_clear), "answers are cached elsewhere now"
