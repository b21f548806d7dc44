"""Other futures leave what a run may know as it is, and nothing else."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from lab.honesty.futures import Future, with_future
from paper import BarArrays, History, Split

DAYS = [date(2022, 6, day) for day in (13, 14, 15, 16, 17)]
CLOSES = np.array([[10.0, 20.0], [11.0, 21.0], [12.0, np.nan], [13.0, 23.0], [14.0, 24.0]])
SPLITS = [Split("A", DAYS[1], Decimal(2)), Split("A", DAYS[4], Decimal(2))]
CUT = DAYS[2]


def closes_only() -> History:
    return History(["A", "B"], DAYS, BarArrays(close=CLOSES.copy()), SPLITS)


def with_opens() -> History:
    bars = BarArrays(close=CLOSES.copy(), open=CLOSES - 1, high=CLOSES + 2, low=CLOSES - 2, volume=CLOSES * 100)
    return History(["A", "B"], DAYS, bars)


@pytest.mark.parametrize("future", Future)
def test_what_came_before_stays_and_the_close_of_the_session_does_not(future: Future) -> None:
    found = with_future(closes_only(), CUT, future, seed=1)
    np.testing.assert_array_equal(found.bars.close[:2], CLOSES[:2])
    assert found.bars.close[2, 0] != 12.0
    assert [split.ex_date for split in found.splits] == [DAYS[1]]


@pytest.mark.parametrize("future", Future)
def test_the_opening_price_of_the_session_stays_and_its_range_holds_its_close(future: Future) -> None:
    bars = with_future(with_opens(), CUT, future, seed=1).bars
    assert bars.open is not None
    assert bars.high is not None
    assert bars.low is not None
    assert bars.open[2, 0] == 11.0
    assert bars.low[2, 0] == min(11.0, bars.close[2, 0])
    assert bars.high[2, 0] == max(11.0, bars.close[2, 0])


def test_removed_leaves_no_later_session() -> None:
    found = with_future(closes_only(), CUT, Future.REMOVED)
    assert found.sessions == tuple(DAYS[:3])
    assert np.isnan(found.bars.close[2]).all()


def test_shuffled_has_the_same_prices_in_another_order() -> None:
    found = with_future(closes_only(), CUT, Future.SHUFFLED, seed=1).bars.close
    assert sorted(found[2:, 0]) == [12.0, 13.0, 14.0]


def test_noise_is_the_same_for_the_same_seed_and_positive() -> None:
    first, again, other = (with_future(closes_only(), CUT, Future.NOISE, seed).bars.close for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first[3:] != other[3:]).all()
    assert (first[3:] > 0).all()


def test_the_history_itself_is_not_touched() -> None:
    history = with_opens()
    for future in Future:
        with_future(history, CUT, future)
    np.testing.assert_array_equal(history.bars.close, CLOSES)
    np.testing.assert_array_equal(history.bars.open, CLOSES - 1)
