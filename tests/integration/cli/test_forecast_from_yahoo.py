"""`openbell forecast --source yahoo`, with a Yahoo on this machine."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import yfinance
from typer.testing import CliRunner, Result

from cli.main import app
from tests.integration.yahoo.yahoo_server import FakeYahoo, chart, days, point_yfinance_at, serving

CLOSES = [100 + 0.1 * number + (number % 7) / 5 for number in range(400)]


@pytest.fixture
def yahoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeYahoo]:
    yfinance.set_tz_cache_location(str(tmp_path))
    with serving() as fake:
        point_yfinance_at(fake.url, monkeypatch)
        fake.tickers["BRK-B"] = chart(days("2021-01-04", CLOSES))
        yield fake


def openbell(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["forecast", *arguments, "--source", "yahoo", "--horizon", "3"])


def test_the_closes_up_to_the_session_are_fetched_and_what_came_is_known(yahoo: FakeYahoo) -> None:
    told = openbell("brk.b", "--as-of", "2022-06-15", "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    (made,) = found["forecasts"]
    assert (found["source"], made["symbol"]) == ("Yahoo Finance", "BRK.B")
    first = date(2021, 1, 4)
    weekdays = [day for n in range(600) if (day := first + timedelta(n)).weekday() < 5]
    by_day = dict(zip(weekdays, CLOSES, strict=False))
    assert made["last_close"] == by_day[date(2022, 6, 15)]
    assert [bar["came"] for bar in made["bars"]] == [
        by_day[day] for day in (date(2022, 6, 16), date(2022, 6, 17), date(2022, 6, 21))
    ]


def test_a_ticker_that_yahoo_does_not_know_is_told(yahoo: FakeYahoo) -> None:
    told = openbell("BRK.B", "ZZZZ", "--as-of", "2022-06-15")
    assert (told.exit_code, told.stdout) == (2, "")
    assert "Yahoo Finance has no prices of ZZZZ: " in " ".join(told.stderr.split())


def test_a_session_that_has_not_ended_cannot_be_the_last_known(yahoo: FakeYahoo) -> None:
    told = openbell("BRK.B", "--as-of", "2999-01-04")
    assert told.exit_code == 2
    assert "--as-of 2999-01-04 lies after the last complete session" in " ".join(told.stderr.split())
