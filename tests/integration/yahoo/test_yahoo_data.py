from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from openbell.adapters.yahoo.data import YahooData
from openbell.adapters.yahoo.download import Pace
from openbell.model import NEW_YORK
from tests.integration.yahoo.yahoo_server import Bar, FakeYahoo, chart, days, minutes

MONDAY, THURSDAY = date(2022, 6, 13), date(2022, 6, 16)


@pytest.fixture
def data(yahoo: FakeYahoo, tmp_path: Path) -> YahooData:
    return YahooData(tmp_path / "cache", Pace(sleep=lambda _seconds: None))


def test_closes_of_the_asked_days_under_naive_session_dates(yahoo: FakeYahoo, data: YahooData) -> None:
    yahoo.tickers["KO"] = chart(days("2022-06-10", [49, 50, 51, 52, 53, 54]))
    found = data.fetch(["KO"], MONDAY, THURSDAY)
    assert found.closes["KO"].tolist() == [50, 51, 52, 53]  # the 10th and the 17th were not asked for
    assert list(found.closes.index) == list(pd.date_range("2022-06-13", "2022-06-16"))
    assert isinstance(found.closes.index, pd.DatetimeIndex)
    assert found.closes.index.tz is None
    assert (found.sources, found.missing) == ({"KO": "Yahoo Finance"}, {})


def test_a_ticker_is_one_request(yahoo: FakeYahoo, data: YahooData) -> None:
    """Its zone is known: this fails when yfinance's private `_tz` moves."""
    yahoo.tickers["KO"] = chart(days("2022-06-13", [50, 51]))
    data.daily_closes(["KO"], MONDAY, THURSDAY)
    assert len(yahoo.asked) == 1


def test_closes_are_adjusted_for_splits_and_dividends_but_last_prices_are_raw(
    yahoo: FakeYahoo, data: YahooData
) -> None:
    yahoo.tickers["KO"] = chart(days("2022-06-13", [100, 50, 51], adjusted=[49, 49.5, 51]))
    assert data.daily_closes(["KO"], MONDAY, THURSDAY)["KO"].tolist() == [49, 49.5, 51]
    yahoo.tickers["KO"] = chart(days("2022-06-13", [100, 50], adjusted=[49, 49.5]))
    assert data.latest_prices(["KO"]) == {"KO": Decimal("50.0")}


def test_share_classes_are_spelled_with_a_hyphen_there_and_a_dot_here(yahoo: FakeYahoo, data: YahooData) -> None:
    yahoo.tickers["BRK-B"] = chart(days("2022-06-13", [270, 271]))
    assert list(data.daily_closes(["BRK.B"], MONDAY, THURSDAY).columns) == ["BRK.B"]
    assert data.latest_prices(["BRK.B"]) == {"BRK.B": Decimal("271.0")}


def test_the_bar_of_the_running_session_is_dropped(yahoo: FakeYahoo, data: YahooData) -> None:
    """Yahoo appends the live bar even to a span that ends before it."""
    live = Bar(datetime(2022, 6, 15, 11, 7, 3, tzinfo=NEW_YORK), 99.0, 99.0)
    yahoo.tickers["KO"] = chart(days("2022-06-13", [50, 51]), live)
    assert data.daily_closes(["KO"], MONDAY, date(2022, 6, 14))["KO"].tolist() == [50, 51]


def test_the_live_bar_is_the_last_price(yahoo: FakeYahoo, data: YahooData) -> None:
    live = Bar(datetime(2022, 6, 15, 11, 7, 3, tzinfo=NEW_YORK), 52.12345, 52.12345)
    yahoo.tickers["KO"] = chart(days("2022-06-13", [50, 51]), live)
    assert data.latest_prices(["KO"]) == {"KO": Decimal("52.1234")}  # USD equities go to a hundredth of a cent


def test_a_last_price_says_of_which_session_it_is(yahoo: FakeYahoo, data: YahooData) -> None:
    live = Bar(datetime(2022, 6, 15, 11, 7, 3, tzinfo=NEW_YORK), 52.5, 52.5)
    yahoo.tickers["KO"] = chart(days("2022-06-13", [50, 51]), live)
    yahoo.tickers["OLD"] = chart(days("2022-06-13", [50, 51, None]))  # the row of today is empty
    found = data.last_trades(["KO", "OLD"])
    sessions = {symbol: last.at.astimezone(NEW_YORK).date() for symbol, last in found.items() if last.at}
    assert sessions == {"KO": date(2022, 6, 15), "OLD": date(2022, 6, 14)}


def test_a_day_that_a_ticker_has_twice_costs_no_other_ticker_its_closes(yahoo: FakeYahoo, data: YahooData) -> None:
    twice = Bar(datetime(2022, 6, 14, 16, 0, 1, tzinfo=NEW_YORK), 12.0, 12.0)
    yahoo.tickers["KO"] = chart(days("2022-06-13", [50, 51]))
    yahoo.tickers["DUP"] = chart(days("2022-06-13", [10, 11]), twice)
    closes = data.daily_closes(["KO", "DUP"], MONDAY, date(2022, 6, 14))
    assert closes["KO"].tolist() == [50, 51]
    assert closes["DUP"].iloc[0] == 10
    assert closes.index.is_unique


