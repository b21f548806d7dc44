from decimal import Decimal

from openbell.model import Signal, Target
from openbell.portfolio.sizing import BracketRule, Sizing, SizingRule, weigh
from tests.builders import D, sleeve

REBALANCE = SizingRule(Sizing.REBALANCE, D("0.05"))
ENTER = SizingRule(Sizing.ENTER, D("0.05"), BracketRule(D("0.02"), D("0.03"), D("0.40")))


def buy(symbol: str) -> Signal:
    return Signal(symbol, 1.0, "up")


def leave(symbol: str) -> Signal:
    return Signal(symbol, -1.0, "down")


def quantities(targets: list[Target]) -> dict[str, Decimal]:
    return {target.symbol: target.qty for target in targets}


def test_two_wanted_symbols_share_the_equity_less_the_buffer() -> None:
    # 10,000 x 0.95 / 2 = 4,750 each: 47 shares at 100, 23 at 200
    targets, cuts = weigh([buy("A"), buy("B")], sleeve(), {"A": D(100), "B": D(200)}, REBALANCE)
    assert quantities(targets) == {"A": 47, "B": 23}
    assert cuts == []


def test_a_rebalance_brings_a_holding_to_its_weight_and_sells_what_is_left() -> None:
    held = sleeve(cash="0", positions={"A": ("90", "9000"), "C": ("10", "1000")})
    targets, _ = weigh([buy("A"), buy("B"), leave("C")], held, {"A": D(100), "B": D(100), "C": D(100)}, REBALANCE)
    assert quantities(targets) == {"C": 0, "A": 47, "B": 47}


def test_entries_leave_wanted_holdings_alone_and_come_with_a_bracket() -> None:
    # equity 10,000; three wanted: 9,500 / 3 = 3,166.66 each for the two new ones
    held = sleeve(cash="7000", positions={"A": ("30", "3000")})
    targets, _ = weigh([buy("A"), buy("B"), buy("C")], held, dict.fromkeys("ABC", D(100)), ENTER)
    assert quantities(targets) == {"B": 31, "C": 31}
    bracket = targets[0].bracket
    assert bracket is not None
    assert (bracket.stop_price, bracket.stop_limit_price, bracket.take_profit_price) == (98, 97, 140)


def test_entries_never_spend_more_than_the_sleeve_has_left() -> None:
    # A is worth 9,000 of 10,000; investable 9,500 leaves 500 for B although its equal weight would be 4,750
    held = sleeve(cash="1000", positions={"A": ("90", "4500")})
    targets, _ = weigh([buy("B")], held, {"A": D(100), "B": D(100)}, ENTER)
    assert quantities(targets) == {"B": 5}


def test_a_single_entry_gets_no_more_than_the_weight_for_one() -> None:
    # 10,000 x 0.25 = 2,500, though the equal weight would be 9,500
    rule = SizingRule(Sizing.ENTER, D("0.05"), max_weight=D("0.25"))
    targets, _ = weigh([buy("A")], sleeve(), {"A": D(100)}, rule)
    assert quantities(targets) == {"A": 25}


def test_a_holding_without_a_signal_is_kept() -> None:
    targets, _ = weigh([], sleeve(positions={"A": ("10", "1000")}), {"A": D(100)}, ENTER)
    assert targets == []


def test_a_share_that_costs_more_than_its_weight_is_cut_with_the_reason() -> None:
    targets, cuts = weigh([buy("A")], sleeve(cash="100"), {"A": D(5000)}, REBALANCE)
    assert targets == []
    assert cuts[0].reason == "one share costs 5000 USD, the weight allows 95.00 USD"


def test_a_symbol_without_a_price_is_cut_with_the_reason() -> None:
    _, cuts = weigh([buy("A")], sleeve(), {}, REBALANCE)
    assert [(cut.symbol, cut.reason) for cut in cuts] == [("A", "no price in the snapshot")]


def test_brackets_below_a_dollar_have_four_decimals() -> None:
    bracket = BracketRule(D("0.02"), D("0.03"), D("0.40")).around(D("0.5"))
    assert (bracket.stop_price, bracket.take_profit_price) == (D("0.4900"), D("0.7000"))


def test_a_vetoed_signal_gets_no_weight_and_its_reason_is_told() -> None:
    signals = [Signal("A", 0.9, "up", vetoed="no skill"), Signal("B", 0.5, "up")]
    targets, cuts = weigh(signals, sleeve(cash="1000"), {"A": D(10), "B": D(10)}, SizingRule(Sizing.ENTER, D("0.1")))
    assert quantities(targets) == {"B": 90}  # all of the 900 that may be invested
    assert [(cut.rule, cut.symbol, cut.reason) for cut in cuts] == [("veto", "A", "no skill")]


def test_a_vetoed_holding_is_left_alone() -> None:
    held = sleeve(cash="0", positions={"A": ("5", "50")})
    targets, cuts = weigh(
        [Signal("A", 0.9, "up", vetoed="no skill")], held, {"A": D(10)}, SizingRule(Sizing.ENTER, D(0))
    )
    assert (targets, cuts) == ([], [])
