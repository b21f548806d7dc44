import pytest
from pydantic import ValidationError

from openbell.strategies.sma_cross import SmaCross, SmaCrossParameters
from tests.builders import closes
from tests.unit.strategies.contexts import context, scores

SMALL = SmaCross(SmaCrossParameters(fast=2, slow=4))
# averages of 2 and of 4: UP 13 and 11.5, DOWN 10 and 11.5
FRAME = closes({"UP": [10, 10, 12, 14], "DOWN": [13, 13, 10, 10], "NEW": [10, 12, 14]})


def test_it_enters_where_the_fast_average_is_above_the_slow_one() -> None:
    (signal,) = SMALL.signals(context(FRAME))
    assert (signal.symbol, signal.score) == ("UP", 1.0)
    assert signal.reason == "2-bar average 13.04% above the 4-bar average"  # 13 / 11.5 = 1.1304


def test_it_leaves_a_holding_whose_fast_average_is_below_and_keeps_one_above() -> None:
    assert scores(SMALL.signals(context(FRAME, held=("DOWN", "UP")))) == {"DOWN": -1.0}


def test_it_has_no_opinion_on_a_symbol_with_too_few_bars() -> None:
    assert scores(SMALL.signals(context(FRAME, held=("NEW",)))) == {"UP": 1.0}
    assert SMALL.signals(context(FRAME.tail(3), held=("DOWN",))) == []


def test_a_price_that_stands_still_never_crosses() -> None:
    # the mean of 10 times 33.37 and that of 200 times 33.37 differ in the last bits
    strategy = SmaCross(SmaCrossParameters(fast=10, slow=200))
    frame = closes({"A": [33.37] * 200, "B": [33.37] * 200})
    assert strategy.signals(context(frame, held=("B",))) == []


def test_the_fast_average_must_be_the_shorter() -> None:
    with pytest.raises(ValidationError, match="fast 50 must be below slow 50"):
        SmaCrossParameters(fast=50, slow=50)
