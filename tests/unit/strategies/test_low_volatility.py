from datetime import date

from openbell.strategies.low_volatility import LowVolatility, LowVolatilityParameters
from openbell.strategies.protocol import Market
from tests.builders import closes
from tests.unit.strategies.contexts import context, scores

SMALL = LowVolatility(LowVolatilityParameters(hold=1, lookback=3))
# CALM returns +1 %, -0.990 %, +1 %: mean 0.337 %, standard deviation 1.149 % a day, x sqrt(252) = 18.2 % a year
FRAME = closes(
    {"WILD": [100, 104, 100, 104], "CALM": [100, 101, 100, 101], "STUCK": [100, 100, 100, 100], "NEW": [100, 100.1]}
)


def test_it_holds_what_moves_least_and_leaves_what_moves_more() -> None:
    signals = SMALL.signals(context(FRAME, held=("WILD",)))
    assert scores(signals) == {"CALM": 1.0, "WILD": -1.0}
    assert signals[0].reason == "volatility 18.2% a year"


def test_it_is_silent_for_the_rest_of_a_month() -> None:
    assert SMALL.signals(context(FRAME, last_rebalance=date(2022, 6, 1))) == []
    assert SMALL.signals(context(FRAME, last_rebalance=date(2022, 5, 31))) != []
    assert SMALL.signals(context(FRAME, last_rebalance=date(2021, 6, 15))) != []


def test_it_keeps_what_it_cannot_rank() -> None:
    assert scores(SMALL.signals(context(FRAME, held=("NEW", "STUCK")))) == {"CALM": 1.0}
    assert SMALL.signals(context(FRAME.tail(3), held=("WILD",))) == []


def test_its_universe_is_the_calmest_not_the_winners() -> None:
    assert SMALL.universe(Market(FRAME), 9, 3) == ("CALM", "WILD")
    assert SMALL.universe(Market(FRAME), 1, 3) == ("CALM",)
