"""In a backtest as at the broker, protective prices are measured from what was paid."""

from datetime import date

from lab.backtest import backtest
from lab.forecasts import ForecastStore
from lab.outcome import BacktestSettings
from openbell.config import parse_config
from tests.builders import D
from tests.integration.workflow.stage import sample


def test_no_stop_of_a_weekly_backtest_lies_above_the_fill_of_its_entry() -> None:
    entry = {"allocation": "1", "parameters": {"skill_gate": False, "rule": "trendline"}}
    universe = {"members": "tradable", "size": 12, "lookback": 60}
    settings = parse_config({"strategies": {"prophet_trend": entry | {"universe": universe}}}, "test")
    span = BacktestSettings(date(2022, 1, 3), date(2022, 4, 29), every="1w")
    outcome = backtest(sample(), settings, span, ForecastStore(None))
    assert not outcome.run_failures
    orders = [dated.order for dated in outcome.orders]
    entries = {(order.run_id, order.symbol): order for order in orders if order.protection and order.filled_qty}
    placed = {(order.run_id, order.symbol): order.bracket for order in reversed(orders) if order.protective}
    pairs = [(entries[key], bracket) for key in entries if (bracket := placed.get(key))]
    assert len(pairs) > 20
    moved = 0
    for entry_order, bracket in pairs:
        paid = entry_order.filled_avg_price
        assert paid
        assert bracket.stop_limit_price < bracket.stop_price < paid < bracket.take_profit_price
        assert abs(bracket.stop_price / paid - D("0.98")) < D("0.001")  # 2 % below, in cents
        moved += abs(paid / entry_order.reference_price - 1) > D("0.02")
    assert moved  # some by more than the stop's distance since they were planned
