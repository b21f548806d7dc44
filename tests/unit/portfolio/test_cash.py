"""A sleeve never spends what it does not have."""

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.config import RiskConfig
from openbell.execution.booking import book_all, book_crosses, observe
from openbell.model import BrokerOrder, Order, OrderStatus, Share, Side, Signal, Sleeve
from openbell.money import SHARE_QUANTUM, to_cents
from openbell.portfolio.cash import affordable, buy_limit, committed
from openbell.portfolio.plan import Means, make_plan
from openbell.portfolio.risk import RiskFacts, limit
from openbell.portfolio.sizing import Sizing, SizingRule, weigh
from openbell.portfolio.trades import Trade
from tests.builders import D, order, sleeve


@pytest.mark.parametrize(("price", "expected"), [("100", "105.00"), ("0.5", "0.5250"), ("33.33", "35.00")])
def test_a_buy_pays_its_slippage_at_most(price: str, expected: str) -> None:
    assert buy_limit(D(price), D("0.05")) == D(expected)


def test_what_working_buys_may_take_is_what_is_not_filled_at_their_limit() -> None:
    working = order(shares={"a": "10", "b": "5"}, client_order_id="w", limit_price=D(105), status=OrderStatus.WORKING)
    half = replace(working, shares=(Share("a", D(10), D(10)), Share("b", D(5), D(2))))
    others = [replace(working, status=OrderStatus.PLANNED), replace(working, side=Side.SELL)]
    assert committed([half, *others]) == {"a": D(0), "b": D(315)}  # 3 shares at 105


def test_a_buy_is_cut_to_what_each_sleeve_can_pay() -> None:
    wanted = order(shares={"a": "10", "b": "5", "c": "1"}, client_order_id="mine", limit_price=D(105))
    other = order(shares={"a": "4"}, client_order_id="w", limit_price=D(100), status=OrderStatus.SUBMITTING)
    sleeves = {"a": sleeve("a", "1000"), "b": sleeve("b", "10000"), "c": sleeve("c", "104.99")}
    # a: 600 left beside the other buy: 5 at 105; b: all of it; c: none
    assert affordable(wanted, sleeves, [other, wanted]) == (Share("a", D(5)), Share("b", D(5)))


@pytest.mark.parametrize("sizing", Sizing)
def test_a_holding_without_a_price_is_kept_at_its_cost(sizing: Sizing) -> None:
    held = sleeve("m", cash="1000", positions={"X": ("90", "9000")})
    prices = {f"S{n}": D(10) for n in range(9)}
    entries = [Signal(symbol, 1.0, "in") for symbol in prices]
    rule = SizingRule(sizing, D("0.05"))
    for signals in (entries, [*entries, Signal("X", 1.0, "held on")], [*entries, Signal("X", -1.0, "out")]):
        targets, _ = weigh(signals, held, prices, rule)
        spent = sum((t.qty * prices[t.symbol] for t in targets if t.qty), D(0))
        assert 0 < spent <= 500  # 1,000 less 5 % of 10,000


def test_what_working_buys_may_take_is_not_sized_again() -> None:
    signals, rule = [Signal("A", 1.0, "in")], SizingRule(Sizing.ENTER, D(0))
    (target,), _ = weigh(signals, sleeve("m", "1000"), {"A": D(10)}, rule, committed=D(700))
    assert target.qty == 30


wishes = st.lists(
    st.tuples(st.sampled_from("xyz"), st.sampled_from("ABC"), st.integers(-80, 200), st.booleans()),
    max_size=9,
    unique_by=lambda wish: wish[:2],
)


@given(
    wishes,
    st.fixed_dictionaries({name: st.integers(0, 2_000_000) for name in "xyz"}),
    st.fixed_dictionaries({symbol: st.integers(2, 40_000) for symbol in "ABC"}),
    st.randoms(use_true_random=False),
)
def test_no_sleeve_is_ever_below_zero_whatever_is_filled_when_and_at_which_price(
    wanted: list[tuple[str, str, int, bool]], cents: dict[str, int], price_cents: dict[str, int], chance: Random
) -> None:
    prices = {symbol: D(price) / 100 for symbol, price in price_cents.items()}
    sleeves: dict[str, Sleeve] = {
        name: sleeve(name, str(D(cash) / 100), dict.fromkeys("ABC", ("80", "800"))) for name, cash in cents.items()
    }
    trades = [
        Trade(name, symbol, Side.BUY if qty > 0 else Side.SELL, _qty(qty, whole), prices[symbol], "because")
        for name, symbol, qty, whole in wanted
        if qty
    ]
    plan = _plan(sorted(trades, key=lambda t: t.side is Side.BUY), sleeves, prices)
    sleeves |= book_crosses(sleeves, plan.crosses)
    _check(sleeves)
    sent: dict[str, Order] = {}
    for planned in plan.orders:  # in their sending order; any of those sent may be filled a little in between
        left = planned.shares if planned.side is Side.SELL else affordable(planned, sleeves, sent.values())
        if left:
            qty = sum((share.qty for share in left), D(0))
            sent[planned.client_order_id] = replace(planned, shares=left, qty=qty, status=OrderStatus.WORKING)
        for _ in range(chance.randint(0, 3)):
            if sent:
                name = chance.choice(sorted(sent))
                sent[name], fills = observe(sent[name], _filled_a_little(sent[name], chance))
                sleeves |= {changed.strategy: changed for changed in book_all(sleeves, fills)}
                _check(sleeves)


def _qty(qty: int, whole: bool) -> Decimal:
    return D(abs(qty)) if whole else (D(abs(qty)) / 7).quantize(SHARE_QUANTUM)


def _plan(trades: list[Trade], sleeves: dict[str, Sleeve], prices: dict[str, Decimal]):  # type: ignore[no-untyped-def]
    cash = {name: own.cash for name, own in sleeves.items()}
    facts = RiskFacts(D(10**9), D(10**9), {}, prices, dict.fromkeys(prices, 0), frozenset(prices), 60, sleeve_cash=cash)
    risk = RiskConfig(max_order_notional=D(10**9))
    return make_plan("run", limit(trades, facts, risk)[0], [], set(), Means(cash, risk.max_slippage))


def _filled_a_little(sent: Order, chance: Random) -> BrokerOrder:
    """The broker's word: some more shares filled; a buy no dearer than its limit, a sell at any price."""
    left = sent.qty - sent.filled_qty
    some = left if chance.random() < 0.4 else (left * chance.randint(0, 10) / 10).quantize(SHARE_QUANTUM)
    some = some if sent.fractional else some.to_integral_value()
    price = sent.worst_price * chance.randint(1, 100) / 100
    if sent.filled_qty:  # the broker tells an average
        price = min(price, sent.worst_price)
        value = sent.filled_value + some * price
        price = value / (sent.filled_qty + some)
    status = OrderStatus.FILLED if some == left else OrderStatus.WORKING
    return BrokerOrder(
        "b", sent.client_order_id, sent.symbol, sent.side, status, sent.qty, sent.filled_qty + some, price
    )


def _check(sleeves: dict[str, Sleeve]) -> None:
    for own in sleeves.values():
        assert own.cash >= 0
        assert own.cash == to_cents(own.cash)
        assert all(position.qty > 0 for position in own.positions.values())
