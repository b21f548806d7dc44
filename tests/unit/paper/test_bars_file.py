"""Files of bars: what is read, and what is refused with a message that says which rows and what to do."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paper import BarsFileError, load_bars, load_sample

FIVE_YEARS = """date,open,high,low,close,volume,Name
2013-02-08,15.07,15.12,14.63,14.75,8407500,AAL
2013-02-11,14.89,15.01,14.26,14.46,8882000,AAL
2013-02-08,67.7142,68.4014,66.8928,67.8542,158168416,AAPL
2013-02-11,,,,68.5614,129029425,AAPL
2013-02-08,78,78,77,77.5,100,BRK-B
"""


def written(folder: Path, text: str, name: str = "bars.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_shared_five_year_file_loads_as_it_is(tmp_path: Path) -> None:
    history = load_bars(written(tmp_path, FIVE_YEARS))
    assert history.symbols == ("AAL", "AAPL", "BRK.B")
    assert history.sessions == (date(2013, 2, 8), date(2013, 2, 11))
    assert history.has_ohl
    assert str(history.prices("AAL", date(2013, 2, 11)).low) == "14.2600"
    assert history.bars.volume is not None
    assert history.bars.volume[0, 1] == 158168416


def test_a_row_without_open_high_and_low_is_a_close_only_bar(tmp_path: Path) -> None:
    prices = load_bars(written(tmp_path, FIVE_YEARS)).prices("AAPL", date(2013, 2, 11))
    assert (prices.open, prices.high, str(prices.close)) == (None, None, "68.5614")


def test_columns_may_be_spelled_and_ordered_otherwise(tmp_path: Path) -> None:
    history = load_bars(written(tmp_path, "Close,TICKER,Timestamp\n10,na,2022-06-13T04:00:00Z\n11,na,2022-06-14\n"))
    assert history.symbols == ("NA",)
    assert history.sessions == (date(2022, 6, 13), date(2022, 6, 14))
    assert not history.has_ohl


def test_parquet_with_the_date_as_index_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"symbol": ["AAPL", "AAPL"], "close": [1.0, 2.0]},
        index=pd.DatetimeIndex(["2022-06-13", "2022-06-14"], name="date"),
    )
    path = tmp_path / "bars.parquet"
    frame.to_parquet(path)
    assert load_bars(path).bars.close[:, 0].tolist() == [1.0, 2.0]


def test_prices_that_are_missing_zero_or_negative_stay_as_they_are(tmp_path: Path) -> None:
    rows = "date,symbol,close\n2022-06-13,A,\n2022-06-14,A,0\n2022-06-15,A,-3\n2022-06-16,A,5\n"
    np.testing.assert_array_equal(load_bars(written(tmp_path, rows)).bars.close[:, 0], [np.nan, 0, -3, 5])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("date,close\n2022-06-13,1\n", ["missing column symbol", "found: date, close"]),
        ("date,symbol,close\n", ["no rows"]),
        ("date,symbol,name,close\n2022-06-13,A,A,1\n", ["mean the same"]),
        ("date,symbol,open,close\n2022-06-13,A,1,1\n", ["open, high and low must be there together"]),
        ("date,symbol,close\n2022-06-13,,1\n", ["column symbol is empty", "row 1"]),
        ("date,symbol,close\n2022-06-13,A,1\nyesterday,A,1\n", ["column date is not a day", "row 2: yesterday, A"]),
        ("date,symbol,close\n,A,1\n2022-06-13,A,1\n", ["column date is not a day", "row 1"]),
        ("date,symbol,close\n2022-06-13 10:15,A,1\n", ["only daily bars", "midnight"]),
        ("date,symbol,close\n2022-06-13,A,1\n2022-06-18,A,1\n", ["was closed", "row 2: 2022-06-18", "1 of 2 rows"]),
        ("date,symbol,close\n2022-06-13,A,1\n2022-06-13,A,2\n", ["second row for the same date", "row 2", "keep one"]),
        ("date,symbol,close\n2022-06-14,A,1\n2022-06-13,A,2\n", ["earlier date after a later", "row 2", "sort"]),
        ("date,symbol,close\n2022-06-13,A,1\n2022-06-14,A,one\n", ["column close is not a number", "row 2", "one"]),
        ("date,symbol,close\n2022-06-13,A,inf\n", ["column close is not a number"]),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(BarsFileError) as refused:
        load_bars(written(tmp_path, text))
    for part in parts:
        assert part in str(refused.value)


def test_rows_grouped_by_date_instead_of_symbol_are_fine(tmp_path: Path) -> None:
    rows = "date,symbol,close\n2022-06-13,B,1\n2022-06-13,A,2\n2022-06-14,B,3\n2022-06-14,A,4\n"
    assert load_bars(written(tmp_path, rows)).bars.close.tolist() == [[2, 1], [4, 3]]


@pytest.mark.parametrize(("name", "part"), [("none.csv", "no such file"), ("bars.xlsx", "unknown kind of file")])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, name: str, part: str) -> None:
    written(tmp_path, "", "bars.xlsx")
    with pytest.raises(BarsFileError, match=part):
        load_bars(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"), [("bars.parquet", b"PAR1 no"), ("bars.csv", b""), ("bars.csv", b"\xff\xfe\x00")]
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BarsFileError, match=name):
        load_bars(tmp_path / name)


def test_the_sample_has_twenty_stocks_over_33_years_of_closes() -> None:
    history = load_sample()
    assert len(history.symbols) == 20
    assert (len(history.sessions), history.sessions[0], history.sessions[-1]) == (
        8313,
        date(1990, 1, 2),
        date(2022, 12, 28),
    )
    assert not history.has_ohl
    assert set(history.sessions) == {day for day in history.calendar.days if day <= date(2022, 12, 28)}
