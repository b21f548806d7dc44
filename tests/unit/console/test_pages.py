"""What the pages say of a run, of what is held, and of trouble."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from openbell.model import RunStatus
from openbell.runs import report_key
from paper import Side as PaperSide
from paper import Ticket
from tests.builders import AS_OF, D, order
from tests.unit.console.desk import Desk, Visitor


def newest(desk: Desk) -> str:
    return desk.ledger.runs(1)[0].run_id


def event(number: int, kind: str, seconds: float, **details: Any) -> Mapping[str, Any]:
    return {"id": number, "type": kind, "timestamp": AS_OF + timedelta(seconds=seconds), **details}


def words(page: str) -> str:
    """The text of the page, as it is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


class TestOverview:
    def test_it_says_how_it_stands(self, desk: Desk, visitor: Visitor) -> None:
        page = words(visitor.text("/"))
        account = desk.stage.exchange.account()
        assert "Trading is on; the last run completed." in page
        assert f"Equity, USD {account.equity:,.2f}" in page
        assert "Market open" in page
        assert newest(desk) in page

    def test_before_the_first_run(self, empty_desk: Desk) -> None:
        page = words(Visitor(empty_desk).text("/"))
        assert "Trading is on; no run yet." in page
        assert "Equity, USD 100,000.00" in page

    def test_a_broker_that_does_not_answer_is_unknown_not_empty(self, desk: Desk) -> None:
        desk.broker_answers = False
        page = words(Visitor(desk).text("/"))
        assert "The broker does not answer" in page
        assert "Alpaca did not answer the account: timed out" in page
        assert "Equity, USD \N{EN DASH} not known" in page

    def test_equity_is_drawn_from_the_second_run_on(self, desk: Desk, visitor: Visitor) -> None:
        assert "Change of equity since the start" not in visitor.text("/")
        desk.stage.next_day()
        desk.stage.run("second")
        assert "Change of equity since the start: Account" in visitor.text("/")

    def test_real_money_is_told(self, desk: Desk) -> None:
        desk.mode = "live"
        page = Visitor(desk).text("/")
        assert "live: real money" in page
        assert "Paper money." not in page


class TestRuns:
    def test_runs_that_found_nothing_to_do_are_left_out_until_asked_for(self, desk: Desk, visitor: Visitor) -> None:
        run = desk.ledger.runs(1)[0]
        skipped = replace(
            run, run_id="20220615-1530-skip", execution="other", as_of=run.as_of + timedelta(minutes=30),
            status=RunStatus.SKIPPED, note="no strategy is due",
        )  # fmt: skip
        desk.ledger.start_run(skipped, None)
        assert "20220615-1530-skip" not in visitor.text("/runs")
        assert "20220615-1530-skip" in visitor.text("/runs?skipped=1")
        assert "2022-06-15 15:00; since then there was nothing to do" in words(visitor.text("/"))

    @pytest.mark.parametrize("query", ["limit=0", "limit=-5", "limit=99999", "limit=many"])
    def test_a_strange_limit_is_none(self, desk: Desk, visitor: Visitor, query: str) -> None:
        assert newest(desk) in visitor.text(f"/runs?{query}")


