"""Curves and figures of a small market, worked by hand."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest

from lab.curves import CurveMaker
from lab.figures import Provenance, at_cost, costs, data_hash, figures_of, to_answer
from lab.outcome import BacktestSettings, DatedCross, DatedOrder, Outcome
from lab.tear_sheet import build_tear_sheet
from lab.tear_sheet.verdict import number
from lab.trades import fills_of
from openbell.model import NEW_YORK, OrderStatus, Share, Side
from paper import BarArrays, History
from tests.builders import D, order

DAYS = [date(2022, 6, 13), date(2022, 6, 14), date(2022, 6, 15)]
#                 A      B
CLOSES = [[100.0, 50.0], [110.0, np.nan], [121.0, 60.0]]
MARKET = History(["A", "B"], DAYS, BarArrays(np.array(CLOSES)))
NOWHERE = Provenance("0" * 16, "a market by hand", 0, {})


def filled(side: Side, symbol: str, shares: dict[str, str], price: str, day: date) -> DatedOrder:
    parts = tuple(Share(name, D(qty), D(qty)) for name, qty in shares.items())
    qty = sum((part.qty for part in parts), D(0))
    made = replace(
        order(side, shares, symbol, f"{day}-{symbol}"),
        shares=parts,
        status=OrderStatus.FILLED,
        filled_qty=qty,
        filled_value=qty * D(price),
    )
    return DatedOrder(day, made, datetime(day.year, day.month, day.day, 15, 45, tzinfo=NEW_YORK), {})


def outcome(cost: str = "0") -> Outcome:
    """Two strategies with 1,000 USD each, and 500 USD in none. `one` buys 4 A and 2 B, `two` 2 A; `one` sells its A."""
    settings = BacktestSettings(DAYS[0], DAYS[-1], cash=D(2500), slippage_bps=D(cost))
    orders = (
        filled(Side.BUY, "A", {"one": "4", "two": "2"}, "100", DAYS[0]),
        filled(Side.BUY, "B", {"one": "2"}, "50", DAYS[0]),
        filled(Side.SELL, "A", {"one": "3"}, "110", DAYS[1]),
    )
    cross = DatedCross(DAYS[2], "A", "one", "two", D(1), D(121))
    #         2500; +6 x 10 and B unknown, kept at 50; +3 x 11 + 2 x 10
    equity = (D(2500), D(2560), D(2613))
    start = {"one": D(1000), "two": D(1000)}
    return Outcome(
        settings, tuple(DAYS), equity, 3, 3, 0, start, orders, (cross,), {"one": 3, "two": 1}, {"one": 2, "two": 1},
        (), (), (), {}, "at the close",
    )  # fmt: skip


def maker(cost_bps: str = "0") -> CurveMaker:
    return CurveMaker(outcome(), MARKET, fills_of(outcome()), D(cost_bps))


def test_a_strategys_equity_is_its_cash_and_its_shares_at_the_last_close() -> None:
    one = maker().strategy("one")
    # 500 cash left, + 4 x 100 + 2 x 50; sells 3 for 330: 830 + 1 x 110 + 2 x 50; passes 1 on for 121: 951 + 2 x 60
    assert one.equity.tolist() == [1000, 1040, 1071]
    assert one.invested.tolist() == [500, 210, 120]
    two = maker().strategy("two")
    assert two.equity.tolist() == [1000, 1020, 1042]
    assert two.invested.tolist() == [200, 220, 363]


def test_the_account_is_all_strategies_and_the_money_that_lies_idle() -> None:
    account = maker().account()
    parts = maker().strategy("one").equity + maker().strategy("two").equity
    assert account.equity.tolist() == (parts + 500).tolist()
    assert account.invested.tolist() == [700, 430, 483]
    # what passes inside the account is no trade of the account's
    assert account.traded.tolist() == [700, 330, 0]


def test_commission_is_taken_off_from_the_day_on_which_it_was_paid() -> None:
    account = maker("10").account()  # 0.1 %
    assert account.commission.tolist() == pytest.approx([0.7, 0.33, 0])
    assert account.equity.tolist() == pytest.approx([2499.3, 2558.97, 2611.97])


def test_buy_and_hold_puts_equal_parts_into_everything_at_the_first_close() -> None:
    curve, symbols = maker().buy_and_hold()
    assert symbols == ("A", "B")
    # 1250 in each: A x 1.1, B unknown; then A x 1.21, B x 1.2
    assert curve.equity.tolist() == pytest.approx([2500, 1375 + 1250, 1512.5 + 1500])


def test_buy_and_hold_pays_the_same_costs() -> None:
    dear = CurveMaker(outcome(cost="100"), MARKET, fills_of(outcome()), D(100))
    curve, _ = dear.buy_and_hold()
    assert curve.equity[0] == pytest.approx(2500 / 1.01 / 1.01)  # 1 % of commission, then 1 % worse prices


def test_slippage_is_what_fills_at_the_market_paid_above_the_print() -> None:
    found = costs(fills_of(outcome()), D(10), D(100))
    # buys of 700 at 1 % above the print paid 700 x 0.01 / 1.01, the sale of 330 at 1 % below lost 330 x 0.01 / 0.99
    assert found.slippage == pytest.approx(700 * 0.01 / 1.01 + 330 * 0.01 / 0.99)
    assert found.commission == pytest.approx(1.03)
    assert found.traded == 1030


def test_another_commission_replaces_the_one_that_was_paid() -> None:
    account = maker("10").account()
    assert at_cost(account, 0.0).end == pytest.approx(2613)
    assert at_cost(account, 100.0).end == pytest.approx(2613 - 10.3)


def test_figures_attribute_profit_to_the_strategies() -> None:
    figures = figures_of(outcome(), MARKET, D(0), NOWHERE)
    assert figures.strategies["one"].contribution == pytest.approx(71 / 2500)
    assert figures.strategies["two"].contribution == pytest.approx(42 / 2500)
    assert figures.idle == pytest.approx(500 / 2500)
    assert figures.account.total_return == pytest.approx(113 / 2500)
    assert not figures.against.beaten
    # `one` is out of A again (400 -> 330 + 121) and still in B; `two` is in A
    assert (figures.trades.trips, figures.trades.still_open) == (1, 2)
    assert figures.trades.expectancy == pytest.approx(51)


def test_an_answer_has_null_for_what_is_not_known() -> None:
    answer = to_answer(figures_of(outcome(), MARKET, D(0), NOWHERE))
    assert answer["sharpe_interval"] == [None, None]  # three days are too few to draw from
    assert answer["trades"]["profit_factor"] is None  # no loser to divide by
    assert answer["monthly"] == {"2022-06": pytest.approx(113 / 2500)}
    assert answer["curves"]["one"] == [1000, 1040, 1071]


def test_the_sheet_escapes_what_strategies_and_files_are_called() -> None:
    source = Provenance("0" * 16, "<b>evil</b>", 0, {})
    page = build_tear_sheet(figures_of(outcome(), MARKET, D(0), source), ["<i>odd</i>"], "at the close")
    assert "<b>evil</b>" not in page
    assert "&lt;b&gt;evil&lt;/b&gt;" in page
    assert "<i>odd</i>" not in page
    assert "did not beat buy-and-hold" in page


@pytest.mark.parametrize(
    ("value", "told"),
    [(-0.001, "0.00"), (-1.5, "\N{MINUS SIGN}1.50"), (1234.5, "1,234.50"), (float("nan"), "\N{EN DASH}")],
)
def test_numbers_have_a_true_minus_and_no_negative_zero(value: float, told: str) -> None:
    assert number(value) == told


def test_the_data_hash_knows_every_price_symbol_and_day() -> None:
    known = data_hash(MARKET)
    assert data_hash(History(["A", "B"], DAYS, BarArrays(np.array(CLOSES)))) == known
    moved = np.array(CLOSES)
    moved[2, 1] = 60.0001
    assert data_hash(History(["A", "B"], DAYS, BarArrays(moved))) != known
    assert data_hash(History(["A", "C"], DAYS, BarArrays(np.array(CLOSES)))) != known
    assert data_hash(History(["A", "B"], DAYS, BarArrays(np.array(CLOSES), open=np.array(CLOSES)))) != known
