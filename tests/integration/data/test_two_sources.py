"""Yahoo with Alpaca behind it, as bootstrap wires them, both over HTTP."""

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
def data(monkeypatch: pytest.MonkeyPatch, yahoo: FakeYahoo) -> Iterator[MarketData]:
    """What a Lambda gets that is told of both."""
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
        told = {"BROKER_SECRET": secret["ARN"], "DATA_URL": alpaca.url, "BUCKET": "bucket", "MARKET_DATA": "yahoo"}
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


def test_a_ticker_that_nobody_knows_is_told_with_both_reasons(data: MarketData, yahoo: FakeYahoo) -> None:
    yahoo.tickers = dict.fromkeys(("AAPL", "BRK-B", "KO"), AT_YAHOO)
    found = fetch_closes(data, [*SYMBOLS, "ZZZ"], MONDAY, TUESDAY)
    told = "Yahoo says: No data found, symbol may be delisted; Alpaca has no prices; no run before this one has stored"
    assert list(found.missing) == ["ZZZ"]
    assert found.missing["ZZZ"].startswith(told)
