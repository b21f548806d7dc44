from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.model import Bracket, Order, Side, Target
from openbell.portfolio.plan import FAR, client_order_id, make_plan
from openbell.portfolio.trades import Trade, changes
from tests.builders import D, sleeve

BRACKET = Bracket(D(98), D(97), D(140))


def trade(strategy: str, side: Side, qty: int, symbol: str = "A", bracket: Bracket | None = None) -> Trade:
    return Trade(strategy, symbol, side, D(qty), D(100), "because", bracket)


def test_two_buyers_share_one_order() -> None:
    plan = make_plan("run", [trade("x", Side.BUY, 10), trade("y", Side.BUY, 5)], [], set())
    (order,) = plan.orders
    assert (order.qty, {share.strategy: share.qty for share in order.shares}) == (15, {"x": 10, "y": 5})
    assert order.reason == "x: because; y: because"


def test_opposite_wishes_are_crossed_inside_the_account_and_only_the_rest_is_sent() -> None:
    plan = make_plan("run", [trade("x", Side.SELL, 10), trade("y", Side.BUY, 4)], [], set())
    (cross,) = plan.crosses
    assert (cross.seller, cross.buyer, cross.qty, cross.price) == ("x", "y", 4, 100)
    (order,) = plan.orders
    assert (order.side, order.qty) == (Side.SELL, 6)


def test_shares_that_rest_in_protective_orders_are_not_crossed() -> None:
    trades = [trade("x", Side.SELL, 10), trade("y", Side.BUY, 4)]
    plan = make_plan("run", trades, [], protected={("x", "A")})
    assert plan.crosses == ()
    assert [(order.side, order.qty) for order in plan.orders] == [(Side.SELL, 10), (Side.BUY, 4)]


def test_a_buy_against_resting_protective_sells_comes_with_a_far_bracket_of_its_own() -> None:
    trades = [trade("y", Side.BUY, 4), trade("z", Side.BUY, 6), trade("y", Side.BUY, 5, symbol="B")]
    plan = make_plan("run", trades, [], protected={("x", "A")})
    # 100 less 50 %, less 55 %, plus 100 %
    far = Bracket(D(50), D(45), D(200))
    assert {(o.symbol, o.strategies, o.qty, o.bracket) for o in plan.orders} == {
        ("B", ("y",), D(5), None),
        ("A", ("y",), D(4), far),
        ("A", ("z",), D(6), far),
    }


def test_an_entry_that_is_to_be_protected_is_an_order_of_its_own() -> None:
    trades = [trade("x", Side.BUY, 10, bracket=BRACKET), trade("y", Side.BUY, 4)]
    plan = make_plan("run", trades, [], set())
    found = [(order.qty, order.bracket, order.protection, order.shield) for order in plan.orders]
    assert found == [(10, None, BRACKET, False), (4, None, None, False)]


def test_beside_protective_sells_every_buy_has_a_shield_and_goes_last() -> None:
    trades = [trade("x", Side.BUY, 10, bracket=BRACKET), trade("y", Side.BUY, 4), trade("y", Side.BUY, 3, "B")]
    plan = make_plan("run", trades, [], {("z", "A")})
    assert [(order.symbol, order.shield, order.protection) for order in plan.orders] == [
        ("B", False, None),
        ("A", True, BRACKET),
        ("A", True, None),
    ]
    assert {order.bracket for order in plan.orders} == {None, FAR.around(D(100))}


def test_sells_come_before_buys() -> None:
    plan = make_plan("run", [trade("x", Side.BUY, 1, "A"), trade("x", Side.SELL, 1, "B")], [], set())
    assert [order.symbol for order in plan.orders] == ["B", "A"]


def test_the_client_order_id_is_the_same_for_the_same_order_and_fits_the_broker() -> None:
    first = client_order_id("20220615-1500-ab12", "BRK.B", Side.SELL, "x")
    assert first == client_order_id("20220615-1500-ab12", "BRK.B", Side.SELL, "x")
    assert first != client_order_id("20220615-1500-ab12", "BRK.B", Side.SELL, "x", revision=2)
    assert len(first) <= 48


def test_a_client_order_id_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="48 are allowed"):
        client_order_id("r" * 45, "A", Side.BUY, "x")


def test_bracketed_orders_of_two_strategies_in_one_symbol_have_different_ids() -> None:
    trades = [trade("prophet_trend", Side.BUY, 1, bracket=BRACKET), trade("prophet_two", Side.BUY, 1, bracket=BRACKET)]
    plan = make_plan("run", trades, [], set())
    assert len({order.client_order_id for order in plan.orders}) == 2


