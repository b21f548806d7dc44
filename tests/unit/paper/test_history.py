from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from paper import BarArrays, History, Split
from tests.unit.paper.market_days import bars, closes

D = Decimal
NAN = float("nan")


def test_prices_leave_the_history_with_four_decimal_places() -> None:
    history = closes(AAPL=[100.123456, 0.1 + 0.2])
    assert history.prices("AAPL", date(2022, 6, 13)).close == D("100.1235")
    assert history.prices("AAPL", date(2022, 6, 14)).close == D("0.3000")


@pytest.mark.parametrize("price", [NAN, 0.0, -5.0])
def test_a_price_that_is_missing_or_not_above_zero_is_no_tradable_price(price: float) -> None:
    assert closes(AAPL=[price]).prices("AAPL", date(2022, 6, 13)).close is None


def test_a_bar_without_an_open_has_no_range() -> None:
    history = bars(AAPL=[(NAN, 103, 97, 100), (100, 103, 97, 100)])
    assert not history.prices("AAPL", date(2022, 6, 13)).has_range
    assert history.prices("AAPL", date(2022, 6, 14)).has_range


def test_the_last_close_skips_days_without_a_price() -> None:
    history = closes(AAPL=[100, NAN, 0, 103])
    assert history.last_close("AAPL", date(2022, 6, 16)) == (date(2022, 6, 13), D("100.0000"))
    assert history.last_close("AAPL", date(2022, 6, 13)) is None


def test_an_unknown_symbol_or_day_has_no_prices() -> None:
    history = closes(AAPL=[100])
    assert history.prices("ZZZ", date(2022, 6, 13)).close is None
    assert history.prices("AAPL", date(2022, 6, 18)).close is None
    assert len(history.known_rows("ZZZ")) == 0


def test_splits_multiply_up_to_and_including_their_ex_date() -> None:
    first, second = date(2022, 6, 14), date(2022, 6, 16)
    history = closes([Split("AAPL", first, D(4)), Split("AAPL", second, D(2)), Split("KO", first, D(3))], AAPL=[1] * 5)
    assert history.split_factor("AAPL", date(2022, 6, 13), first) == 4
    assert history.split_factor("AAPL", date(2022, 6, 13), second) == 8
    assert history.split_factor("AAPL", first, date(2022, 6, 15)) == 1
    assert history.split_factors("AAPL", np.arange(5), second).tolist() == [8, 2, 2, 1, 1]


def test_what_cannot_be_a_history_is_refused() -> None:
    one = np.ones((1, 1))
    with pytest.raises(ValueError, match="shape"):
        History(["A", "B"], [date(2022, 6, 13)], BarArrays(close=one))
    with pytest.raises(ValueError, match="ascend"):
        History(["A"], [date(2022, 6, 14), date(2022, 6, 13)], BarArrays(close=np.ones((2, 1))))
    with pytest.raises(ValueError, match="at least one"):
        History([], [], BarArrays(close=np.ones((0, 0))))
    with pytest.raises(ValueError, match="above 0"):
        Split("AAPL", date(2022, 6, 14), D(0))