def test_missing_days_and_empty_rows_are_gaps_of_their_ticker_alone(yahoo: FakeYahoo, data: YahooData) -> None:
    yahoo.tickers["KO"] = chart(days("2022-06-13", [50, 51, 52, 53]))
    yahoo.tickers["DAY"] = chart([bar for bar in days("2022-06-13", [10, 11, 12, 13]) if bar.close != 11])
    yahoo.tickers["ROW"] = chart(days("2022-06-13", [20, 21, 22, None], adjusted=[20, 21, 22, None]))
    closes = data.daily_closes(["KO", "DAY", "ROW"], MONDAY, THURSDAY)
    assert closes["DAY"].dropna().tolist() == [10, 12, 13]
    assert closes["ROW"].dropna().tolist() == [20, 21, 22]
    assert closes["DAY"].isna().tolist() == [False, True, False, False]
    assert closes["ROW"].isna().tolist() == [False, False, False, True]


def test_a_last_row_that_is_empty_for_all_is_no_session(yahoo: FakeYahoo, data: YahooData) -> None:
    yahoo.tickers["KO"] = chart(days("2022-06-13", [50, 51, None]))
    assert list(data.daily_closes(["KO"], MONDAY, THURSDAY).index) == list(pd.date_range("2022-06-13", periods=2))


def test_a_ticker_with_other_days_only_is_missing_with_the_reason(yahoo: FakeYahoo, data: YahooData) -> None:
    yahoo.tickers["KO"] = chart(days("2022-06-13", [50, 51]))
    stray = Bar(datetime(2022, 6, 3, 9, 30, tzinfo=NEW_YORK), 9.0, 9.0)
    yahoo.tickers["OLD"] = chart([], stray)
    found = data.fetch(["KO", "OLD"], MONDAY, THURSDAY)
    assert list(found.closes.columns) == ["KO"]
    assert found.missing == {"OLD": "Yahoo has prices, but none from 2022-06-13 to 2022-06-16"}


def test_daylight_saving_changes_no_session_date(yahoo: FakeYahoo, data: YahooData) -> None:
    """The clocks go back on 6 November 2022: the opening is 13:30 UTC before and 14:30 UTC after."""
    yahoo.tickers["KO"] = chart(days("2022-11-03", [60, 61, 62, 63]))
    closes = data.daily_closes(["KO"], date(2022, 11, 3), date(2022, 11, 8))
    assert [f"{day:%m-%d}" for day in closes.index] == ["11-03", "11-04", "11-07", "11-08"]


def test_nothing_asked_is_no_request(yahoo: FakeYahoo, data: YahooData) -> None:
    assert data.daily_closes([], MONDAY, THURSDAY).shape == (0, 0)
    assert data.latest_prices([]) == {}
    assert yahoo.asked == []


def test_many_tickers_come_in_batches_of_few_threads(yahoo: FakeYahoo, tmp_path: Path) -> None:
    names = [f"T{number:03}" for number in range(90)]
    for number, name in enumerate(names):
        yahoo.tickers[name] = chart(days("2022-06-13", [100.0 + number]))
    closes = YahooData(tmp_path / "cache").daily_closes(names, MONDAY, THURSDAY)
    assert list(closes.columns) == names
    assert closes.iloc[0].tolist() == [100.0 + number for number in range(90)]


# Within the day.

OPEN = datetime(2022, 6, 15, 9, 30, tzinfo=NEW_YORK)


@pytest.mark.parametrize("interval", ["15m", "30m", "1h"])
def test_only_complete_bars_of_the_day_are_given(yahoo: FakeYahoo, data: YahooData, interval: str) -> None:
    length = {"15m": 15, "30m": 30, "1h": 60}[interval]
    apart = min(length, 15 if interval == "30m" else length)  # yfinance makes 30m of 15m
    bars = minutes("2022-06-15T09:30", [float(number) for number in range(26)], apart)
    yahoo.tickers["KO"] = chart([bar for bar in bars if bar.at.hour < 16])
    closes = data.intraday_closes(["KO"], OPEN, OPEN + timedelta(minutes=2 * length + 7), interval)
    assert list(closes.index) == [pd.Timestamp(OPEN), pd.Timestamp(OPEN + timedelta(minutes=length))]
    assert isinstance(closes.index, pd.DatetimeIndex)
    assert str(closes.index.tz) == "America/New_York"
    assert closes["KO"].tolist() == ([1, 3] if interval == "30m" else [0, 1])


def test_bars_after_the_close_are_not_the_days(yahoo: FakeYahoo, data: YahooData) -> None:
    """Yahoo sends a bar of the post-market on some days, asked for or not."""
    yahoo.tickers["KO"] = chart(minutes("2022-06-15T15:30", [50, 51, 52]))
    closes = data.intraday_closes(["KO"], OPEN, OPEN.replace(hour=20), "15m")
    assert [f"{at:%H:%M}" for at in closes.index] == ["15:30", "15:45"]
