"""The outcome in one sentence, the key figures, and the exit code."""

import dataclasses
from decimal import Decimal
from typing import Any

from cli.day import Day, Result
from cli.exits import Exit, worst
from cli.report.summary import headline, key_figures
from cli.workflow import Story
from tests.unit.cli.sample_runs import day, report, result

CLOSED = "market closed, next open Tuesday 2022-06-21 09:30 New York time"
BARE: dict[str, Any] = {"orders": [], "sleeves": {}, "checks": {}, "equity": None, "account": None}


def only(one: Day) -> Result:
    return dataclasses.replace(result(), days=(one,))


def test_a_completed_run_is_told_with_its_orders_and_books() -> None:
    assert headline(result()) == (
        "2 strategies, 8 orders: 6 filled, 1 cancelled, 1 rejected. Ledger and exchange agree to the share."
    )
    assert result().exit is Exit.OK


def test_orders_that_only_protect_are_told_apart_from_those_that_were_wanted() -> None:
    orders = [
        {**order, "protective": number == 0, "status": "WORKING"} for number, order in enumerate(report()["orders"])
    ]
    told = headline(only(day(orders=orders)))
    assert told.startswith("2 strategies, 7 orders: 7 still open; 1 protective order placed.")
    assert {f.label: f.value for f in key_figures(only(day(orders=orders)))}["Orders filled"] == "0 of 7"


def test_a_skipped_run_says_that_nothing_was_traded_and_why() -> None:
    skipped = only(day(status="SKIPPED", note=CLOSED, **BARE))
    assert headline(skipped) == f"Nothing was traded: {CLOSED}."
    assert skipped.exit is Exit.SKIPPED


def test_a_failed_run_names_its_error() -> None:
    failed = only(day(status="FAILED", note="StaleData: 9 of 20 tickers have no price", **BARE))
    assert headline(failed) == "The run failed: StaleData: 9 of 20 tickers have no price. No order was sent."
    assert failed.exit is Exit.FAILED


def test_a_difference_in_the_books_outweighs_a_completed_run() -> None:
    drifted = only(dataclasses.replace(day(), differences=("KO: the ledger has 0, the exchange holds 2",)))
    assert headline(drifted).endswith("Ledger and exchange do NOT agree.")
    assert drifted.exit is Exit.BOOKS_DISAGREE


def test_the_runs_own_check_counts_as_much_as_ours() -> None:
    checks = {"books_agree": False, "differences": [{"symbol": "KO", "ledger": "2", "broker": "0"}]}
    drifted = day(checks=checks)
    assert drifted.books_agree is False
    assert drifted.all_differences == ("KO: the strategies hold 2, the broker has 0",)


def test_several_runs_are_told_with_the_change_of_equity() -> None:
    told = headline(result(5))
    assert told.startswith("5 runs from 15 Jun 2022 to 21 Jun 2022: 12 orders, 10 filled. Equity went from 100,000.00 ")


def test_key_figures_are_computed_from_the_fills() -> None:
    figures = {figure.label: figure for figure in key_figures(result())}
    assert figures["Orders filled"].value == "6 of 8"
    assert figures["Slippage, bps"].value == "+2.0"  # every fill of the sample is 2 bps above its arrival price
    assert figures["Forecasts"].detail == "1 failed and left out"


def test_a_run_without_fills_has_no_slippage() -> None:
    figures = {figure.label: figure for figure in key_figures(only(day(orders=[])))}
    assert figures["Slippage"].detail == "nothing was filled"


def test_equity_falls_back_to_the_last_run_that_told_it() -> None:
    days = (*result(2).days, day(status="SKIPPED", note=CLOSED, **BARE))
    whole = dataclasses.replace(result(), days=days)
    assert whole.equity == result(2).last.report.equity
    assert dataclasses.replace(whole, days=days[2:]).equity == Decimal(100_000)


def test_the_worst_run_decides_the_exit_code() -> None:
    assert worst({Exit.OK, Exit.SKIPPED}) is Exit.SKIPPED
    assert worst({Exit.SKIPPED, Exit.FAILED, Exit.OK}) is Exit.FAILED
    assert worst({Exit.FAILED, Exit.BOOKS_DISAGREE}) is Exit.BOOKS_DISAGREE
    assert worst(set()) is Exit.OK


def test_a_story_without_visits_took_no_time() -> None:
    assert Story().seconds == 0
