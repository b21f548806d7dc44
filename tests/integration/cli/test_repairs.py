"""`openbell reconcile --repair`: what a person agrees to, and that trading goes on after it."""

import pytest

from cli.exits import Exit
from cli.repairs import plan_repairs, repair_all, told_repairs
from cli.views.books import read_books
from openbell.errors import RunInProgress
from openbell.model import OrderStatus, QuarantineKind, RepairedSleeve, RunStatus, Side, Sleeve
from paper import Side as PaperSide
from tests.builders import D, sleeve
from tests.integration.cli.shown import trade
from tests.integration.cli.test_books_view import submitted
from tests.integration.workflow.stage import Stage
from tests.integration.workflow.test_quarantine import quarantined


def repaired(stage: Stage) -> None:
    repair_all(plan_repairs(stage.ledger, stage.broker), "alice", "sold by hand", stage.ledger, stage.broker)


def given(owned: Sleeve) -> D:
    """What a sleeve was opened with, as its own figures say."""
    return owned.cash + sum((held.cost for held in owned.positions.values()), D(0)) - owned.realised_pnl


def test_drift_is_repaired_to_the_brokers_count_and_traded_again(stage: Stage) -> None:
    before = stage.ledger.sleeves()["momentum"]
    had = before.held("RRC")
    trade(stage, PaperSide.SELL, "RRC", "10")
    stage.next_day()
    stage.run("second", "manual")
    assert [found.name for found in stage.ledger.quarantines()] == ["RRC"]
    plans = plan_repairs(stage.ledger, stage.broker)
    text = "\n".join(told_repairs(plans))
    assert f"momentum has {had - 10} RRC from then on, not {had}" in text
    repaired(stage)
    after = stage.ledger.sleeves()["momentum"]
    assert after.held("RRC") == had - 10
    assert given(after) == given(before) == 40000
    assert stage.ledger.quarantines() == []
    (done,) = stage.ledger.repairs()
    assert (done.by, done.reason) == ("alice", "sold by hand")
    assert done.sleeves == (RepairedSleeve("momentum", "RRC", had, had - 10),)
    assert stage.ledger.lease() is None
    assert read_books(stage.ledger, stage.broker).exit is Exit.OK
    stage.next_day()
    assert stage.run("third", "manual").status is RunStatus.COMPLETED
    assert stage.ledger.quarantines() == []


def test_the_loss_is_shared_by_the_sleeves_that_own_the_symbol(stage: Stage) -> None:
    lease = stage.ledger.acquire_lease("opening", stage.exchange.now, 60)
    assert lease
    for name, qty in (("a", "10"), ("b", "5")):
        stage.ledger.open_sleeve(sleeve(name, "0", {"KO": (qty, "600")}), lease)
    stage.ledger.release_lease(lease)
    stage.exchange.by_hand.trade("KO", D(7))
    repaired(stage)
    sleeves = stage.ledger.sleeves()
    assert (sleeves["a"].held("KO"), sleeves["b"].held("KO")) == (5, 2)  # 4.67 and 2.33, in whole shares


def test_what_stops_every_run_is_repaired_too(stage: Stage) -> None:
    for symbol in stage.held():
        trade(stage, PaperSide.SELL, symbol, "1")
    assert read_books(stage.ledger, stage.broker).failure.startswith("BooksDisagree")
    repaired(stage)
    assert stage.owned() == stage.held()
    stage.next_day()
    assert stage.run("second", "manual").status is RunStatus.COMPLETED


def test_an_order_that_cannot_be_booked_takes_the_brokers_figures(stage: Stage) -> None:
    trade(stage, PaperSide.BUY, "KO", "7")
    sent = submitted(stage, Side.SELL, "KO", "7")  # of which momentum owns none
    stage.exchange.wait(1)
    (plan,) = plan_repairs(stage.ledger, stage.broker)
    assert plan.orders == (sent.client_order_id,)
    before = stage.ledger.sleeves()
    repaired(stage)
    assert stage.ledger.sleeves() == before
    order = stage.ledger.order(sent.run_id, sent.client_order_id)
    assert order
    assert (order.status, order.filled_qty) == (OrderStatus.FILLED, 7)
    assert order.note == "repaired by alice, fills not booked: sold by hand"
    assert stage.ledger.open_orders() == []
    assert read_books(stage.ledger, stage.broker).exit is Exit.OK


def test_a_quarantined_sleeve_is_traded_again_as_it_is(stage: Stage) -> None:
    quarantined(stage, "momentum", kind=QuarantineKind.SLEEVE)
    before = stage.ledger.sleeves()
    repaired(stage)
    assert stage.ledger.quarantines() == []
    assert stage.ledger.sleeves() == before


def test_nothing_is_repaired_while_a_run_trades(stage: Stage) -> None:
    trade(stage, PaperSide.SELL, "RRC", "10")
    plans = plan_repairs(stage.ledger, stage.broker)
    lease = stage.ledger.acquire_lease("a run", stage.exchange.now, 600)
    with pytest.raises(RunInProgress, match="a run is trading now"):
        repair_all(plans, "alice", "why", stage.ledger, stage.broker)
    assert stage.ledger.lease() == lease


def test_books_that_agree_need_no_repair(stage: Stage) -> None:
    assert list(told_repairs(plan_repairs(stage.ledger, stage.broker))) == ["Nothing needs a repair."]
