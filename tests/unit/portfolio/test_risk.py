from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.config import RiskConfig
from openbell.model import Side
from openbell.portfolio.risk import RULES, RiskFacts, limit
from openbell.portfolio.trades import Trade
from tests.builders import D

FACTS = RiskFacts(
    equity=D(100_000),
    buying_power=D(100_000),
    position_values={},
    last_closes={"A": D(100), "B": D(100)},
    bar_ages={"A": 0, "B": 0},
    minutes_to_close=60,
    tradable=frozenset({"A", "B"}),
)
LOOSE = RiskConfig(max_position=D(1), max_order_notional=D(10**9))


def buy(qty: int = 100, symbol: str = "A", price: str = "100") -> Trade:
    return Trade("s", symbol, Side.BUY, D(qty), D(price), "because")


def sell(qty: int = 100, symbol: str = "A") -> Trade:
    return Trade("s", symbol, Side.SELL, D(qty), D(100), "because")


def test_a_harmless_trade_passes_untouched() -> None:
    assert limit([buy()], FACTS, LOOSE) == ([buy()], [])


CASES: Mapping[str, tuple[Trade, RiskFacts, RiskConfig, int]] = {
    "too_late": (buy(), replace(FACTS, minutes_to_close=4.9), LOOSE, 0),
    "symbol_not_tradable": (buy(), replace(FACTS, tradable=frozenset()), LOOSE, 0),
    "stale_data": (buy(), replace(FACTS, bar_ages={"A": 3}), LOOSE, 0),
    "price_sanity": (buy(price="126"), FACTS, LOOSE, 0),
    # 25 % of 100,000 is 25,000; 20,000 are held: room for 50 shares
    "position_cap": (buy(), replace(FACTS, position_values={"A": D(20_000)}), RiskConfig(), 50),
    # 97,000 of 100,000 exposed: room for 30
    "gross_exposure": (buy(), replace(FACTS, position_values={"B": D(97_000)}), LOOSE, 30),
    "order_notional": (buy(), FACTS, RiskConfig(max_order_notional=D(4_050)), 40),
    # twice the equity a day, 198,000 done: 2,000 left
    "daily_turnover": (buy(), replace(FACTS, turnover_today=D(198_000)), LOOSE, 20),
    # 10,000 USD of its own, 105 set aside for each share
    "sleeve_cash": (buy(), replace(FACTS, sleeve_cash={"s": D(10_000)}), LOOSE, 95),
    "buying_power": (buy(), replace(FACTS, buying_power=D(1_234)), LOOSE, 12),
}


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_cuts_and_says_so(rule: str) -> None:
    trade, facts, risk, allowed_qty = CASES[rule]
    allowed, cuts = limit([trade], facts, risk)
    assert [(cut.rule, cut.wanted_qty, cut.allowed_qty) for cut in cuts] == [(rule, 100, allowed_qty)]
    assert sum(trade.qty for trade in allowed) == allowed_qty
    assert cuts[0].reason


def test_what_is_left_of_an_order_may_be_too_small_to_send() -> None:
    # 50 USD of buying power do not pay for one share at 100
    allowed, cuts = limit([buy()], replace(FACTS, buying_power=D(50)), LOOSE)
    assert allowed == []
    assert cuts[-1].allowed_qty == 0


def test_a_trade_below_the_minimum_notional_is_cut() -> None:
    _, cuts = limit([buy(qty=1)], FACTS, RiskConfig(min_order_notional=D(200)))
    assert [cut.rule for cut in cuts] == ["minimum_notional"]


def test_the_cash_of_a_sell_counts_for_the_buy_after_it() -> None:
    facts = replace(FACTS, buying_power=D(0), position_values={"B": D(10_000)})
    allowed, cuts = limit([sell(symbol="B"), buy()], facts, LOOSE)
    assert [trade.qty for trade in allowed] == [100, 100]
    assert cuts == []


def test_a_sleeve_pays_with_its_own_cash_and_with_its_sells_that_are_let_through() -> None:
    facts = replace(FACTS, sleeve_cash={"s": D(1_000)}, quarantined={"B": "B is quarantined"})
    allowed, cuts = limit([sell(50), sell(50, "B"), buy(), buy(1)], facts, LOOSE)
    # B is not sold; 1,000 and 5,000 USD pay for 57 shares at 105, and then for none
    assert [trade.qty for trade in allowed] == [50, 57]
    assert [(cut.rule, cut.allowed_qty) for cut in cuts] == [
        ("quarantined", 0),
        ("sleeve_cash", 57),
        ("sleeve_cash", 0),
    ]


def test_a_buy_that_a_sleeve_pays_for_in_part_is_at_least_the_smallest_order() -> None:
    facts = replace(FACTS, sleeve_cash={"s": D(300)})
    assert limit([buy()], facts, RiskConfig(min_order_notional=D(250)))[0] == []


def test_doubtful_data_keeps_a_symbol_from_being_bought_never_from_being_sold() -> None:
    for facts, rule in (
        (replace(FACTS, doubtful={"A": "its price is of yesterday"}), "doubtful_price"),
        (replace(FACTS, bar_ages={}), "stale_data"),
        (replace(FACTS, last_closes={}), "price_sanity"),
        (replace(FACTS, last_closes={"A": D(10)}), "price_sanity"),
    ):
        allowed, cuts = limit([sell(1), buy(1)], facts, RiskConfig())
        assert allowed == [sell(1)]
        assert [cut.rule for cut in cuts] == [rule]


def test_no_cap_holds_back_a_sell() -> None:
    facts = replace(FACTS, position_values={"A": D(500_000)}, turnover_today=D(10**9), buying_power=D(-5))
    assert limit([sell(5000)], facts, RiskConfig())[0] == [sell(5000)]


def test_the_rules_are_in_the_order_that_the_documentation_states() -> None:
    names = [name for name, _ in RULES]
    assert names[:3] == ["quarantined", "symbol_not_tradable", "too_late"]
    assert names[3:6] == ["doubtful_price", "stale_data", "price_sanity"]
    assert names[-2:] == ["minimum_notional", "sleeve_cash"]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 2000), st.sampled_from("AB")), max_size=12),
    st.integers(0, 200_000),
)
def test_whatever_is_wanted_the_limits_hold_afterwards(wanted: list[tuple[bool, int, str]], power: int) -> None:
    trades = [buy(qty, symbol) if is_buy else sell(qty, symbol) for is_buy, qty, symbol in wanted]
    risk = RiskConfig()
    allowed, _ = limit(trades, replace(FACTS, buying_power=D(power)), risk)
    buys: Decimal = sum((trade.value for trade in allowed if trade.side is Side.BUY), D(0))
    sells: Decimal = sum((trade.value for trade in allowed if trade.side is Side.SELL), D(0))
    assert buys <= power + sells
    assert all(trade.value <= risk.max_order_notional for trade in allowed if trade.side is Side.BUY)
    assert all(trade.qty > 0 for trade in allowed)
