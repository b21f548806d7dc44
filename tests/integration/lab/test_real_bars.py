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


def only_order(outcome: Outcome) -> DatedOrder:
    assert outcome.strategy_failures == outcome.run_failures == ()
    (dated,) = outcome.orders
    return dated


def cents(qty: Decimal, price: str) -> Decimal:
    return (qty * D(price)).quantize(D("0.01"))


@pytest.mark.parametrize(
    ("day", "bracket", "entry", "kind", "left_on", "left_at"),
    [
        # Decided at the open of 139.94: stop 10 % below, 125.95. The 23rd's low is 126.66. On the 24th it opens at
        # 127.27, and its low of 125.15 reaches the stop inside the bar: 125.95 less 2 bps.
        ("2008-09-22", ("0.10", "0.11", "0.50"), "131.0762", LegKind.STOP, date(2008, 9, 24), "125.9248"),
        # Decided at 127.27: stop 1.5 % below, 125.36. The 26th opens at 124.91, below it: filled there.
        ("2008-09-24", ("0.015", "0.10", "0.50"), "128.7357", LegKind.STOP, date(2008, 9, 26), "124.8850"),
        # Decided at 85.9125: profit 10 % above, 94.50. The 9th opens at 93.35 and reaches 95.80: filled at its limit.
        ("2008-10-08", ("0.10", "0.11", "0.10"), "89.8080", LegKind.TAKE_PROFIT, date(2008, 10, 9), "94.5000"),
        # Decided at 93.35: stop 8.5 % below, 85.42, profit 5 % above, 98.02. The 10th opens at 85.70, and its range of
        # 85.00 to 100.00 has both: the worse comes first.
        ("2008-10-09", ("0.085", "0.10", "0.05"), "88.7577", LegKind.STOP, date(2008, 10, 10), "85.4029"),
    ],
)
def test_a_protective_order_meets_the_real_bar(
    day: str, bracket: tuple[str, str, str], entry: str, kind: LegKind, left_on: date, left_at: str
) -> None:
    dated = only_order(played(config(day, *bracket), date(2008, 9, 15), date(2008, 10, 14)))
    order = dated.order
    assert order.filled_value == cents(order.filled_qty, entry)  # the day's close and 2 bps
    filled = {leg.kind: leg for leg in order.legs if leg.filled_qty}
    assert set(filled) == {kind}
    leg = filled[kind]
    assert leg.filled_qty == order.filled_qty > 0
    assert dated.legs_filled_at[leg.broker_order_id].date() == left_on
    assert leg.filled_value == cents(leg.filled_qty, left_at)


def test_a_gap_beyond_the_limit_of_a_stop_sells_nothing() -> None:
    # Decided at 124.91 with a stop 1 % below, 123.66, and its limit at 123.54. The 29th opens at 119.62, below both:
    # the order rests at 123.54, which Apple did not see again.
    outcome = played(config("2008-09-26", "0.01", "0.0110", "0.90"), date(2008, 9, 15), date(2008, 10, 14))
    order = only_order(outcome).order
    assert order.filled_qty > 0
    assert not any(leg.filled_qty for leg in order.legs)
    assert outcome.equity[-1] == 100_000 - order.filled_value + order.filled_qty * D("104.08")  # the last close


def test_a_split_doubles_the_shares_and_halves_the_stop() -> None:
    # Decided at 88.48: stop 8 % below, 81.40, which is 40.70 after the split of 28 February. The low of 8 March, 40.10,
    # is the first to reach it; that day opened at 41.90.
    outcome = played(config("2005-02-24", "0.08", "0.10", "0.50"), date(2005, 2, 15), date(2005, 3, 14))
    dated = only_order(outcome)
    bought = dated.order.filled_qty
    assert dated.order.filled_value == cents(bought, "88.9478")  # 88.93 and 2 bps
    (stop,) = [leg for leg in dated.order.legs if leg.filled_qty]
    assert stop.filled_qty == 2 * bought
    assert dated.legs_filled_at[stop.broker_order_id].date() == date(2005, 3, 8)
    assert stop.filled_value == cents(2 * bought, "40.6919")  # 40.70 less 2 bps
    equity = dict(zip(outcome.sessions, outcome.equity, strict=True))
    # before the split at 88.99 a share, after it at 44.86 for each of two
    after, before = equity[date(2005, 2, 28)], equity[date(2005, 2, 25)]
    assert after - before == 2 * bought * D("44.86") - bought * D("88.99")
    assert equity[date(2005, 3, 14)] == 100_000 - bought * D("88.9478") + 2 * bought * D("40.6919")
