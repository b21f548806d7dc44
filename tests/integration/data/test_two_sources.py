"""Two sources, as bootstrap wires them in either order, both over HTTP."""

import json
from collections.abc import Iterator
from datetime import date
from functools import partial

import boto3
import pytest
from aws_lambda_powertools.utilities import parameters
from moto import mock_aws

from openbell import bootstrap
from openbell.adapters.yahoo import data as yahoo_data
from openbell.adapters.yahoo.download import Pace
from openbell.ports import MarketData
from openbell.settings import Settings
from openbell.snapshot import fetch_closes
from paper import serve
from tests.integration.yahoo.yahoo_server import (
    BROKEN,
    NOT_FOUND,
    TOO_MANY,
    FakeYahoo,
    Reply,
    always,
    chart,
    days,
    point_yfinance_at,
    serving,
)
from tests.unit.paper.market_days import at, closes, exchange

CACHES = (bootstrap.settings, bootstrap._client, bootstrap.archive, bootstrap._alpaca_data, bootstrap._yahoo)
SYMBOLS = ("AAPL", "BRK.B", "KO")
MONDAY, TUESDAY = date(2022, 6, 13), date(2022, 6, 14)
AT_YAHOO = chart(days("2022-06-13", [100, 101]))


@pytest.fixture
def yahoo(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeYahoo]:
    with serving() as fake:
        point_yfinance_at(fake.url, monkeypatch)
        yield fake


@pytest.fixture
def data(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, yahoo: FakeYahoo) -> Iterator[MarketData]:
    """What a Lambda gets that is told to ask Yahoo first, or whom else the test names."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(yahoo_data, "Pace", partial(Pace, waits=(0.0, 0.0)))
    market = closes((), **{symbol: [50, 51, 52] for symbol in SYMBOLS})
    with serve(exchange(market, at(15, "10:00"))) as alpaca, mock_aws():
        boto3.client("s3").create_bucket(Bucket="bucket")
        secret = boto3.client("secretsmanager").create_secret(
            Name="keys", SecretString=json.dumps({"key_id": "key", "secret_key": "secret"})
        )
        told = {
            "BROKER_SECRET": secret["ARN"],
            "DATA_URL": alpaca.url,
            "BUCKET": "bucket",
            "MARKET_DATA": getattr(request, "param", "yahoo"),
        }
        for name, value in told.items():
            monkeypatch.setenv(f"OPENBELL_{name}", value)
        _forget()
        yield bootstrap.market_data()
    _forget()


def _forget() -> None:
    parameters.clear_caches()  # type: ignore[no-untyped-call]
    for cached in CACHES:
        cached.cache_clear()


def test_yahoo_comes_first_and_alpaca_fills_its_gaps(data: MarketData, yahoo: FakeYahoo) -> None:
    yahoo.tickers = {"AAPL": AT_YAHOO, "BRK-B": always(NOT_FOUND), "KO": chart(days("2022-06-13", [100, None]))}
    found = fetch_closes(data, SYMBOLS, MONDAY, TUESDAY)
    assert found.sources == {"AAPL": "Yahoo Finance", "BRK.B": "Alpaca", "KO": "Alpaca"}
    assert found.closes.to_numpy().tolist() == [[100, 50, 50], [101, 51, 51]]
    assert data.latest_prices(["AAPL", "BRK.B"])["AAPL"] == 101


@pytest.mark.parametrize("trouble", [BROKEN, TOO_MANY])
def test_alpaca_stands_in_when_yahoo_fails(data: MarketData, yahoo: FakeYahoo, trouble: Reply) -> None:
    yahoo.tickers = dict.fromkeys(("AAPL", "BRK-B", "KO"), always(trouble))
    assert set(fetch_closes(data, SYMBOLS, MONDAY, TUESDAY).sources.values()) == {"Alpaca"}


@pytest.fixture
def at_alpaca(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange's data host passes for Alpaca's own."""
    monkeypatch.setattr(Settings, "prices_are_of_today", property(lambda _: True))


@pytest.mark.parametrize("data", ["alpaca"], indirect=True)
@pytest.mark.usefixtures("at_alpaca")
def test_alpaca_comes_first_on_aws_and_yahoo_fills_its_gaps(data: MarketData, yahoo: FakeYahoo) -> None:
    yahoo.tickers = {"AAPL": AT_YAHOO, "BRK-B": AT_YAHOO, "KO": AT_YAHOO, "NEW": AT_YAHOO}
    found = fetch_closes(data, [*SYMBOLS, "NEW"], MONDAY, TUESDAY)
    assert found.sources == dict.fromkeys(SYMBOLS, "Alpaca") | {"NEW": "Yahoo Finance"}
    prices = data.latest_prices(["AAPL", "NEW"])
    assert (prices["AAPL"], prices["NEW"]) == (51, 101)


@pytest.mark.parametrize("data", ["alpaca"], indirect=True)
@pytest.mark.usefixtures("at_alpaca")
def test_yahoo_that_refuses_a_cloud_costs_only_what_alpaca_lacks(data: MarketData, yahoo: FakeYahoo) -> None:
    yahoo.tickers = {"NEW": always(TOO_MANY)}
    found = fetch_closes(data, [*SYMBOLS, "NEW"], MONDAY, TUESDAY)
    assert found.sources == dict.fromkeys(SYMBOLS, "Alpaca")
    assert list(found.missing) == ["NEW"]


@pytest.mark.parametrize("data", ["alpaca"], indirect=True)
def test_an_exchange_that_replays_history_is_never_mixed_with_prices_of_today(
    data: MarketData, yahoo: FakeYahoo
) -> None:
    yahoo.tickers = {"NEW": AT_YAHOO}
    found = fetch_closes(data, [*SYMBOLS, "NEW"], MONDAY, TUESDAY)
    assert list(found.missing) == ["NEW"]
    assert data.latest_prices(["NEW"]) == {}


@pytest.mark.parametrize(
    ("url", "of_today"),
    [
        ("https://data.alpaca.markets", True),
        ("https://data.sandbox.alpaca.markets", True),
        ("http://127.0.0.1:8080", False),
        ("https://alpaca.markets.example.com", False),
        ("", False),
    ],
)
def test_only_alpacas_own_host_has_prices_of_today(url: str, of_today: bool) -> None:
    assert Settings(data_url=url).prices_are_of_today is of_today


def test_a_ticker_that_nobody_knows_is_told_with_both_reasons(data: MarketData, yahoo: FakeYahoo) -> None:
    yahoo.tickers = dict.fromkeys(("AAPL", "BRK-B", "KO"), AT_YAHOO)
    found = fetch_closes(data, [*SYMBOLS, "ZZZ"], MONDAY, TUESDAY)
    told = "Yahoo says: No data found, symbol may be delisted; Alpaca has no prices; no run before this one has stored"
    assert list(found.missing) == ["ZZZ"]
    assert found.missing["ZZZ"].startswith(told)
