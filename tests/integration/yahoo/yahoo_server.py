"""A server that speaks Yahoo's v8 chart endpoint, answering each ticker as the test says."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from yfinance import base, const
from yfinance.data import YfData
from yfinance.scrapers import history, quote

from openbell.model import NEW_YORK


@dataclass(frozen=True)
class Reply:
    """What goes over the wire."""

    status: int
    body: bytes
    declared: int | None = None  # Content-Length, if it is to be wrong


type Answer = Callable[[Mapping[str, str]], Reply]  # from the request's query


@dataclass
class FakeYahoo:
    """Its tickers, and what it was asked: a path and a query for each request."""

    url: str
    tickers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def asked_for(self, ticker: str) -> int:
        """How often."""
        return sum(path.endswith(f"/v8/finance/chart/{ticker}") for path, _ in self.asked)

    def answer(self, path: str, query: Mapping[str, str]) -> Reply:
        """The reply to a request."""
        self.asked.append((path, query))
        folder, _, ticker = path.rpartition("/")
        known = folder == "/v8/finance/chart" and ticker in self.tickers
        return self.tickers[ticker](query) if known else NOT_FOUND


@contextmanager
def serving() -> Iterator[FakeYahoo]:
    """A server without tickers, on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    fake = FakeYahoo(f"http://127.0.0.1:{server.server_address[1]}")
    server.fake = fake  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        split = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        reply = self.server.fake.answer(split.path, query)  # type: ignore[attr-defined]
        try:
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body) if reply.declared is None else reply.declared))
            self.end_headers()
            self.wfile.write(reply.body)
        except OSError:
            self.close_connection = True  # the client has given up waiting

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def point_yfinance_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every private name of yfinance that leads to Yahoo, and none that does not: the canary watches them."""
    for module in (const, base, history, quote):
        monkeypatch.setattr(module, "_BASE_URL_", url)
    for module in (const, base, quote):
        monkeypatch.setattr(module, "_QUERY1_URL_", url)
    monkeypatch.setattr(quote, "_QUOTE_SUMMARY_URL_", f"{url}/v10/finance/quoteSummary")
    monkeypatch.setattr(YfData, "_get_cookie_and_crumb", lambda *_args, **_options: (None, "basic"))
    YfData.cache_get.cache_clear()


# What Yahoo may answer.


def json_reply(status: int, content: object) -> Reply:
    return Reply(status, json.dumps(content).encode())


def error_reply(status: int, code: str, description: str) -> Reply:
    return json_reply(status, {"chart": {"result": None, "error": {"code": code, "description": description}}})


NOT_FOUND = error_reply(404, "Not Found", "No data found, symbol may be delisted")
TOO_MANY = Reply(429, b"Too Many Requests\r\n")
BROKEN = Reply(500, b"<html><body>Internal Server Error</body></html>")


def always(reply: Reply) -> Answer:
    return lambda _query: reply


def in_turn(*answers: Answer) -> Answer:
    """One answer after the other; the last one for ever."""
    left = list(answers)

    def answer(query: Mapping[str, str]) -> Reply:
        current = left.pop(0) if len(left) > 1 else left[0]
        return current(query)

    return answer


@dataclass(frozen=True)
class Bar:
    """One bar; a missing close is None, as Yahoo sends it."""

    at: datetime
    close: float | None
    adjusted: float | None = None  # default: the close


def days(first: str, closes: Sequence[float | None], adjusted: Sequence[float | None] = ()) -> list[Bar]:
    """Daily bars on consecutive weekdays, stamped with the opening as Yahoo does."""
    day, bars = datetime.fromisoformat(first).date(), []
    for number, close in enumerate(closes):
        at = datetime.combine(day, time(9, 30), NEW_YORK)
        bars.append(Bar(at, close, adjusted[number] if adjusted else close))
        day += timedelta(days=3 if day.weekday() == 4 else 1)
    return bars


def minutes(first: str, closes: Sequence[float | None], apart: int = 15) -> list[Bar]:
    """Intraday bars from `first`, New York time."""
    start = datetime.fromisoformat(first).replace(tzinfo=NEW_YORK)
    return [Bar(start + timedelta(minutes=apart * number), close, close) for number, close in enumerate(closes)]


def chart(bars: Sequence[Bar], live: Bar | None = None) -> Answer:
    """Bars as the endpoint sends them: those in the asked span, and then the live one, asked for or not."""

    def answer(query: Mapping[str, str]) -> Reply:
        first, beyond = float(query.get("period1", "-inf")), float(query.get("period2", "inf"))
        shown = [bar for bar in bars if first <= bar.at.timestamp() < beyond] + ([live] if live else [])
        return json_reply(200, {"chart": {"result": [_result(shown, query["interval"])], "error": None}})

    return answer


def _result(bars: Sequence[Bar], interval: str) -> dict[str, object]:
    closes = [bar.close for bar in bars]
    quotes = dict.fromkeys(("open", "high", "low", "close"), closes)
    quotes["volume"] = [None if close is None else 1000 for close in closes]
    daily = interval == "1d"
    adjusted = {"adjclose": [{"adjclose": [bar.adjusted for bar in bars]}]} if daily else {}
    return {
        "meta": _meta() | ({} if daily else {"tradingPeriods": _trading_periods(bars)}),
        "timestamp": [int(bar.at.timestamp()) for bar in bars],
        "indicators": {"quote": [quotes], **adjusted},
    }


def _meta() -> dict[str, object]:
    return {
        "currency": "USD",
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": "America/New_York",
        "gmtoffset": -14400,
        "timezone": "EDT",
        "validRanges": ["1d", "5d", "1mo", "max"],
    }


def _trading_periods(bars: Sequence[Bar]) -> list[list[dict[str, object]]]:
    """The regular session of each day."""
    sessions = []
    for day in sorted({bar.at.date() for bar in bars}):
        start, end = (int(datetime.combine(day, at, NEW_YORK).timestamp()) for at in (time(9, 30), time(16)))
        sessions.append([{"timezone": "EDT", "start": start, "end": end, "gmtoffset": -14400}])
    return sessions
