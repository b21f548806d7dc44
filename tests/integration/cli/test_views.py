"""What the commands show of a platform, on runs in this process; the exchange's own books are the measure."""

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from cli.exits import Exit
from cli.views.broker_side import BrokerSide, look_at_broker
from cli.views.orders import orders_tables, read_orders
from cli.views.positions import positions_tables, read_positions
from cli.views.run_shown import print_run, read_run
from cli.views.runs import read_runs, runs_tables
from cli.views.status import read_status, status_tables
from openbell.codec import to_plain
from openbell.errors import BrokerUnavailable, InvalidInput, MarketClosed
from openbell.model import Halt, Run, RunStatus
from openbell.ports import Broker
from openbell.runs import report_key
from paper import Side as PaperSide
from tests.builders import AS_OF, D
from tests.integration.cli.shown import line_with, printed, trade
from tests.integration.workflow.stage import Stage


def silent() -> Broker:
    raise BrokerUnavailable("Alpaca did not answer the account: timed out")


def side_of(stage: Stage) -> BrokerSide:
    return look_at_broker(lambda: stage.broker)


class TestStatus:
    def test_trading_is_on_and_the_newest_run_is_told(self, stage: Stage) -> None:
        status = read_status(stage.ledger, side_of(stage), lambda _: "")
        text = printed(status, status_tables)
        assert status.exit is Exit.OK
        assert "Trading   on\n" in text
        assert "Lease     free: no run is under way\n" in text
        assert "completed" in line_with(text, "20220615-1500-", "daily")
        account = stage.exchange.account()
        assert f"equity {account.equity:,.2f} USD" in text
        (sleeve,) = status.sleeves
        assert sleeve.equity == sleeve.cash + sum(p.qty * (p.price or 0) for p in stage.exchange.positions())
        assert line_with(text, "momentum", "3 symbols")

    def test_a_halt_says_who_and_why_and_sets_the_exit_code(self, stage: Stage) -> None:
        stage.ledger.set_halt(Halt("[prices] look wrong", "jo", AS_OF, flatten=True))
        status = read_status(stage.ledger, side_of(stage), lambda _: "")
        assert status.exit is Exit.SKIPPED
        told = (
            "halted since 2022-06-15 15:00 New York by jo: [prices] look wrong; the next run sells what the strategies"
        )
        assert told in printed(status, status_tables)

    def test_the_leases_holder_is_told_with_its_execution(self, stage: Stage) -> None:
        stage.ledger.acquire_lease("the-execution", stage.exchange.now, 600)
        status = read_status(stage.ledger, side_of(stage), {"the-execution": "TIMED_OUT"}.__getitem__)
        held = line_with(printed(status, status_tables), "Lease", "held by the-execution, until 2022-06-15")
        assert held.endswith("fencing number 2; its execution is TIMED_OUT")
        stage.exchange.wait(600)
        later = read_status(stage.ledger, side_of(stage), lambda _: "")
        assert "expired 2022-06-15" in printed(later, status_tables)

    def test_without_a_broker_the_ledger_is_told_all_the_same(self, stage: Stage) -> None:
        status = read_status(stage.ledger, look_at_broker(silent), lambda _: "")
        text = printed(status, status_tables)
        assert status.exit is Exit.FAILED
        assert "Broker    no answer: BrokerUnavailable: Alpaca did not answer the account: timed out" in text
        assert "Sleeves, USD at cost, because the broker does not answer" in text
        assert status.account is None

    def test_a_failed_run_is_worse_than_a_halt(self, stage: Stage) -> None:
        stage.exchange.wait(60)
        failed = Run("r", "e", stage.exchange.now, RunStatus.FAILED, "daily", (), note="StaleData: prices are missing")
        stage.ledger.start_run(failed, None)
        stage.ledger.set_halt(Halt("why", "jo", AS_OF))
        status = read_status(stage.ledger, side_of(stage), lambda _: "")
        assert status.exit is Exit.FAILED
        assert "StaleData: prices are missing" in printed(status, status_tables)

    def test_a_failed_run_is_told_although_later_ones_were_skipped(self, stage: Stage) -> None:
        for number in range(7):
            ended = RunStatus.SKIPPED if number else RunStatus.FAILED
            stage.exchange.wait(60)
            stage.ledger.start_run(Run(f"r-{number}", f"e-{number}", stage.exchange.now, ended, "daily", ()), None)
        status = read_status(stage.ledger, side_of(stage), lambda _: "")
        assert [run.run_id for run in status.runs] == ["r-6", "r-5", "r-4", "r-3", "r-2", "r-0"]
        assert status.exit is Exit.FAILED

    def test_money_and_times_are_text_in_json(self, stage: Stage) -> None:
        plain = json.loads(json.dumps(to_plain(read_status(stage.ledger, side_of(stage), lambda _: ""))))
        assert plain["account"]["equity"] == str(stage.exchange.account().equity)
        assert plain["runs"][0]["as_of"] == "2022-06-15T15:00:00-04:00"
        assert plain["halt"] is None


