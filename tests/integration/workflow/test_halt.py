"""Standing still: by a person, or by runs that fail one after the other; and selling everything first."""

from dataclasses import replace

import pytest

from openbell.errors import Halted, NoStrategyDue, StaleData
from openbell.execution.halting import failed_in_a_row
from openbell.model import Halt, OrderStatus, Run, RunStatus, Side
from paper import Side as PaperSide
from paper import Ticket
from tests.builders import D
from tests.integration.workflow.stage import WEDNESDAY, Stage, config, history
from tests.integration.workflow.test_run import market_of


def test_a_halted_run_still_settles_and_reports() -> None:
    stage = Stage(config())
    stage.run("first")
    stage.exchange.close_session()  # protective orders may fire on the way to the next day
    stage.next_day()
    stage.ledger.set_halt(Halt("a look at it", "alice", WEDNESDAY))
    with pytest.raises(Halted):
        stage.run("second")
    run = stage.ledger.run_of("second")
    assert run
    assert run.status is RunStatus.SKIPPED
    report = stage.archive.get(f"runs/{run.run_id}/report.json").decode()
    assert "alice: a look at it" in report
    assert stage.owned() == stage.held()


def test_runs_that_fail_one_after_the_other_halt_the_platform() -> None:
    closes = market_of(8)
    closes.loc["2022-06-08":"2022-06-24", ["S1", "S4", "S7"]] = float("nan")
    stage = Stage(market=history(closes))
    for day in range(3):
        assert stage.ledger.halt() is None
        with pytest.raises(StaleData):
            stage.run(f"day-{day}")
        stage.next_day()
    halt = stage.ledger.halt()
    assert halt
    assert halt.by == "the limit of 3 failed runs"
    assert "3 runs in a row have failed" in halt.reason
    assert [subject for subject, _ in stage.alerts.sent] == ["Openbell: trading halted"]


def test_skipped_ticks_between_failed_runs_do_not_hide_them() -> None:
    closes = market_of(8)
    closes.loc["2022-06-08":"2022-06-24", ["S1", "S4", "S7"]] = float("nan")
    stage = Stage(market=history(closes))
    for day in range(3):
        for tick in range(30):  # of a session, and some more
            with pytest.raises(NoStrategyDue):
                stage.run(f"tick-{day}-{tick}", "tick", f"{stage.exchange.now:%Y-%m-%dT15:{tick % 14 + 1:02}:00-04:00}")
        with pytest.raises(StaleData):
            stage.run(f"day-{day}")
        stage.next_day()
    assert stage.ledger.halt()


def test_a_completed_run_in_between_starts_the_count_anew() -> None:
    failed, completed, skipped = RunStatus.FAILED, RunStatus.COMPLETED, RunStatus.SKIPPED
    run = Run("id", "execution", WEDNESDAY, failed, "daily", ())

    def count(*newest_first: RunStatus) -> int:
        return failed_in_a_row(replace(run, status=status) for status in newest_first)

    assert count(failed, failed, completed, failed) == 2
    assert count(completed, failed, failed) == 0
    assert count(failed, skipped, failed) == 2
    assert count() == 0


def test_flatten_sells_all_that_the_sleeves_hold_and_nothing_else() -> None:
    stage = Stage(config())
    stage.run("first")
    assert stage.held()
    stage.next_day()
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    closed = stage.run("second", schedule="quarter_hour")
    assert closed.status is RunStatus.COMPLETED
    orders = stage.ledger.orders(closed.run_id)
    assert {order.side for order in orders} == {Side.SELL}
    assert {order.status for order in orders} <= {OrderStatus.FILLED, OrderStatus.DROPPED, OrderStatus.CANCELED}
    assert all("flatten: leaving" in order.reason for order in orders)
    assert stage.held() == stage.owned() == {}
    assert stage.ledger.open_orders() == []
    stage.next_day()
    with pytest.raises(Halted):  # it stays halted
        stage.run("third")


def test_flatten_leaves_alone_what_belongs_to_no_strategy() -> None:
    stage = Stage()
    stage.exchange.submit(Ticket("KO", PaperSide.BUY, D(7)))
    stage.run("first")
    stage.next_day()
    stage.ledger.set_halt(Halt("leaving", "alice", WEDNESDAY, flatten=True))
    stage.run("second")
    assert stage.held() == {"KO": D(7)}
