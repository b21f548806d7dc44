"""Bars, latest trades and snapshots over HTTP: in pages, and never one before its time."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from openbell.adapters.alpaca.client import AlpacaClient
from paper import PaperExchange, Split
from tests.integration.paper.conftest import Serve, client_of
from tests.unit.paper.market_days import at, bars, closes, exchange

D = Decimal


def test_bars_of_several_symbols_come_in_pages_sorted_by_symbol_then_time(
    paper: PaperExchange, client: AlpacaClient
) -> None:
    paper.advance(at(16, "10:00"))  # three complete sessions
    query = {"symbols": "KO,AAPL,ZZZ", "timeframe": "1Day", "start": "2022-06-13", "end": "2022-06-30", "limit": 2}
    pages, token = [], ""
    while token is not None:
        body = client.data_get("/stocks/bars", {**query, "page_token": token})
        pages.append({symbol: [bar["c"] for bar in found] for symbol, found in body["bars"].items()})
        token = body["next_page_token"]
    assert pages == [{"AAPL": [100, 102]}, {"AAPL": [104], "KO": [50]}, {"KO": [51, 52]}]
    found = client.get_bars_iter(["KO", "AAPL"], "1Day", "2022-06-13", "2022-06-30", limit=5, raw=True)
    assert [(bar["S"], bar["c"]) for bar in found] == [
        ("AAPL", 100),
        ("AAPL", 102),
        ("AAPL", 104),
        ("KO", 50),
        ("KO", 51),
    ]


def test_a_bar_is_numbers_and_stamped_with_midnight_in_new_york(url_of: Serve) -> None:
    client = client_of(url_of(exchange(bars(AAPL=[(100, 101.5, 99, 100.25), (1, 1, 1, 1)]))))
    body = client.data_get("/stocks/AAPL/bars", {"timeframe": "1Day", "start": "2022-06-01"})
    assert body == {
        "bars": [
            {"t": "2022-06-13T04:00:00Z", "o": 100.0, "h": 101.5, "l": 99.0, "c": 100.25, "v": 0, "n": 0, "vw": 100.25}
        ],
        "symbol": "AAPL",
        "next_page_token": None,
    }


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2022-06-14", "2022-06-14", [102]),  # both days included
        ("2022-06-14T00:00:00Z", "2022-06-15T04:00:00Z", [102, 104]),
        ("2022-06-14T04:00:01Z", "2022-06-30", [104]),
        ("2022-06-18", "2022-06-19", []),
    ],
)
def test_bars_lie_between_start_and_end(
    paper: PaperExchange, client: AlpacaClient, start: str, end: str, expected: list[int]
) -> None:
    paper.advance(at(16, "10:00"))
    assert [bar["c"] for bar in client.get_bars_iter("AAPL", "1Day", start, end, raw=True)] == expected
    backwards = client.get_bars_iter("AAPL", "1Day", start, end, sort="desc", raw=True)
    assert [bar["c"] for bar in backwards] == expected[::-1]


@pytest.mark.parametrize(
    ("clock", "newest"),
    [(at(14, "09:30"), 100), (at(14, "15:45"), 100), (at(14, "15:59"), 100), (at(14, "16:00"), 102)],
)
def test_no_bar_is_served_before_its_session_has_ended(url_of: Serve, clock: datetime, newest: int) -> None:
    client = client_of(url_of(exchange(closes(AAPL=[100, 102, 104]), clock)))
    asked = client.get_bars_iter(["AAPL"], "1Day", "2022-06-01", "2023-06-01", raw=True)
    assert [bar["c"] for bar in asked][-1] == newest
    assert client.get_latest_bars(["AAPL"])["AAPL"]["c"] == newest
    assert client.get_latest_bar("AAPL")["c"] == newest
    assert client.get_snapshots(["AAPL"])["AAPL"]["dailyBar"]["c"] == newest


def test_adjusted_bars_know_a_split_from_its_day_on_and_raw_ones_never(url_of: Serve) -> None:
    paper = exchange(closes([Split("AAPL", date(2022, 6, 15), D(4))], AAPL=[100, 102, 26, 27]))
    client = client_of(url_of(paper))

    def prices(adjustment: str) -> list[float]:
        return [bar["c"] for bar in client.get_bars_iter("AAPL", "1Day", "2022-06-13", None, adjustment, raw=True)]

    paper.advance(at(15, "09:29"))
    assert prices("all") == prices("raw") == [100, 102]
    paper.advance(at(15, "16:00"))
    assert prices("raw") == [100, 102, 26]
    assert prices("all") == prices("split") == [25, 25.5, 26]


def test_latest_trades_leave_out_symbols_without_one(paper: PaperExchange, client: AlpacaClient) -> None:
    assert {s: trade["p"] for s, trade in client.get_latest_trades(["AAPL", "KO", "ZZZ"]).items()} == {
        "AAPL": 100,
        "KO": 50,
    }
    paper.advance(at(14, "15:45"))
    assert client.get_latest_trade("AAPL")["p"] == 102
    assert client.get_latest_trade("AAPL")["t"] == "2022-06-14T19:45:00Z"
    snapshot = client.get_snapshot("AAPL")
    assert (snapshot["latestTrade"]["p"], snapshot["dailyBar"]["c"], snapshot["prevDailyBar"]) == (102, 100, None)
