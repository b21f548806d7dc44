"""The promise of the front page: the workflow on Step Functions and the backtest decide, order and fill the same."""

from datetime import date, time
from pathlib import Path

from cli.run_report import RunReport
from lab.backtest import backtest
from lab.forecasts import ForecastStore
from lab.outcome import BacktestSettings
from lab.quick_run import Ran
from openbell.codec import to_plain
from openbell.config import PlatformConfig, parse_config
from openbell.model import Order, RunStatus
from tests.builders import D
from tests.e2e.stages import playing
from tests.integration.workflow.stage import sample

FIRST, LAST = date(2022, 5, 20), date(2022, 6, 17)  # 20 sessions, around a holiday, with stops that fire


def three_strategies() -> PlatformConfig:
    small = {"members": "tradable", "size": 4, "lookback": 60}
    return parse_config(
        {
            "strategies": {
                "momentum": {"allocation": "0.3", "universe": small | {"lookback": 252}, "parameters": {"hold": 3}},
                "sma_cross": {"allocation": "0.3", "universe": small, "parameters": {"fast": 5, "slow": 20}},
                "prophet_trend": {"allocation": "0.4", "universe": small, "parameters": {"skill_gate": False}},
            }
        },
        "test",
    )


def in_the_cloud(work: Path) -> dict[date, RunReport]:
    """Every session as an execution of the state machine, with real Lambda processes, HTTP and DynamoDB."""
    reports = {}
    start = sample().calendar.between(FIRST, FIRST)[0].open.replace(hour=15, minute=0)
    with playing(work, three_strategies(), at=start) as platform:
        for session in sample().calendar.between(FIRST, LAST):
            if session.day != FIRST:
                platform.stage.exchange.close_session()
                platform.stage.exchange.open_next_session(time(15))
            report, _ = platform.run(f"backtest-{session.day}")
            assert report.status is RunStatus.COMPLETED, report.note
            reports[session.day] = report
    return reports


def fills(order: Order) -> tuple[object, ...]:
    if order.protective:  # a report tells how it stood at the end of its run: what became of it is told by later runs
        return (order.client_order_id, order.qty)
    price = order.filled_avg_price
    return (order.client_order_id, order.qty, order.status.value, None if price is None else D(f"{price:.4f}"))


def test_twenty_sessions_of_three_strategies_are_identical(tmp_path: Path) -> None:
    reports = in_the_cloud(tmp_path)
    assert len(reports) == 20
    ran: dict[date, Ran] = {}
    settings = BacktestSettings(FIRST, LAST)
    result = backtest(
        sample(),
        three_strategies(),
        settings,
        ForecastStore(None),
        on_run=lambda run: ran.update({run.inputs.clock.session: run}),
        skip_silent=False,
    )
    played: dict[date, set[tuple[object, ...]]] = {}
    for found in result.orders:
        played.setdefault(found.day, set()).add(fills(found.order))
    for day, report in reports.items():
        decisions, account = ran[day].decisions, ran[day].inputs.account
        assert report.account
        assert (report.account.equity, report.account.cash) == (account.equity, account.cash), day
        assert {name: list(symbols) for name, symbols in report.universe.items()} == {
            name: list(symbols) for name, symbols in decisions.universe.items()
        }, day
        told = {name: [signal.model_dump() for signal in signals] for name, signals in report.signals.items()}
        assert told == {name: to_plain(list(signals)) for name, signals in decisions.signals.items()}, day
        assert [cut.model_dump(mode="json") for cut in report.cuts] == to_plain(list(decisions.plan.cuts)), day
        assert [cross.model_dump(mode="json") for cross in report.crosses] == to_plain(list(decisions.plan.crosses)), (
            day
        )
        ordered: set[tuple[object, ...]] = {
            (o.client_order_id, o.qty) if o.protective else (o.client_order_id, o.qty, o.status, o.filled_avg_price)
            for o in report.orders
        }
        assert ordered == played.get(day, set()), day
    assert sum(len(report.orders) for report in reports.values()) > 15
