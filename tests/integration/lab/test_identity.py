"""The backtest and the workflow decide, order and fill the same, to the cent."""

from datetime import date
from typing import Any

import pytest

from lab.backtest import backtest
from lab.curves import CurveMaker
from lab.forecasts import ForecastStore
from lab.outcome import BacktestSettings
from lab.trades import fills_of
from openbell.config import PlatformConfig, parse_config
from tests.builders import D
from tests.integration.lab.identity import check_identity
from tests.integration.lab.markets import ohlc_market
from tests.integration.workflow.stage import sample

_UNIVERSE = {"members": "tradable", "size": 12, "lookback": 60}


def config(**strategies: dict[str, Any]) -> PlatformConfig:
    entries = {name: {"universe": _UNIVERSE} | entry for name, entry in strategies.items()}
    return parse_config({"strategies": entries}, "test")


def test_twenty_sessions_with_three_strategies_are_the_same() -> None:
    settings = config(
        momentum={"allocation": "0.3", "parameters": {"hold": 3}},
        sma_cross={"allocation": "0.3", "parameters": {"fast": 5, "slow": 20}},
        prophet_trend={"allocation": "0.4", "parameters": {"skill_gate": False}},
    )
    played = check_identity(sample(), settings, date(2022, 5, 20), date(2022, 6, 17))
    assert len(played.decisions) == 20
    assert len(played.exchange.fills()) > 30
    sides = {order.side for order in played.exchange.orders() if order.parent_id}
    assert sides, "no bracket was ever sent"


def test_sessions_with_open_high_and_low_are_the_same() -> None:
    settings = config(
        prophet_trend={"allocation": "0.5", "parameters": {"skill_gate": False, "rule": "trendline"}},
        mean_reversion={"allocation": "0.5", "parameters": {"trend": 20, "oversold": 30}},
    )
    played = check_identity(ohlc_market(), settings, date(2022, 5, 20), date(2022, 6, 17))
    legs = [order for order in played.exchange.orders() if order.parent_id and order.filled_qty]
    assert legs, "no protective order was ever reached"


@pytest.mark.parametrize("unfilled", ["leave", "reprice", "cancel"])
def test_one_look_at_the_orders_is_the_same(unfilled: str) -> None:
    made = config(
        momentum={"allocation": "0.5", "parameters": {"hold": 3}},
        sma_cross={"allocation": "0.5", "parameters": {"fast": 2, "slow": 5}},
    )
    execution = made.execution.model_copy(update={"max_rounds": 1, "unfilled": unfilled})
    check_identity(ohlc_market(), made.model_copy(update={"execution": execution}), date(2022, 5, 20), date(2022, 6, 1))


def test_parts_of_shares_are_the_same() -> None:
    entries: dict[str, dict[str, Any]] = {
        "sma_cross": {"allocation": "0.5", "fractional": True, "parameters": {"fast": 2, "slow": 5}},
        "mean_reversion": {"allocation": "0.3", "fractional": True, "parameters": {"trend": 20, "oversold": 50}},
        "momentum": {"allocation": "0.2", "parameters": {"hold": 3}},
    }
    played = check_identity(sample(), config(**entries), date(2022, 3, 1), date(2022, 4, 14))
    crosses = [cross for made in played.decisions.values() for cross in made.plan.crosses]
    assert any(cross.qty % 1 for cross in crosses)
    assert not any(p.qty % 1 for p in played.ledger.sleeves()["momentum"].positions.values())


def test_crosses_between_strategies_are_the_same() -> None:
    settings = config(
        sma_cross={"allocation": "0.5", "parameters": {"fast": 2, "slow": 5}},
        mean_reversion={"allocation": "0.5", "parameters": {"trend": 20, "oversold": 50}},
    )
    played = check_identity(sample(), settings, date(2022, 3, 1), date(2022, 4, 29))
    assert any(decisions.plan.crosses for decisions in played.decisions.values())


@pytest.mark.parametrize("code", ["sma_cross", "momentum", "low_volatility", "buy_and_hold"])
@pytest.mark.parametrize("size", [20, 6])
def test_left_out_runs_change_nothing_that_is_traded(code: str, size: int) -> None:
    entry = {"allocation": "1", "universe": {"members": "tradable", "size": size, "lookback": 60}}
    settings = parse_config({"strategies": {code: entry}}, "test")
    span = BacktestSettings(date(1995, 1, 3), date(2000, 12, 29), cash=D(1_000_000))
    store = ForecastStore(None)
    quick = backtest(sample(), settings, span, store)
    whole = backtest(sample(), settings, span, store, skip_silent=False)
    assert quick.orders == whole.orders
    assert quick.equity == whole.equity
    assert quick.asked < whole.asked == whole.runs


def test_a_day_that_opens_with_a_large_loss_is_not_left_out() -> None:
    settings = parse_config(
        {
            "strategies": {"buy_and_hold": {"allocation": "1", "universe": _UNIVERSE | {"size": 4}}},
            "risk": {"max_daily_loss": "0.02", "max_slippage": "0.052"},  # AMD rises by 5.13 % on the first day
        },
        "test",
    )
    span = BacktestSettings(date(2020, 1, 2), date(2022, 12, 28))
    store = ForecastStore(None)
    quick = backtest(ohlc_market(), settings, span, store)
    whole = backtest(ohlc_market(), settings, span, store, skip_silent=False)
    assert [failure.error for failure in whole.run_failures] == ["Halted"]
    assert quick.run_failures == whole.run_failures


def test_early_closes_are_skipped_as_the_schedule_would() -> None:
    settings = config(buy_and_hold={"allocation": "1"})
    friday = date(2021, 11, 26)  # closes at 13:00, two hours before the run
    played = check_identity(sample(), settings, date(2021, 11, 22), date(2021, 12, 1))
    assert friday not in played.decisions


def test_the_strategies_curves_add_up_to_the_account() -> None:
    settings = config(
        momentum={"allocation": "0.3", "parameters": {"hold": 3}},
        mean_reversion={"allocation": "0.5", "parameters": {"trend": 20, "oversold": 30}},
    )
    market = ohlc_market()
    outcome = backtest(market, settings, BacktestSettings(date(2021, 1, 4), date(2022, 12, 28)), ForecastStore(None))
    maker = CurveMaker(outcome, market, fills_of(outcome), D(0))
    parts = maker.strategy("momentum").equity + maker.strategy("mean_reversion").equity + 20_000
    # the sleeves are kept in cents, the exchange's cash is not
    assert maker.account().equity.tolist() == pytest.approx(parts.tolist(), abs=0.005 * len(outcome.orders))
    assert len(outcome.orders) > 200
