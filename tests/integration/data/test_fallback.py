"""What the first source does, and who stands in for it."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from openbell.adapters.fallback import LAST_RUN, FallbackData
from openbell.adapters.memory.archive import MemoryArchive
from openbell.errors import BrokerRefused, DataUnavailable, OpenbellError, RateLimited
from openbell.runs import LATEST_CLOSES
from openbell.snapshot import write_closes
from tests.builders import closes
from tests.integration.data.sources import ListedData

START, FRIDAY = date(2022, 6, 1), date(2022, 6, 10)
NAN = np.nan
DOWN = DataUnavailable("Yahoo Finance fails")


def friday(**columns: Sequence[float]) -> pd.DataFrame:
    """Closes up to Friday, 10 June 2022."""
    return closes(columns, last="2022-06-10")


def first(failure: OpenbellError | None = None, **columns: Sequence[float]) -> ListedData:
    return ListedData("First", friday(**columns) if columns else pd.DataFrame(index=pd.DatetimeIndex([])), {}, failure)


def second(failure: OpenbellError | None = None, **columns: Sequence[float]) -> ListedData:
    return ListedData("Second", friday(**columns) if columns else pd.DataFrame(index=pd.DatetimeIndex([])), {}, failure)


def last_run(frame: pd.DataFrame) -> MemoryArchive:
    archive = MemoryArchive()
    archive.put(LATEST_CLOSES, write_closes(frame))
    return archive


def test_nobody_else_is_asked_while_nothing_is_lacking() -> None:
    backup = second(A=[1, 2])
    found = FallbackData(first(A=[10, 11], B=[20, 21]), backup).fetch(["A", "B"], START, FRIDAY)
    assert found.sources == {"A": "First", "B": "First"}
    assert backup.asked == []


def test_a_missing_ticker_comes_from_the_second_source_and_says_so() -> None:
    backup = second(B=[20, 21], A=[1, 2])
    found = FallbackData(first(A=[10, 11]), backup).fetch(["B", "A"], START, FRIDAY)
    assert backup.asked == [["B"]]
    assert found.sources == {"A": "First", "B": "Second"}
    assert found.closes["A"].tolist() == [10, 11]
    assert found.closes["B"].tolist() == [20, 21]
    assert list(found.closes.columns) == ["B", "A"]
    assert found.missing == {}


def test_a_ticker_without_its_last_bar_is_taken_whole_from_the_second_source() -> None:
    """Sources adjust differently: one column is never of two."""
    found = FallbackData(first(A=[10, 11, NAN], B=[20, 21, 22]), second(A=[9, 9, 9])).fetch(["A", "B"], START, FRIDAY)
    assert found.closes["A"].tolist() == [9, 9, 9]
    assert found.sources == {"A": "Second", "B": "First"}


def test_a_second_source_that_is_no_fresher_changes_nothing() -> None:
    found = FallbackData(first(A=[10, 11, NAN], B=[20, 21, 22]), second(A=[9, 9, NAN])).fetch(["A"], START, FRIDAY)
    assert found.closes["A"].dropna().tolist() == [10, 11]
    assert found.sources == {"A": "First"}


def test_a_first_source_that_lags_by_a_day_is_replaced_where_the_second_does_not() -> None:
    lagging = ListedData("First", closes({"A": [10, 11], "B": [20, 21]}, last="2022-06-09"))
    found = FallbackData(lagging, second(A=[9, 9, 9], B=[8, 8, 8])).fetch(["A", "B"], START, FRIDAY)
    assert found.sources == {"A": "Second", "B": "Second"}


def test_after_a_session_that_fell_out_unannounced_the_first_source_stays() -> None:
    """Both end with the 9th: no source has a bar of Friday, which the calendar takes for a session."""
    sources = [ListedData(name, closes({"A": [10, 11]}, last="2022-06-09")) for name in ("First", "Second")]
    found = FallbackData(sources[0], sources[1], MemoryArchive()).fetch(["A"], START, FRIDAY)
    assert found.sources == {"A": "First"}


def test_a_holiday_is_no_gap() -> None:
    """Monday, 4 July 2022: the last session is Friday, the 1st."""
    sources = [ListedData(name, closes({"A": [10, 11]}, last="2022-07-01")) for name in ("First", "Second")]
    FallbackData(sources[0], sources[1]).fetch(["A"], START, date(2022, 7, 4))
    assert sources[1].asked == []
    archive = last_run(closes({"A": [1, 2]}, last="2022-07-01"))
    assert FallbackData(first(DOWN), None, archive).fetch(["A"], START, date(2022, 7, 4)).sources == {"A": LAST_RUN}


@pytest.mark.parametrize("end", [date(2022, 6, 11), date(2022, 6, 12)])
def test_on_a_weekend_friday_is_the_last_session(end: date) -> None:
    backup = second(A=[1, 2])
    FallbackData(first(A=[10, 11]), backup).fetch(["A"], START, end)
    assert backup.asked == []


# Each row: what the first source raises, what the second has, and what comes of it.


@pytest.mark.parametrize("failure", [DOWN, RateLimited("429")])
def test_the_second_source_stands_in_for_a_first_that_fails(failure: OpenbellError) -> None:
    found = FallbackData(first(failure), second(A=[1, 2], B=[3, 4])).fetch(["A", "B"], START, FRIDAY)
    assert found.sources == {"A": "Second", "B": "Second"}


@pytest.mark.parametrize("failure", [DOWN, RateLimited("429")])
def test_without_a_stand_in_the_failure_is_raised_so_that_the_workflow_tries_again(failure: OpenbellError) -> None:
    for backup in (None, second(), second(BrokerRefused("no subscription")), second(A=[1, 2])):
        with pytest.raises(type(failure), match=str(failure)):
            FallbackData(first(failure), backup).fetch(["A", "B", "C"], START, FRIDAY)


def test_the_story_of_every_failure_is_told() -> None:
    data = FallbackData(first(DOWN), second(BrokerRefused("Alpaca refuses daily bars")), MemoryArchive())
    story = "Yahoo Finance fails; Alpaca refuses daily bars; no run before this one has stored closes"
    with pytest.raises(DataUnavailable, match=story):
        data.fetch(["A"], START, FRIDAY)


def test_trouble_of_the_second_source_alone_stops_nothing() -> None:
    found = FallbackData(first(A=[10, 11]), second(BrokerRefused("no subscription"))).fetch(["A", "B"], START, FRIDAY)
    assert found.sources == {"A": "First"}
    assert found.missing == {"B": "First has no prices; no subscription"}


def test_a_refusal_of_the_first_source_is_no_gap_to_be_filled() -> None:
    with pytest.raises(BrokerRefused):
        FallbackData(first(BrokerRefused("keys")), second(A=[1, 2])).fetch(["A"], START, FRIDAY)


# The last run's closes.


def test_the_last_runs_closes_stand_in_when_they_have_the_last_session() -> None:
    archive = last_run(friday(A=[1, 2, 3], B=[4, 5, 6]))
    found = FallbackData(first(A=[10, 11, 12]), None, archive).fetch(["A", "B"], START, FRIDAY)
    assert found.sources == {"A": "First", "B": LAST_RUN}
    assert found.closes["B"].tolist() == [4, 5, 6]


def test_they_stand_in_for_everybody_when_nobody_answers() -> None:
    archive = last_run(friday(A=[1, 2, 3], B=[4, 5, 6]))
    found = FallbackData(first(DOWN), second(DOWN), archive).fetch(["A", "B"], START, FRIDAY)
    assert found.sources == {"A": LAST_RUN, "B": LAST_RUN}


def test_older_closes_of_the_last_run_are_of_no_use() -> None:
    archive = last_run(closes({"B": [4, 5, 6]}, last="2022-06-09"))
    found = FallbackData(first(A=[10, 11, 12]), None, archive).fetch(["A", "B"], START, FRIDAY)
    assert found.missing == {"B": f"First has no prices; the {LAST_RUN} have no bar of 2022-06-10"}
    with pytest.raises(DataUnavailable):
        FallbackData(first(DOWN), None, archive).fetch(["B"], START, FRIDAY)


# Last prices.


def test_last_prices_are_completed_by_the_second_source() -> None:
    one, two = (
        ListedData("First", prices={"A": Decimal(1)}),
        ListedData("Second", prices={"A": Decimal(9), "B": Decimal(2)}),
    )
    assert FallbackData(one, two).latest_prices(["A", "B", "C"]) == {"A": 1, "B": 2}
    assert two.asked == [["B", "C"]]


def test_the_second_source_gives_the_last_prices_when_the_first_fails() -> None:
    assert FallbackData(first(DOWN), ListedData("Second", prices={"A": Decimal(9)})).latest_prices(["A"]) == {"A": 9}


def test_last_prices_that_nobody_gives_are_a_failure_of_the_first() -> None:
    with pytest.raises(DataUnavailable, match="Yahoo Finance fails; no subscription"):
        FallbackData(first(DOWN), second(BrokerRefused("no subscription"))).latest_prices(["A"])
    with pytest.raises(DataUnavailable):
        FallbackData(first(DOWN)).latest_prices(["A"])


def test_a_price_that_is_lacking_is_no_reason_to_lose_the_others() -> None:
    one = ListedData("First", prices={"A": Decimal(1)})
    assert FallbackData(one, second(BrokerRefused("no subscription"))).latest_prices(["A", "B"]) == {"A": 1}
