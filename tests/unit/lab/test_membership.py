"""Files of index members: what they say of a day, what is wrong with them, what the data lacks."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from lab.membership import Membership, coverage, read_membership
from openbell.errors import InvalidInput

GOOD = 'date,tickers\n1996-01-02,"AAPL,BRK-B"\n1996-02-01,"AAPL, brk.b ,AAL-199702"\n'


def written(folder: Path, content: str) -> Path:
    path = folder / "members.csv"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_row_holds_until_the_next_one(tmp_path: Path) -> None:
    members = read_membership(written(tmp_path, GOOD))
    assert members.on(date(1996, 1, 2)) == {"AAPL", "BRK.B"}
    assert members.on(date(1996, 1, 31)) == {"AAPL", "BRK.B"}
    assert members.on(date(1996, 2, 1)) == {"AAPL", "BRK.B", "AAL.199702"}
    assert members.on(date(2024, 1, 2)) == {"AAPL", "BRK.B", "AAL.199702"}


def test_nobody_knows_who_belonged_before_the_first_row(tmp_path: Path) -> None:
    members = read_membership(written(tmp_path, GOOD))
    with pytest.raises(InvalidInput, match="begins on 1996-01-02; who belonged on 1996-01-01 is not known"):
        members.on(date(1996, 1, 1))


def test_columns_may_come_in_any_order_and_case_beside_others(tmp_path: Path) -> None:
    members = read_membership(written(tmp_path, '\ufeffTickers,n,Date\n"A,B",2,1996-01-02\n\n'))
    assert members.on(date(1996, 1, 2)) == {"A", "B"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "has no column date and tickers; found nothing"),
        ("date,symbols\n1996-01-02,AAPL\n", "has no column tickers; found date, symbols"),
        ("date,tickers\n", "has no rows"),
        ('date,tickers\n1996-01-02,"A"\n02.01.1996,"A"\n', "line 3: '02.01.1996' is not a date"),
        (
            "date,tickers\n1996-01-02,A,B\n",
            "line 2: has 3 cells where the header has 2; expected the tickers of a day in",
        ),
        ("date,tickers\n1996-01-02,A\n1996-01-02,B\n", "line 3: 1996-01-02 comes after 1996-01-02"),
        ("date,tickers\n1996-01-03,A\n1996-01-02,B\n", "line 3: 1996-01-02 comes after 1996-01-03"),
        ('date,tickers\n1996-01-02,"A,,B"\n', "line 2: an empty one among the tickers"),
        ("date,tickers\n1996-01-02,A;B\n", "line 2: 'A;B' among the tickers; expected tickers such as AAPL"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_membership(written(tmp_path, content))
    assert told in str(raised.value)
    assert str(tmp_path / "members.csv") in str(raised.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot be read: .*No such file"):
        read_membership(tmp_path / "nowhere.csv")


MEMBERS = Membership(
    (date(2022, 1, 3), date(2022, 1, 5)), (frozenset({"A", "B"}), frozenset({"A", "GONE", "LOST", "B"})), "m.csv"
)
DAYS = [date(2022, 1, 3), date(2022, 1, 4), date(2022, 1, 5)]


def test_flags_tell_members_by_day_and_symbol() -> None:
    flags = MEMBERS.flags(DAYS, ["LOST", "A", "X"])
    assert flags.tolist() == [[False, True, False], [False, True, False], [True, True, False]]
    assert flags.dtype == np.bool_


def test_members_without_bars_are_counted_and_the_first_of_them_named() -> None:
    found = coverage(MEMBERS, DAYS, ["A", "B", "X"])
    assert found.without_bars == ("GONE", "LOST")
    assert found.missing == pytest.approx(2 / 8)  # two of the eight members of three days: 2 + 2 + 4
    assert "no bars of 2 of them (GONE, LOST), on average 25.0% of a day's members" in found.told


def test_a_membership_with_all_bars_says_so() -> None:
    found = coverage(MEMBERS, DAYS[:2], ["A", "B"])
    assert found.without_bars == ()
    assert found.told.endswith("The data has bars of all of them.")


def test_a_last_row_that_has_to_hold_for_long_is_told() -> None:
    assert "taken to hold" not in coverage(MEMBERS, [date(2022, 7, 1)], ["A"]).told
    assert "Its last row was taken to hold until 2023-01-03." in coverage(MEMBERS, [date(2023, 1, 3)], ["A"]).told
