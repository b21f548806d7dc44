import numpy as np
import pandas as pd

from openbell.portfolio.sizing import weigh
from openbell.strategies.buy_and_hold import BuyAndHold
from openbell.strategies.protocol import Parameters
from tests.builders import D, closes, sleeve
from tests.unit.strategies.contexts import context, scores

BENCHMARK = BuyAndHold(Parameters())
FRAME = closes({"B": [10, 10], "A": [20, 20], "GONE": [5, np.nan]})


def test_it_buys_every_symbol_that_still_trades_at_equal_weights() -> None:
    signals = BENCHMARK.signals(context(FRAME))
    assert scores(signals) == {"A": 1.0, "B": 1.0}
    # 10,000 less 5 % cash, halved: 4,750 USD each
    targets, _ = weigh(signals, sleeve("bench"), {"A": D(20), "B": D(10)}, BENCHMARK.sizing_rule())
    assert {target.symbol: target.qty for target in targets} == {"A": 237, "B": 475}


def test_it_says_nothing_as_soon_as_it_holds_something() -> None:
    assert BENCHMARK.signals(context(FRAME, held=("A",))) == []


def test_without_prices_it_says_nothing() -> None:
    assert BENCHMARK.signals(context(pd.DataFrame())) == []