def test_a_target_below_the_holding_is_a_sell_of_the_difference() -> None:
    held = {"x": sleeve("x", positions={"A": ("10", "1000")})}
    (sell,) = changes([Target("x", "A", D(4), "less")], held, {"A": D(100)})
    assert (sell.side, sell.qty) == (Side.SELL, 6)


def test_a_target_that_is_met_already_is_no_trade() -> None:
    held = {"x": sleeve("x", positions={"A": ("10", "1000")})}
    assert changes([Target("x", "A", D(10), "same")], held, {"A": D(100)}) == []


wishes = st.lists(
    st.tuples(
        st.sampled_from("vwxyz"), st.sampled_from([Side.BUY, Side.SELL]), st.integers(1, 500), st.sampled_from("AB")
    ),
    max_size=10,
    unique_by=lambda wish: (wish[0], wish[3]),
)


@given(wishes, st.sets(st.tuples(st.sampled_from("vwxyz"), st.sampled_from("AB"))))
def test_netting_gives_every_strategy_exactly_what_it_wanted(
    wanted: list[tuple[str, Side, int, str]], protected: set[tuple[str, str]]
) -> None:
    trades = [trade(strategy, side, qty, symbol) for strategy, side, qty, symbol in wanted]
    plan = make_plan("run", trades, [], protected)
    got: dict[tuple[str, str], Decimal] = {}
    for order in plan.orders:
        for share in order.shares:
            got[share.strategy, order.symbol] = (
                got.get((share.strategy, order.symbol), D(0)) + order.side.sign * share.qty
            )
    for cross in plan.crosses:
        got[cross.buyer, cross.symbol] = got.get((cross.buyer, cross.symbol), D(0)) + cross.qty
        got[cross.seller, cross.symbol] = got.get((cross.seller, cross.symbol), D(0)) - cross.qty
    assert got == {(strategy, symbol): side.sign * qty for strategy, side, qty, symbol in wanted}


@given(wishes)
def test_without_protection_a_symbol_is_sent_in_one_direction_only(wanted: list[tuple[str, Side, int, str]]) -> None:
    plan = make_plan("run", [trade(s, side, qty, symbol) for s, side, qty, symbol in wanted], [], set())
    directions: dict[str, set[Side]] = {}
    order: Order
    for order in plan.orders:
        directions.setdefault(order.symbol, set()).add(order.side)
    assert all(len(sides) == 1 for sides in directions.values())


parts = st.lists(
    st.tuples(
        st.sampled_from("vwxyz"),
        st.sampled_from([Side.BUY, Side.SELL]),
        st.one_of(st.integers(1, 500).map(D), st.integers(1, 10**11).map(lambda n: D(n).scaleb(-9))),
    ),
    max_size=8,
    unique_by=lambda wish: wish[0],
)


@given(parts)
def test_parts_of_shares_are_crossed_and_sent_exactly_and_whole_wishes_stay_whole(
    wanted: list[tuple[str, Side, Decimal]],
) -> None:
    plan = make_plan("run", [Trade(s, "A", side, qty, D(100), "because") for s, side, qty in wanted], [], set())
    got: dict[str, Decimal] = dict.fromkeys((name for name, _, _ in wanted), D(0))
    for cross in plan.crosses:
        got[cross.buyer] += cross.qty
        got[cross.seller] -= cross.qty
    whole = [name for name, _, qty in wanted if qty == int(qty)]
    assert all(got[name] == int(got[name]) for name in whole)
    for order in plan.orders:
        for share in order.shares:
            got[share.strategy] += order.side.sign * share.qty
    assert got == {name: side.sign * qty for name, side, qty in wanted}


def test_two_halves_are_crossed_with_a_whole() -> None:
    trades = [Trade(name, "A", Side.SELL, D("10.5"), D(100), "out") for name in "xy"]
    plan = make_plan("run", [*trades, Trade("z", "A", Side.BUY, D(21), D(100), "in")], [], set())
    assert [(c.seller, c.buyer, c.qty) for c in plan.crosses] == [("x", "z", D("10.5")), ("y", "z", D("10.5"))]
    assert plan.orders == ()


def test_a_buy_of_parts_beside_protective_sells_is_cut_to_whole_shares() -> None:
    trades = [Trade("y", "A", Side.BUY, D("4.7"), D(100), "in"), Trade("z", "A", Side.BUY, D("0.7"), D(100), "in")]
    plan = make_plan("run", trades, [], protected={("x", "A")})
    assert [(order.strategies, order.qty) for order in plan.orders] == [(("y",), 4)]
    assert [(cut.rule, cut.strategy, cut.allowed_qty) for cut in plan.cuts] == [
        ("wash_trade", "y", 4),
        ("wash_trade", "z", 0),
    ]
