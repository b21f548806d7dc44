"""Backtests with brackets on real opens, highs, lows and closes: Apple in 2005, with its split, and in 2008.

The bars are those of the package bokeh-sampledata, unadjusted, read as a file.
"""

from datetime import date
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from lab.backtest import backtest
from lab.forecasts import ForecastStore
from lab.outcome import BacktestSettings, DatedOrder, Outcome
from lab.trades import fills_of
from openbell.config import PlatformConfig, parse_config
from openbell.model import LegKind
from paper import History, Split, load_bars
from tests.builders import D

SPLITS = (
    Split("AAPL", date(2000, 6, 21), D(2)),
    Split("MSFT", date(2003, 2, 18), D(2)),
    Split("AAPL", date(2005, 2, 28), D(2)),
)


@cache
def stocks() -> History:
    spec = find_spec("bokeh_sampledata")
    assert spec is not None
    assert spec.origin is not None
    found = load_bars(Path(spec.origin).parent / "_data" / "stocks.csv.gz")
    return History(found.symbols, found.sessions, found.bars, SPLITS)


def config(day: str, stop: str, stop_limit: str, take_profit: str) -> PlatformConfig:
    bracket = {"stop": stop, "stop_limit": stop_limit, "take_profit": take_profit}
    entry = {
        "allocation": "1",
        "uses": "tests.integration.lab.buys_on:BuysOn",
        "universe": {"members": "tradable", "lookback": 60},
        "parameters": bracket | {"symbol": "AAPL", "day": day, "cash_buffer": "0.5"},
    }
    wide = {"max_position": "1", "max_order_notional": "1e9", "max_daily_turnover": "10", "max_daily_loss": "1"}
    data = {"max_missing": "1"}  # Facebook was not listed yet
    return parse_config(
        {"strategies": {"buys_on": entry}, "risk": wide | {"max_price_move": "1"}, "data": data}, "test"
    )


def played(settings: PlatformConfig, first: date, last: date) -> Outcome:
    return backtest(stocks(), settings, BacktestSettings(first, last), ForecastStore(None))


def entry_and_protection(outcome: Outcome) -> tuple[DatedOrder, list[DatedOrder]]:
    assert outcome.strategy_failures == outcome.run_failures == ()
    entry, *protective = outcome.orders
    assert [dated.order.protective for dated in (entry, *protective)] == [False] + [True] * len(protective)
    return entry, protective


def cents(qty: Decimal, price: str) -> Decimal:
    return (qty * D(price)).quantize(D("0.01"))


@pytest.mark.parametrize(
    ("day", "bracket", "entry", "kind", "left_on", "left_at"),
    [
        # Bought at 131.0762: stop 5 % below, 124.52. The 24th's low is 125.15. On the 26th it opens at 124.91, and its
        # low reaches the stop inside the bar: 124.52 less 2 bps.
        ("2008-09-22", ("0.05", "0.11", "0.50"), "131.0762", LegKind.STOP, date(2008, 9, 26), "124.4951"),
        # Bought at 128.7357: stop 1.5 % below, 126.80. The 26th opens at 124.91, below it: filled there.
        ("2008-09-24", ("0.015", "0.10", "0.50"), "128.7357", LegKind.STOP, date(2008, 9, 26), "124.8850"),
        # Bought at 89.8080: profit 5 % above, 94.30. The 9th opens at 93.35 and reaches 95.80: filled at its limit.
        ("2008-10-08", ("0.10", "0.11", "0.05"), "89.8080", LegKind.TAKE_PROFIT, date(2008, 10, 9), "94.3000"),
        # Bought at 88.7577: stop 3.5 % below, 85.65, profit 5 % above, 93.20. The 10th opens at 85.70, and its range of
        # 85.00 to 100.00 has both: the worse comes first.
        ("2008-10-09", ("0.035", "0.10", "0.05"), "88.7577", LegKind.STOP, date(2008, 10, 10), "85.6329"),
    ],
)
def test_a_protective_order_meets_the_real_bar(
    day: str, bracket: tuple[str, str, str], entry: str, kind: LegKind, left_on: date, left_at: str
) -> None:
    outcome = played(config(day, *bracket), date(2008, 9, 15), date(2008, 10, 14))
    bought, protective = entry_and_protection(outcome)
    assert len(protective) == 1
    qty = bought.order.filled_qty
    assert bought.order.filled_value == cents(qty, entry)  # the day's close and 2 bps
    _, sold = fills_of(outcome)
    assert (sold.kind, sold.day, sold.qty, sold.value) == (kind, left_on, qty, cents(qty, left_at))


def test_a_gap_beyond_the_limit_of_a_stop_sells_nothing() -> None:
    # Bought at 128.2656 with a stop 1 % below, 126.98, and its limit at 126.86. The 29th opens at 119.62, below both:
    # the order rests at 126.86, which Apple did not see again.
    outcome = played(config("2008-09-26", "0.01", "0.0110", "0.90"), date(2008, 9, 15), date(2008, 10, 14))
    bought, protective = entry_and_protection(outcome)
    order = bought.order
    assert order.filled_qty > 0
    assert [dated.order.protecting for dated in protective] == [order.filled_qty]
    assert outcome.equity[-1] == 100_000 - order.filled_value + order.filled_qty * D("104.08")  # the last close


def test_a_split_doubles_the_shares_and_halves_the_stop() -> None:
    # Bought at 88.9478: stop 8 % below, 81.83, which is 40.92 after the split of 28 February. The low of 8 March,
    # 40.10, is the first to reach it; that day opened at 41.90.
    outcome = played(config("2005-02-24", "0.08", "0.10", "0.50"), date(2005, 2, 15), date(2005, 3, 14))
    entry, protective = entry_and_protection(outcome)
    bought = entry.order.filled_qty
    assert entry.order.filled_value == cents(bought, "88.9478")  # 88.93 and 2 bps
    assert [(dated.day, dated.order.qty) for dated in protective] == [
        (date(2005, 2, 24), 2 * bought),  # in shares of after the split, in which it was withdrawn
        (date(2005, 2, 28), 2 * bought),  # placed anew
    ]
    _, sold = fills_of(outcome)
    assert (sold.kind, sold.day, sold.qty) == (LegKind.STOP, date(2005, 3, 8), 2 * bought)
    assert sold.value == cents(2 * bought, "40.9118")  # 40.92 less 2 bps
    equity = dict(zip(outcome.sessions, outcome.equity, strict=True))
    # before the split at 88.99 a share, after it at 44.86 for each of two
    after, before = equity[date(2005, 2, 28)], equity[date(2005, 2, 25)]
    assert after - before == 2 * bought * D("44.86") - bought * D("88.99")
    assert equity[date(2005, 3, 14)] == 100_000 - bought * D("88.9478") + 2 * bought * D("40.9118")
