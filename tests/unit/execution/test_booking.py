from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.errors import ImpossibleFill
from openbell.execution.booking import book, book_all, book_crosses, observe
from openbell.model import Bracket, Cross, Fill, LegKind, OrderStatus, Side
from tests.builders import D, at_broker, leg_at_broker, order, sleeve


def fill(side: Side, qty: str, value: str, strategy: str = "momentum") -> Fill:
    return Fill("run-1", LegKind.ENTRY, strategy, "AAPL", side, D(qty), D(value))


def test_a_partial_fill_is_divided_pro_rata_to_what_each_strategy_wanted() -> None:
    wanted = order(shares={"x": "20", "y": "10"})
    seen, fills = observe(wanted, at_broker(wanted, filled="15", price="100"))
    assert [(f.strategy, f.qty, f.value) for f in fills] == [("x", 10, 1000), ("y", 5, 500)]
    assert [share.filled_qty for share in seen.shares] == [10, 5]


def test_seeing_the_same_state_twice_books_nothing_twice() -> None:
    wanted = order()
    seen, _ = observe(wanted, at_broker(wanted, "4", "100"))
    again, fills = observe(seen, at_broker(wanted, "4", "100"))
    assert (again, fills) == (seen, ())


def test_only_the_difference_to_the_last_look_is_booked() -> None:
    wanted = order()
    seen, _ = observe(wanted, at_broker(wanted, "4", "100"))
    # 10 at an average of 101 are 1,010; 400 are booked
    _, fills = observe(seen, at_broker(wanted, "10", "101", OrderStatus.FILLED))
    assert [(f.qty, f.value) for f in fills] == [(6, 610)]


def test_a_canceled_order_books_what_it_filled() -> None:
    wanted = order()
    seen, fills = observe(wanted, at_broker(wanted, "3", "100", OrderStatus.CANCELED))
    assert (seen.status, seen.open, fills[0].qty) == (OrderStatus.CANCELED, False, 3)


def test_a_correction_of_the_average_price_moves_cash_only() -> None:
    wanted = order()
    seen, _ = observe(wanted, at_broker(wanted, "10", "100.05", OrderStatus.FILLED))
    _, fills = observe(seen, at_broker(wanted, "10", "100", OrderStatus.FILLED))
    assert [(f.qty, f.value) for f in fills] == [(0, D("-0.50"))]


def test_a_filled_quantity_that_falls_is_an_error() -> None:
    wanted = order()
    seen, _ = observe(wanted, at_broker(wanted, "4", "100"))
    with pytest.raises(ImpossibleFill, match="never falls"):
        observe(seen, at_broker(wanted, "3", "100"))


def test_a_stop_that_fires_is_a_sale_of_the_strategy_it_protected() -> None:
    entry = order(shares={"prophet_trend": "10"}, bracket=Bracket(D(98), D(97), D(140)))
    legs = [leg_at_broker(LegKind.STOP), leg_at_broker(LegKind.TAKE_PROFIT)]
    held, _ = observe(entry, at_broker(entry, "10", "100", OrderStatus.FILLED, legs))
    assert held.open  # its legs rest
    legs = [
        leg_at_broker(LegKind.STOP, OrderStatus.FILLED, "10", "97.5"),
        leg_at_broker(LegKind.TAKE_PROFIT, OrderStatus.CANCELED),
    ]
    stopped, fills = observe(held, at_broker(entry, "10", "100", OrderStatus.FILLED, legs))
    assert [(f.leg, f.side, f.strategy, f.qty, f.value) for f in fills] == [
        (LegKind.STOP, Side.SELL, "prophet_trend", 10, 975)
    ]
    assert not stopped.open


def test_cost_leaves_with_the_shares_at_the_average() -> None:
    held = sleeve(cash="0", positions={"AAPL": ("10", "1000")})
    after = book(held, fill(Side.SELL, "4", "500"))
    assert (after.cash, after.positions["AAPL"].cost, after.realised_pnl) == (500, 600, 100)


def test_a_position_that_is_sold_out_is_gone() -> None:
    after = book(sleeve(cash="0", positions={"AAPL": ("10", "1000")}), fill(Side.SELL, "10", "900"))
    assert (after.positions, after.realised_pnl) == ({}, -100)


def test_more_than_is_held_cannot_be_booked_as_sold() -> None:
    with pytest.raises(ImpossibleFill, match="holds 0 AAPL"):
        book(sleeve(), fill(Side.SELL, "1", "100"))


