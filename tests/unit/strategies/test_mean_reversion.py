import numpy as np
import pytest
from pydantic import ValidationError

from openbell.strategies.mean_reversion import MeanReversion, MeanReversionParameters, rsi
from tests.builders import closes
from tests.unit.strategies.contexts import context, scores

SMALL = MeanReversion(MeanReversionParameters(rsi_bars=2, oversold=40, trend=7, recovery=2))
# moves weigh 1/32, 1/16, 1/8, 1/4, 1/2, 1. DIP: +40, 0, 0, 0, -1, -2: gain 1.25, loss 2.5, RSI 33.3; average 93.7.
# FALL is as far down but below its average of 105; RISE has RSI 100.
FRAME = closes(
    {
        "DIP": [60, 100, 100, 100, 100, 99, 97],
        "FALL": [140, 100, 100, 100, 100, 99, 97],
        "RISE": [60, 70, 80, 90, 100, 101, 103],
        "NEW": [99, 97],
    }
)


def test_rsi_as_worked_out_by_hand() -> None:
    # +1, -1, -2 with weights 1/4, 1/2, 1: gain 0.25, loss 2.5, so 100 x 0.25 / 2.75
    assert rsi(np.array([[100.0], [101.0], [100.0], [98.0]]), 2) == pytest.approx([9.0909], abs=1e-4)


def test_rsi_of_a_price_that_never_moved_is_in_the_middle() -> None:
    assert rsi(np.full((5, 1), 7.0), 2).tolist() == [50.0]


@pytest.mark.parametrize("bars", [2, 14])
def test_rsi_is_wilders_recursion(bars: int) -> None:
    prices = 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.02, 400)))
    gain = loss = 0.0
    for move in np.diff(prices):
        gain = (gain * (bars - 1) + max(move, 0)) / bars
        loss = (loss * (bars - 1) + max(-move, 0)) / bars
    assert rsi(prices[-201:, None], bars) == pytest.approx([100 * gain / (gain + loss)], rel=1e-4)


def test_it_buys_a_fall_in_a_rise_and_nothing_else() -> None:
    (signal,) = SMALL.signals(context(FRAME))
    assert signal.symbol == "DIP"
    assert signal.score == pytest.approx(1 / 6)  # 1 - 33.3 / 40
    assert signal.reason == "RSI-2 33.3 is below 40, the close 3.5% above its 7-bar average"  # 97 / 93.71


def test_it_sells_a_holding_above_its_short_average_and_keeps_one_that_still_falls() -> None:
    # RISE 103 against (101 + 103) / 2 = 102; DIP 97 against 98
    signals = SMALL.signals(context(FRAME, held=("RISE", "DIP")))
    assert scores(signals) == {"RISE": -1.0}
    assert signals[0].reason == "recovered: 1.0% above its 2-bar average"


def test_it_keeps_a_holding_that_it_cannot_judge() -> None:
    assert scores(SMALL.signals(context(FRAME, held=("NEW", "DIP")))) == {}
    assert SMALL.signals(context(FRAME.tail(6), held=("RISE",))) == []


def test_the_trend_must_be_longer_than_what_happens_in_it() -> None:
    with pytest.raises(ValidationError, match="trend 5 must be above rsi_bars 2 and recovery 5"):
        MeanReversionParameters(trend=5)