class TestPositions:
    def test_each_strategys_shares_are_valued_at_the_brokers_price(self, stage: Stage) -> None:
        found = read_positions(stage.ledger, side_of(stage))
        assert found.exit is Exit.OK
        assert {holding.symbol: holding.qty for holding in found.holdings} == stage.held()
        assert found.unmanaged == ()
        by_symbol = {position.symbol: position for position in stage.exchange.positions()}
        for holding in found.holdings:
            assert holding.price == by_symbol[holding.symbol].price
            assert holding.value == round(holding.qty * (holding.price or D(0)), 2)

    def test_what_nobody_owns_is_unmanaged(self, stage: Stage) -> None:
        trade(stage, PaperSide.BUY, "KO", "5")
        trade(stage, PaperSide.BUY, "RRC", "2")
        found = read_positions(stage.ledger, side_of(stage))
        assert found.exit is Exit.OK
        assert [(one.symbol, one.qty) for one in found.unmanaged or ()] == [("KO", 5), ("RRC", 2)]
        assert "Unmanaged: of no strategy, never traded" in printed(found, positions_tables)

    def test_what_was_sold_by_hand_is_drift(self, stage: Stage) -> None:
        trade(stage, PaperSide.SELL, "RRC", "10")
        found = read_positions(stage.ledger, side_of(stage))
        assert found.exit is Exit.BOOKS_DISAGREE
        ours, theirs = stage.owned()["RRC"], stage.held()["RRC"]
        assert ours - theirs == 10
        text = printed(found, positions_tables)
        assert "Drift" in text
        assert line_with(text, " RRC ", str(ours), str(theirs))

    def test_an_unknown_account_is_not_an_empty_one(self, stage: Stage) -> None:
        found = read_positions(stage.ledger, look_at_broker(silent))
        assert found.exit is Exit.FAILED
        assert found.unmanaged is None
        assert found.drift is None
        assert len(found.holdings) == 3
        assert "What the broker holds is not known." in printed(found, positions_tables)

    def test_nothing_held_is_said(self) -> None:
        stage = Stage()
        assert (
            printed(read_positions(stage.ledger, side_of(stage)), positions_tables) == "No strategy holds anything.\n"
        )


class TestOrders:
    def test_the_orders_of_a_run_are_told_with_fill_and_reason(self, stage: Stage) -> None:
        (run,) = stage.ledger.runs()
        found = read_orders(stage.ledger, run.run_id, only_open=False)
        assert [one.symbol for one in found.orders] == ["CVX", "RRC", "XOM"]
        text = printed(found, orders_tables)
        assert f"Orders of run {run.run_id}" in text
        row = line_with(text, f"{run.run_id}-RRC-buy-x-1")
        assert "filled" in row
        assert "12-1 return +74.2%" in row

    def test_open_orders_are_those_that_can_still_change(self, stage: Stage) -> None:
        assert read_orders(stage.ledger, "", only_open=True).orders == ()
        (run,) = stage.ledger.runs()
        none = read_orders(stage.ledger, run.run_id, only_open=True)
        assert printed(none, orders_tables) == f"No open orders of run {run.run_id}.\n"

    def test_without_a_choice_the_newest_run_comes_first(self, stage: Stage) -> None:
        stage.next_day()
        stage.run("second")
        found = read_orders(stage.ledger, "", only_open=False)
        assert found.of == "orders of the newest 2 runs"
        assert [one.run_id for one in found.orders] == sorted((one.run_id for one in found.orders), reverse=True)

    def test_an_unknown_run_is_told_with_an_example(self, stage: Stage) -> None:
        (run,) = stage.ledger.runs()
        with pytest.raises(InvalidInput, match=f"there is no run 'nope'.*the newest is {run.run_id}"):
            read_orders(stage.ledger, "nope", only_open=False)


class TestRuns:
    def test_the_newest_run_comes_first(self, stage: Stage) -> None:
        stage.exchange.close_session()
        with pytest.raises(MarketClosed):
            stage.run("too late")
        found = read_runs(stage.ledger, 10)
        assert [run.status for run in found.runs] == [RunStatus.SKIPPED, RunStatus.COMPLETED]
        assert "market closed, next open Thursday 2022-06-16" in printed(found, runs_tables)
        assert len(read_runs(stage.ledger, 1).runs) == 1

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    def test_a_limit_that_makes_no_sense_is_refused(self, stage: Stage, limit: int) -> None:
        with pytest.raises(InvalidInput, match=f"--limit {limit}: expected a number of runs from 1 to 1000"):
            read_runs(stage.ledger, limit)

    def test_no_run_is_said(self) -> None:
        assert printed(read_runs(Stage().ledger, 5), runs_tables) == "No run yet.\n"


class TestRunShown:
    def test_a_run_that_is_under_way_is_shown_as_far_as_it_got(self, stage: Stage) -> None:
        (run,) = stage.ledger.runs()
        stage.ledger.finish_run(replace(run, status=RunStatus.RUNNING))
        stage.archive.put(report_key(run.run_id), b"{}")  # of an earlier attempt to close it
        text = shown(stage, run.run_id)
        assert "running" in line_with(text, run.run_id, "daily")
        assert line_with(text, f"{run.run_id}-RRC-buy-x-1", "filled")

    def test_a_skipped_run_without_a_report_says_why(self) -> None:
        stage = Stage()
        stage.exchange.close_session()
        with pytest.raises(MarketClosed):
            stage.run()
        (run,) = stage.ledger.runs()
        assert read_run(stage.ledger, stage.archive, run.run_id).report is None
        assert "Skipped: market closed, next open Thursday 2022-06-16 09:30 New York time" in shown(stage, run.run_id)

    def test_a_completed_run_is_shown_even_if_its_history_is_forgotten(self, stage: Stage) -> None:
        (run,) = stage.ledger.runs()
        text = shown(stage, run.run_id)
        assert line_with(text, "buy", "RRC", "12-1 return +74.2%, number 1 of 20", "filled")
        assert "Workflow" not in text


def shown(stage: Stage, run_id: str) -> str:
    """As `openbell run show`, of an execution that Step Functions has forgotten."""
    told = StringIO()
    print_run(Console(file=told, width=200), read_run(stage.ledger, stage.archive, run_id), lambda _: [])
    return told.getvalue()