def test_a_cross_moves_shares_and_cash_and_creates_neither() -> None:
    sleeves = {"x": sleeve("x", "0", {"A": ("10", "900")}), "y": sleeve("y", "1000")}
    after = book_crosses(sleeves, [Cross("A", "x", "y", D(4), D("100.005"))])
    assert (after["x"].cash, after["y"].cash) == (D("400.02"), D("599.98"))
    assert (after["x"].held("A"), after["y"].held("A")) == (6, 4)


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=5),
    st.lists(st.tuples(st.floats(0, 1), st.decimals("1", "900", places=4)), min_size=1, max_size=6),
)
def test_however_an_order_fills_the_sleeves_get_exactly_what_the_broker_filled(
    wanted: list[int], steps: list[tuple[float, Decimal]]
) -> None:
    shares = {f"s{i}": str(qty) for i, qty in enumerate(wanted)}
    current = order(shares=shares)
    sleeves = {name: sleeve(name, "0") for name in shares}
    filled = 0
    for share, price in steps:
        filled += int((sum(wanted) - filled) * share)
        # the broker's average of all fills so far: any sequence of averages must book exactly
        current, fills = observe(current, at_broker(current, str(filled), str(price)))
        sleeves |= {changed.strategy: changed for changed in book_all(sleeves, fills)}
    assert sum(s.held("AAPL") for s in sleeves.values()) == filled
    assert -sum(s.cash for s in sleeves.values()) == current.filled_value
    assert all(sleeves[name].held("AAPL") <= D(qty) for name, qty in shares.items())


def test_the_books_keep_an_order_as_it_is_when_nothing_changed() -> None:
    working = replace(order(), status=OrderStatus.WORKING, broker_order_id="b-1")
    assert observe(working, at_broker(working)) == (working, ())


WISH = Bracket(D(97), D(95), D(110))


def bought_at(price: str, **changes: Any) -> Bracket | None:
    """What protects 10 shares that were planned at 100 and bought at `price`."""
    wanted = order(shares={"momentum": "10"}, **changes)
    _, fills = observe(wanted, at_broker(wanted, "10", price, OrderStatus.FILLED))
    return book(sleeve(), fills[0]).positions["AAPL"].protection


def test_protection_moves_with_the_fill() -> None:
    assert bought_at("98", protection=WISH) == Bracket(D("95.06"), D("93.10"), D("107.80"))  # times 0.98
    assert bought_at("98") is None


def test_a_shield_protects_nothing_and_a_bracket_holds_at_its_own_prices() -> None:
    assert bought_at("98", bracket=WISH, shield=True) is None
    assert bought_at("98", bracket=WISH) == WISH
    assert bought_at("98", bracket=WISH, shield=True, protection=WISH) == WISH.scaled(D("0.98"))


def test_a_holding_keeps_its_protection_until_it_is_gone_or_gets_another() -> None:
    held = book(sleeve(), replace(fill(Side.BUY, "10", "1000"), protection=WISH))
    assert book(held, fill(Side.SELL, "4", "400")).positions["AAPL"].protection == WISH
    assert book(held, fill(Side.BUY, "4", "400")).positions["AAPL"].protection == WISH
    higher = WISH.scaled(D("1.1"))
    assert book(held, replace(fill(Side.BUY, "4", "440"), protection=higher)).positions["AAPL"].protection == higher
    assert book(held, fill(Side.SELL, "10", "1000")).positions == {}


def test_what_a_protective_sell_takes_is_the_profit() -> None:
    oco = order(Side.SELL, bracket=WISH)
    _, fills = observe(oco, at_broker(oco, "10", "110", OrderStatus.FILLED))
    assert [(f.leg, f.side, f.value, f.protection) for f in fills] == [(LegKind.TAKE_PROFIT, Side.SELL, 1100, None)]


def test_more_shares_than_were_ordered_cannot_be_booked() -> None:
    planned = order(shares={"momentum": "10"})
    with pytest.raises(ImpossibleFill, match="11 shares filled of 10"):
        observe(planned, at_broker(planned, "11", "100"))


def test_a_fill_for_a_strategy_without_a_sleeve_cannot_be_booked() -> None:
    planned = order(shares={"momentum": "10"})
    _, fills = observe(planned, at_broker(planned, "10", "100"))
    with pytest.raises(ImpossibleFill, match="momentum, which has no sleeve"):
        book_all({}, fills)
