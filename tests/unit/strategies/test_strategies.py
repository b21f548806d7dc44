from datetime import date
from decimal import Decimal

import pytest

from openbell.forecasts import Forecast
from openbell.strategies.momentum import Momentum, MomentumParameters
from openbell.strategies.prophet_trend import ProphetTrend, ProphetTrendParameters
from openbell.strategies.protocol import Market
from tests.builders import closes
from tests.unit.strategies.contexts import context, scores


def forecast(
    symbol: str, lower: float, yhat: float, upper: float, last: float = 100.0, skill: float | None = None
) -> Forecast:
    return Forecast(symbol, last, (date(2022, 6, 16),), (yhat,), (lower,), (upper,), 0.8, "exact", skill)


def test_interval_skew_buys_more_room_above_and_leaves_more_room_below() -> None:
    # A: +6 % against -2 %: skew (6 - 2) / 8 = 0.5; B the reverse; C even
    strategy = ProphetTrend(ProphetTrendParameters())
    made = {
        "A": forecast("A", 98, 102, 106),
        "B": forecast("B", 94, 98, 102),
        "C": forecast("C", 96, 100, 104),
    }
    assert scores(strategy.signals(context(forecasts=made))) == pytest.approx({"A": 0.5, "B": -0.5, "C": 0.0})


def test_an_interval_wholly_above_the_last_close_is_a_buy_and_wholly_below_a_sell() -> None:
    strategy = ProphetTrend(ProphetTrendParameters())
    made = {"A": forecast("A", 101, 103, 105), "B": forecast("B", 95, 97, 99)}
    found = scores(strategy.signals(context(forecasts=made)))
    assert found["A"] > 0 > found["B"]


def test_trendline_buys_below_the_line_and_sells_above_it() -> None:
    strategy = ProphetTrend(ProphetTrendParameters(rule="trendline"))
    made = {"A": forecast("A", 90, 103, 110), "B": forecast("B", 90, 98, 110)}
    assert scores(strategy.signals(context(forecasts=made))) == pytest.approx({"A": 0.03, "B": -0.02})


@pytest.mark.parametrize(("skill", "vetoed"), [(0.01, False), (0.0, True), (-0.2, True), (None, False)])
def test_a_ticker_without_skill_gets_no_weight(skill: float | None, vetoed: bool) -> None:
    made = {"A": forecast("A", 98, 102, 106, skill=skill)}
    (signal,) = ProphetTrend(ProphetTrendParameters()).signals(context(forecasts=made))
    assert signal.score > 0
    assert bool(signal.vetoed) is vetoed
    (open_gate,) = ProphetTrend(ProphetTrendParameters(skill_gate=False)).signals(context(forecasts=made))
    assert open_gate.vetoed == ""


def test_an_exit_needs_no_skill() -> None:
    made = {"A": forecast("A", 94, 98, 102, skill=-1.0)}
    (signal,) = ProphetTrend(ProphetTrendParameters()).signals(context(forecasts=made))
    assert (signal.score < 0, signal.vetoed) == (True, "")


def test_prophet_trend_enters_with_a_stop_2_percent_below_and_a_profit_40_percent_above() -> None:
    rule = ProphetTrend(ProphetTrendParameters()).sizing_rule()
    assert rule.bracket is not None
    bracket = rule.bracket.around(Decimal(100))
    assert (bracket.stop_price, bracket.stop_limit_price, bracket.take_profit_price) == (98, 97, 140)


SMALL = MomentumParameters(hold=2, lookback=4, skip=1)


def test_momentum_holds_the_winners_and_leaves_the_rest() -> None:
    # from the first close to the last but one: A +20 %, B +10 %, C +5 %, D -10 %
    frame = closes(
        {
            "A": [100, 100, 100, 120, 1],
            "B": [100, 100, 100, 110, 1],
            "C": [100, 100, 100, 105, 999],
            "D": [100, 100, 100, 90, 999],
        }
    )
    signals = Momentum(SMALL).signals(context(frame, held=("C",)))
    assert scores(signals) == {"A": 1.0, "B": 1.0, "C": -1.0}
    assert signals[0].reason == "12-1 return +20.0%, number 1 of 4"


def test_momentum_never_holds_a_loser_to_fill_its_places() -> None:
    frame = closes({"A": [100, 100, 100, 120, 1], "D": [100, 100, 100, 90, 1]})
    assert scores(Momentum(SMALL).signals(context(frame))) == {"A": 1.0}


def test_momentum_is_silent_for_the_rest_of_a_month() -> None:
    frame = closes({"A": [100, 100, 100, 120, 1]})
    assert Momentum(SMALL).signals(context(frame, last_rebalance=date(2022, 6, 1))) == []
    assert Momentum(SMALL).signals(context(frame, last_rebalance=date(2022, 5, 31))) != []


def test_momentum_keeps_what_it_cannot_rank() -> None:
    frame = closes({"A": [100, 100, 100, 120, 1], "B": [100.0]})
    assert "B" not in scores(Momentum(SMALL).signals(context(frame, held=("B",))))


def test_momentum_without_enough_bars_says_nothing() -> None:
    assert Momentum(SMALL).signals(context(closes({"A": [1, 2]}), held=("A",))) == []


def test_the_universe_is_ranked_by_mean_return_and_ties_go_by_symbol() -> None:
    frame = closes({"C": [100, 110, 121], "B": [100, 110, 121], "A": [100, 101, 102], "NEW": [50.0]})
    strategy = Momentum(SMALL)
    assert strategy.universe(Market(frame), 2, 2) == ("B", "C")
    assert strategy.universe(Market(frame), 9, 2) == ("B", "C", "A")