class TestRun:
    def test_a_run_is_shown_in_full(self, desk: Desk, visitor: Visitor) -> None:
        page = words(visitor.text(f"/runs/{newest(desk)}"))
        for heading in (
            "Workflow",
            "Plan and fills",
            "Strategies and their positions",
            "Signals",
            "Books",
            "Orders now",
        ):
            assert heading in page
        for order_ in desk.ledger.orders(newest(desk)):
            assert order_.client_order_id in page
            assert order_.reason in page
        assert "the strategies' shares and those of no strategy sum to what the exchange holds" in page

    def test_the_workflow_is_coloured_by_the_execution(self, desk: Desk, visitor: Visitor) -> None:
        desk.histories["first"] = [
            event(1, "TaskStateEntered", 0, stateEnteredEventDetails={"name": "OpenRun"}),
            event(2, "TaskStateExited", 2.5, stateExitedEventDetails={"name": "OpenRun"}),
            event(3, "ChoiceStateEntered", 2.5, stateEnteredEventDetails={"name": "RunOpened"}),
            event(4, "TaskStateEntered", 2.5, stateEnteredEventDetails={"name": "SelectUniverse"}),
            event(5, "TaskFailed", 3, taskFailedEventDetails={"error": "StaleData", "cause": "no bars <today>"}),
            event(6, "TaskStateExited", 3.5, stateExitedEventDetails={"name": "SelectUniverse"}),
            event(7, "TaskStateEntered", 3.5, stateEnteredEventDetails={"name": "NotifyFailure"}),
        ]
        page = visitor.text(f"/runs/{newest(desk)}")
        assert "<title>OpenRun: done, 2.50 s</title>" in page
        assert "<title>SelectUniverse: failed, 1.00 s</title>" in page
        assert "<title>NotifyFailure: running, 0.00 s</title>" in page
        assert "<title>CloseRun: ahead, not visited</title>" in page
        assert "StaleData: no bars &lt;today&gt;" in page

    def test_an_execution_that_is_forgotten_is_told(self, desk: Desk, visitor: Visitor) -> None:
        assert "it forgets them after 90 days" in visitor.text(f"/runs/{newest(desk)}")

    def test_a_run_under_way_shows_what_there_is_and_may_be_followed(self, desk: Desk, visitor: Visitor) -> None:
        run = replace(desk.ledger.runs(1)[0], run_id="20220616-1500-live", execution="live", status=RunStatus.RUNNING)
        desk.ledger.start_run(run, None)
        page = visitor.text("/runs/20220616-1500-live")
        assert "None planned yet." in page
        assert 'http-equiv="refresh"' not in page
        assert 'http-equiv="refresh" content="3"' in visitor.text("/runs/20220616-1500-live?watch=1")

    def test_a_run_that_has_ended_is_not_followed(self, desk: Desk, visitor: Visitor) -> None:
        assert 'http-equiv="refresh"' not in visitor.text(f"/runs/{newest(desk)}?watch=1")

    def test_a_run_without_a_report_shows_what_the_ledger_knows(self, desk: Desk, visitor: Visitor) -> None:
        run = desk.ledger.runs(1)[0]
        failed = replace(run, run_id="20220616-1500-dead", execution="dead", status=RunStatus.FAILED, note="it broke")
        desk.ledger.start_run(failed, None)
        with pytest.raises(KeyError):
            desk.archive.get(report_key(failed.run_id))
        assert "it broke" in visitor.text("/runs/20220616-1500-dead")

    @pytest.mark.parametrize("run_id", ["none", "%3Cscript%3E", "..", "20220615-1500-0000"])
    def test_a_run_that_does_not_exist_is_not_found(self, visitor: Visitor, run_id: str) -> None:
        answer = visitor.get(f"/runs/{run_id}")
        assert answer.status_code == 404
        assert "<script>" not in answer.text


class TestPositions:
    def test_every_strategy_and_what_nobody_owns(self, desk: Desk, visitor: Visitor) -> None:
        desk.stage.exchange.submit(Ticket("KO", PaperSide.BUY, D("7")))
        desk.stage.exchange.wait(1)
        page = words(visitor.text("/positions"))
        for symbol, position in desk.ledger.sleeves()["momentum"].positions.items():
            assert f"{symbol} {position.qty} " in page
        unmanaged = page.partition("Unmanaged")[2]
        assert "owned by no strategy, never traded" in unmanaged
        assert "KO 7 " in unmanaged

    def test_drift_is_an_alarm(self, desk: Desk, visitor: Visitor) -> None:
        symbol = next(iter(desk.ledger.sleeves()["momentum"].positions))
        desk.stage.exchange.submit(Ticket(symbol, PaperSide.SELL, D(1)))
        desk.stage.exchange.wait(1)
        assert "Drift: the strategies own more than the broker holds" in visitor.text("/positions")

    def test_without_the_broker_nothing_is_said_of_the_rest(self, desk: Desk) -> None:
        desk.broker_answers = False
        page = words(Visitor(desk).text("/positions"))
        assert "Not known while the broker does not answer." in page


def test_an_order_that_is_open_stands_on_the_overview(desk: Desk, visitor: Visitor) -> None:
    lease = desk.ledger.acquire_lease("someone", desk.stage.exchange.now, 60)
    assert lease
    planned = order(symbol="KO", run_id=newest(desk))
    desk.ledger.add_order(planned, lease)
    assert planned.client_order_id in visitor.text("/").partition("Open orders</h2>")[2]


def test_a_page_that_does_not_exist_says_so(visitor: Visitor) -> None:
    answer = visitor.get("/none")
    assert answer.status_code == 404
    assert "<h1>Not Found</h1>" in answer.text


def test_a_stack_without_a_dashboard_says_so(visitor: Visitor) -> None:
    answer = visitor.get("/dashboard")
    assert answer.status_code == 404
    assert "The stack has no dashboard" in answer.text
