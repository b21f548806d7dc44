"""The split of a difference, by hand; and over many inputs, that nothing is left over."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lab.drift.components import Components, LivePart, ModelPart, difference, split, summed
from openbell.model import Side
from tests.builders import D

# The backtest: 10 shares at 100 with 2 bps of slippage, 100.02; a share is worth 103 when both are compared.
MODEL = ModelPart(D(10), D(10), D("1000.20"), D("100.02"), D(100))
MARK = D(103)


def test_the_same_fill_has_no_difference() -> None:
    live = LivePart(D(10), D(10), D("1000.20"), D(1000))
    assert split(Side.BUY, live, MODEL, MARK) == Components()
    assert difference(Side.BUY, live, MODEL, MARK) == 0


def test_more_slippage_is_price() -> None:
    # 10 bps instead of 2: 10 x (100.10 - 100.02) = 0.80 paid more
    live = LivePart(D(10), D(10), D("1001.00"), D(1000))
    assert split(Side.BUY, live, MODEL, MARK) == Components(price=D("-0.80"))
    assert difference(Side.BUY, live, MODEL, MARK) == D("-0.80")


def test_a_later_market_is_timing_and_what_is_paid_on_top_of_it_is_price() -> None:
    # met at 100.50 instead of 100: 10 x 0.50 = 5; paid 0.50 a share on top instead of 0.02: 10 x 0.48 = 4.80
    live = LivePart(D(10), D(10), D("1010.00"), D("1005.00"))
    assert split(Side.BUY, live, MODEL, MARK) == Components(price=D("-4.80"), timing=D(-5))


def test_a_buy_that_was_rejected_misses_what_it_would_have_gained() -> None:
    # 10 x (103 - 100.02) = 29.80
    assert split(Side.BUY, LivePart(D(10)), MODEL, MARK) == Components(rejection=D("-29.80"))


def test_a_sell_that_was_rejected_gains_if_the_price_rises() -> None:
    # sold at 99.98 by the backtest, worth 103 now: 10 x (103 - 99.98) = 30.20 better off
    model = ModelPart(D(10), D(10), D("999.80"), D("99.98"), D(100))
    assert split(Side.SELL, LivePart(D(10)), model, MARK) == Components(rejection=D("30.20"))


def test_a_larger_order_is_data() -> None:
    # 4 shares more: 4 x (103 - 100.02) = 11.92; filled as the model fills, 14 x 100.02
    live = LivePart(D(14), D(14), D("1400.28"), D(1400))
    assert split(Side.BUY, live, MODEL, MARK) == Components(data=D("11.92"))


def test_an_order_that_neither_filled_is_no_rejection() -> None:
    model = ModelPart(D(10), D(0), D(0), D("100.02"), D(100))
    assert split(Side.BUY, LivePart(D(10)), model, MARK) == Components()


def test_all_causes_at_once_add_up() -> None:
    # ordered 14 for 10: data 4 x 2.98 = 11.92; 6 of 14 not filled: rejection -6 x 2.98 = -17.88
    # 8 filled at 101 with the market at 100.50: timing -8 x 0.50 = -4, price -8 x (0.50 - 0.02) = -3.84
    live = LivePart(D(14), D(8), D("808.00"), D("804.00"))
    parts = split(Side.BUY, live, MODEL, MARK)
    assert parts == Components(price=D("-3.84"), timing=D(-4), rejection=D("-17.88"), data=D("11.92"))
    # live 8 x 103 - 808 = 16; backtest 10 x 103 - 1000.20 = 29.80
    assert parts.total == difference(Side.BUY, live, MODEL, MARK) == D("-13.80")


quantities = st.integers(0, 10_000).map(Decimal)
prices = st.decimals("0.01", "5000", places=4)
values = st.decimals("0", "5000000", places=2)


@given(
    st.sampled_from(list(Side)),
    st.builds(LivePart, quantities, quantities, values, values),
    st.builds(ModelPart, quantities, quantities, values, prices, prices),
    prices,
)
def test_nothing_is_left_over(side: Side, live: LivePart, model: ModelPart, mark: Decimal) -> None:
    assert split(side, live, model, mark).total == difference(side, live, model, mark)


def test_lines_add_up_cause_by_cause() -> None:
    parts = [Components(D(1), D(2), D(3), D(4)), Components(D(-1), D(1), D(1), D(1))]
    assert summed(parts) == Components(D(0), D(3), D(4), D(5))
