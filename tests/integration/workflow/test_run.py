"""Whole runs of the use cases, in one process."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from openbell import exchange_calendar
from openbell.adapters.memory.executions import MemoryExecutions
from openbell.config import parse_config
from openbell.errors import Halted, InvalidInput, MarketClosed, NoStrategyDue, RunInProgress, StaleData
from openbell.model import NEW_YORK, Halt, OrderStatus, RunStatus
from openbell.schedules import Schedule
from openbell.workflow.open_run import RunRequest, open_run
from paper import Side, Ticket
from tests.builders import D
from tests.integration.workflow.stage import WEDNESDAY, Stage, config, history, only_momentum


def test_a_run_trades_what_it_planned_and_the_books_agree() -> None:
    stage = Stage(config())
    closed = stage.run()
    assert closed.status is RunStatus.COMPLETED
    orders = stage.ledger.orders(closed.run_id)
    assert len(orders) >= 5
    entries = [order for order in orders if not order.protective]
    assert {order.status for order in entries} == {OrderStatus.FILLED}
    assert stage.owned() == stage.held()
    spent = sum((fill.cash_change for fill in stage.exchange.fills()), D(0))
    booked = sum((sleeve.cash for sleeve in stage.ledger.sleeves().values()), D(0))
    assert booked == D(90000) + round(spent, 2)  # 0.4 and 0.5 of 100,000, less what was paid
    assert stage.ledger.lease() is None
    assert closed.report["checks"]["books_agree"]


def test_positions_are_carried_from_day_to_day() -> None:
    stage = Stage(config())
    for day in range(4):
        closed = stage.run(f"day-{day}")
        assert closed.status is RunStatus.COMPLETED
        assert stage.owned() == stage.held()
        stage.next_day()
    # a stop of an entry may have fired meanwhile; whatever it was, it is in the books now
    assert [run.status for run in stage.ledger.runs()] == [RunStatus.COMPLETED] * 4


def test_the_same_market_gives_the_same_plan() -> None:
    plans = []
    for _ in range(2):
        stage = Stage(config())
        closed = stage.run()
        plans.append([(order.client_order_id, order.qty, order.reason) for order in stage.ledger.orders(closed.run_id)])
    assert plans[0] == plans[1]


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        (datetime(2022, 6, 20, 15, tzinfo=NEW_YORK), "Tuesday 2022-06-21 09:30"),  # Juneteenth, observed
        (datetime(2022, 6, 18, 12, tzinfo=NEW_YORK), "Tuesday 2022-06-21 09:30"),  # a Saturday before it
        (datetime(2022, 6, 15, 8, tzinfo=NEW_YORK), "Wednesday 2022-06-15 09:30"),
        (datetime(2021, 11, 26, 14, tzinfo=NEW_YORK), "Monday 2021-11-29 09:30"),  # after an early close
    ],
)
def test_a_closed_market_is_a_skipped_run_that_says_when_it_opens(at: datetime, opens: str) -> None:
    stage = Stage(at=at)
    with pytest.raises(MarketClosed, match=f"next open {opens}"):
        stage.run()
    run = stage.ledger.run_of("first")
    assert run
    assert run.status is RunStatus.SKIPPED
    assert opens in run.note
    assert stage.exchange.orders() == []


def test_a_halt_skips_the_run_and_gives_the_lease_back() -> None:
    stage = Stage()
    stage.ledger.set_halt(Halt("holiday", "alice", WEDNESDAY))
    with pytest.raises(Halted, match="by alice: holiday"):
        stage.run()
    assert stage.ledger.lease() is None
    assert stage.exchange.orders() == []


def test_two_runs_never_trade_at_once() -> None:
    stage = Stage()
    open_run(RunRequest("first", "daily"), stage.config, stage.desk, MemoryExecutions())
    with pytest.raises(RunInProgress, match="first is trading"):
        open_run(RunRequest("second", "daily"), stage.config, stage.desk, MemoryExecutions())


def test_opening_a_run_again_gives_what_it_saw_the_first_time() -> None:
    stage = Stage()
    once = open_run(RunRequest("first", "daily"), stage.config, stage.desk, MemoryExecutions())
    stage.exchange.wait(30)
    assert open_run(RunRequest("first", "daily"), stage.config, stage.desk, MemoryExecutions()) == once


def test_a_schedule_that_nobody_follows_is_skipped() -> None:
    with pytest.raises(NoStrategyDue, match="no enabled strategy is due at 14:45"):
        Stage(at=WEDNESDAY - timedelta(minutes=15)).run(schedule="quarter_hour")


def test_a_late_tick_starts_nothing() -> None:
    with pytest.raises(NoStrategyDue, match="comes 0:11:00 late"):
        Stage(at=WEDNESDAY + timedelta(minutes=11)).run(tick="2022-06-15T19:00:00Z")
    assert Stage(at=WEDNESDAY + timedelta(minutes=9)).run(tick="2022-06-15T19:00:00Z").status is RunStatus.COMPLETED


def test_the_tick_of_the_opening_waits_for_a_clock_that_is_a_second_behind() -> None:
    settings = only_momentum()
    entry = settings.strategies["momentum"]
    at_the_open = entry.model_copy(update={"schedule": Schedule(daily_at="09:30")})
    settings = settings.model_copy(update={"strategies": {"momentum": at_the_open}})
    stage = Stage(settings, at=WEDNESDAY.replace(hour=9, minute=29, second=58))
    assert stage.run(tick="2022-06-15T13:30:00Z").status is RunStatus.COMPLETED
    assert stage.held()
    early = Stage(settings, at=WEDNESDAY.replace(hour=9, minute=29, second=50))
    with pytest.raises(MarketClosed):
        early.run(tick="2022-06-15T13:30:00Z")


@pytest.mark.parametrize("tick", ["three o'clock", "2022-06-15T15:00:00"])
def test_a_tick_that_is_no_time_is_refused(tick: str) -> None:
    with pytest.raises(InvalidInput, match="expected a time"):
        Stage().run(tick=tick)


def test_two_schedules_at_one_tick_make_one_run() -> None:
    stage = Stage()
    tick = "2022-06-15T19:00:00Z"
    open_run(RunRequest("first", "daily", tick), stage.config, stage.desk, MemoryExecutions())
    with pytest.raises(RunInProgress, match="has been taken"):
        open_run(RunRequest("second", "quarter_hour", tick), stage.config, stage.desk, MemoryExecutions())


def test_nothing_is_bought_in_the_last_minutes() -> None:
    stage = Stage(at=WEDNESDAY.replace(minute=57))
    closed = stage.run(schedule="manual")
    assert closed.status is RunStatus.COMPLETED
    assert stage.exchange.orders() == []
    assert {cut["rule"] for cut in closed.report["cuts"]} == {"too_late"}


def test_a_strategy_may_hold_nothing_overnight() -> None:
    settings = only_momentum()
    entry = settings.strategies["momentum"].model_copy(update={"overnight": "exit"})
    settings = settings.model_copy(update={"strategies": settings.strategies | {"momentum": entry}})
    stage = Stage(settings)
    stage.run("first")  # its orders are filled at 15:45
    assert stage.held()
    stage.run("second", schedule="quarter_hour", tick="2022-06-15T19:45:00Z")
    assert stage.held() == {}


def test_the_clock_decides_and_a_calendar_that_differs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    monkeypatch.setattr(exchange_calendar, "_exceptions", lambda: {WEDNESDAY.date(): None})
    assert stage.run().status is RunStatus.COMPLETED
    (alert,) = stage.alerts.sent
    assert alert[0] == "Openbell: the calendar is not what the broker says"
    assert "ends at 16:00 New York time" in alert[1]
    assert "says: a holiday" in alert[1]


def test_a_large_loss_halts_and_alerts() -> None:
    stage = Stage(only_momentum(risk={"max_daily_loss": "0.01"}))
    stage.run()
    stage.next_day()
    stage.exchange.state.account.cash -= D(5000)  # as if the account had lost it since yesterday's close
    with pytest.raises(Halted, match="below 98"):
        stage.run("second")
    halt = stage.ledger.halt()
    assert halt
    assert halt.by == "the daily loss limit"
    assert [subject for subject, _ in stage.alerts.sent] == ["Openbell: trading halted"]
    with pytest.raises(Halted):
        stage.run("third")


def test_shares_bought_by_hand_are_never_touched() -> None:
    stage = Stage(at=WEDNESDAY - timedelta(days=1))
    stage.exchange.submit(Ticket("KO", Side.BUY, D(7)))
    stage.next_day()
    for day in range(3):
        stage.run(f"day-{day}")
        assert stage.held()["KO"] - stage.owned().get("KO", D(0)) == 7
        stage.next_day()


def market_of(columns: int, bars: int = 320) -> pd.DataFrame:
    """Closes that drift apart, so that there is something to rank."""
    days = pd.DatetimeIndex(Stage().exchange.history.sessions)
    index = days[days <= pd.Timestamp("2022-06-30")][-bars:]
    rates = np.linspace(-0.001, 0.002, columns)
    closes = 100 * np.exp(np.outer(np.arange(bars), rates))
    return pd.DataFrame(closes, index=index, columns=[f"S{n}" for n in range(columns)])


@pytest.mark.parametrize(
    ("value", "reason"),
    [(np.nan, "the last one is of 2022-06-07"), (0.0, "price 0 on 2022-06-14")],
)
def test_a_ticker_with_bad_prices_is_left_out_with_its_reason(value: float, reason: str) -> None:
    closes = market_of(8)
    closes.loc["2022-06-08":"2022-06-14", "S7"] = value
    stage = Stage(market=history(closes))
    closed = stage.run()
    assert closed.status is RunStatus.COMPLETED
    assert reason in closed.report["snapshot"]["left_out"]["S7"]
    assert {order["symbol"] for order in closed.report["orders"]} == {"S4", "S5", "S6"}


def test_when_too_many_tickers_have_no_prices_nothing_is_traded() -> None:
    closes = market_of(8)
    closes.loc["2022-06-08":"2022-06-14", ["S1", "S4", "S7"]] = np.nan
    stage = Stage(market=history(closes))
    with pytest.raises(StaleData, match="3 of 8 tickers have no usable prices"):
        stage.run()
    assert stage.exchange.orders() == []
    assert stage.ledger.lease() is None


def test_forecasts_are_scored_when_their_bars_arrive() -> None:
    stage = Stage(config())
    reports = []
    for day in range(3):
        reports.append(stage.run(f"day-{day}").report)
        stage.next_day()
    assert "prophet_trend" not in reports[0]["accuracy"]
    # 15 June is seen on the 16th: the first bar of the forecasts of the 15th; on the 17th their second bar comes too
    record = stage.ledger.accuracy("prophet_trend", WEDNESDAY.date())
    made = [len(report["forecasts"]["made"]) for report in reports]
    bars = {day.isoformat(): {h: t.bars for h, t in found.items()} for day, found in record.items()}
    assert bars == {"2022-06-15": {1: made[0]}, "2022-06-16": {1: made[1], 2: made[0]}}
    told = reports[2]["accuracy"]["prophet_trend"]
    assert told["1"]["bars"] == made[0] + made[1]
    kept = {f["symbol"]: f for f in reports[0]["forecasts"]["made"]}
    closes = stage.data.daily_closes(sorted(kept), WEDNESDAY.date(), WEDNESDAY.date()).iloc[0]
    errors = [abs(closes[s] - f["yhat"][0]) / f["naive_scale"] for s, f in kept.items()]
    assert record[WEDNESDAY.date()][1].accuracy.mase == pytest.approx(sum(errors) / len(errors))
    assert "momentum" not in reports[2]["accuracy"]


CANNOT_RANK = """
from openbell.strategies import Strategy, Parameters

class CannotRank(Strategy[Parameters]):
    parameters_model = Parameters

    def universe(self, market, size, lookback):
        raise RuntimeError("no such sector")

    def signals(self, context):
        return []
"""


def test_a_strategy_that_cannot_rank_is_named_and_the_others_trade(tmp_path: Path) -> None:
    file = tmp_path / "cannot_rank.py"
    file.write_text(CANNOT_RANK)
    entry = {"uses": f"{file}:CannotRank", "allocation": "0.1", "universe": {"members": "tradable", "size": 4}}
    momentum = only_momentum().strategies["momentum"]
    settings = parse_config({"strategies": {"momentum": momentum.model_dump(), "sectors": entry}}, "test")
    stage = Stage(settings)
    closed = stage.run()
    assert closed.status is RunStatus.COMPLETED
    assert closed.report["failed_strategies"] == {"sectors": "RuntimeError: no such sector"}
    assert len(stage.ledger.orders(closed.run_id)) == 3
