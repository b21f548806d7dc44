"""`openbell reconcile`: what it says of ledger and exchange, and that it leaves both as they are."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from cli.exits import Exit
from cli.views.books import books_tables, read_books
from openbell.codec import from_json
from openbell.model import Halt, Order, OrderStatus, Side
from openbell.runs import RunInputs, inputs_key
from openbell.workflow.open_run import IN_FLIGHT
from paper import OrderType, Ticket
from paper import Side as PaperSide
from tests.builders import AS_OF, D, order
from tests.integration.cli.shown import line_with, printed, trade
from tests.integration.workflow.stage import Stage


def frozen_books(stage: Stage) -> object:
    return (
        stage.ledger.sleeves(),
        stage.ledger.open_orders(),
        stage.ledger.lease(),
        stage.ledger.runs(),
        [(one.id, one.status, one.filled_qty) for one in stage.exchange.orders()],
    )


@pytest.fixture
def untouched(stage: Stage) -> Iterator[Callable[[], None]]:
    """Called when the test has arranged the books: at its end they must be as they were."""
    kept: list[object] = []
    yield lambda: kept.append(frozen_books(stage))
    assert kept == [frozen_books(stage)]


def submitted(stage: Stage, side: Side, symbol: str, qty: str, *, send: bool = True, run_id: str = "dead") -> Order:
    """An order of a run that died right after it had sent it, or right before."""
    lease = stage.ledger.acquire_lease("dead", stage.exchange.now, 1)
    assert lease
    client_order_id = f"{run_id}-{symbol}-{side.value}-x-1"
    planned = order(side, {"momentum": qty}, symbol, client_order_id, run_id=run_id)
    stage.ledger.save_plan(run_id, [planned], [], [], lease)
    sending = replace(planned, status=OrderStatus.SUBMITTING, sending_since=stage.exchange.now)
    saved = stage.ledger.save_order(sending, lease)
    if send:
        stage.broker.submit(saved.request())
    stage.ledger.release_lease(lease)
    return saved


def test_books_that_agree_need_nothing(stage: Stage, untouched: Callable[[], None]) -> None:
    untouched()
    found = read_books(stage.ledger, stage.broker)
    assert found.exit is Exit.OK
    assert (found.orders, found.positions, found.foreign_orders, found.next_run) == ((), (), (), ())
    assert round(found.account_cash - found.sleeve_cash, 2) == 60000  # 0.4 of 100,000 was given to momentum
    assert "The books agree." in printed(found, books_tables)


def test_an_order_that_was_filled_meanwhile_will_be_booked(stage: Stage, untouched: Callable[[], None]) -> None:
    sent = submitted(stage, Side.BUY, "KO", "7")
    stage.exchange.wait(1)
    untouched()
    found = read_books(stage.ledger, stage.broker)
    assert found.exit is Exit.OK
    (differs,) = found.orders
    assert (differs.client_order_id, differs.ledger, differs.broker) == (
        sent.client_order_id,
        "submitting 0",
        "filled 7",
    )
    (shares,) = found.positions
    assert (shares.symbol, shares.ledger, shares.broker, shares.after) == ("KO", 0, 7, 7)
    assert "Then the books agree." in printed(found, books_tables)


def test_the_next_run_does_what_was_told(stage: Stage) -> None:
    filled = submitted(stage, Side.BUY, "KO", "7")
    lost = submitted(stage, Side.BUY, "PEP", "3", send=False, run_id="also-dead")
    stage.exchange.wait(IN_FLIGHT.total_seconds() + 1)
    told = read_books(stage.ledger, stage.broker)
    closed = stage.run("next", "manual")
    did = from_json(RunInputs, stage.archive.get(inputs_key(closed.run_id))).reconciliation
    assert [(fill.client_order_id, fill.qty) for fill in did.booked] == [(filled.client_order_id, 7)]
    assert did.adopted == (lost.client_order_id,)
    assert told.next_run == (
        f"books buy 7 KO for {did.booked[0].value} USD to momentum (entry of {filled.client_order_id})",
        f"gives up {lost.client_order_id}, which was planned and never sent",
    )


def test_an_order_that_was_never_sent_will_be_given_up(stage: Stage, untouched: Callable[[], None]) -> None:
    planned = submitted(stage, Side.BUY, "KO", "7", send=False)
    stage.exchange.wait(IN_FLIGHT.total_seconds() + 1)
    untouched()
    found = read_books(stage.ledger, stage.broker)
    assert found.exit is Exit.OK
    assert found.orders[0].broker == "never booked it"
    assert found.next_run == (f"gives up {planned.client_order_id}, which was planned and never sent",)


def test_shares_sold_by_hand_are_quarantined_by_the_next_run(stage: Stage, untouched: Callable[[], None]) -> None:
    trade(stage, PaperSide.SELL, "RRC", "10")
    untouched()
    found = read_books(stage.ledger, stage.broker)
    assert found.exit is Exit.BOOKS_DISAGREE
    (shares,) = found.positions
    assert (shares.symbol, shares.ledger - shares.broker) == ("RRC", 10)
    (told,) = found.next_run
    assert told.startswith("quarantines RRC, because the strategies own more shares than the broker holds (RRC: ledger")
    assert "books agree" not in printed(found, books_tables)


def test_shares_and_orders_of_nobody_are_left_alone(stage: Stage, untouched: Callable[[], None]) -> None:
    trade(stage, PaperSide.BUY, "KO", "5")
    stage.exchange.submit(
        Ticket("PEP", PaperSide.BUY, D(1), type=OrderType.LIMIT, limit_price=D(1), client_order_id="by-hand")
    )
    untouched()
    found = read_books(stage.ledger, stage.broker)
    assert found.exit is Exit.OK
    assert found.foreign_orders == ("buy 1 PEP (by-hand)",)
    assert found.next_run == ("leaves 5 KO alone: they belong to no strategy",)
    assert line_with(printed(found, books_tables), " KO ", "0", "5")


def test_a_fill_that_cannot_be_booked_is_quarantined_by_the_next_run(
    stage: Stage, untouched: Callable[[], None]
) -> None:
    trade(stage, PaperSide.BUY, "KO", "7")
    submitted(stage, Side.SELL, "KO", "7")  # of which momentum owns none
    stage.exchange.wait(1)
    untouched()
    found = read_books(stage.ledger, stage.broker)
    assert found.exit is Exit.BOOKS_DISAGREE
    told = next(line for line in found.next_run if line.startswith("quarantines KO"))
    assert "sleeve momentum holds 0 KO" in told


def test_a_halt_and_a_run_under_way_are_said(stage: Stage, untouched: Callable[[], None]) -> None:
    stage.ledger.set_halt(Halt("why", "jo", AS_OF))
    stage.ledger.acquire_lease("other", stage.exchange.now, 600)
    untouched()
    text = printed(read_books(stage.ledger, stage.broker), books_tables)
    assert "other is trading now" in text
    assert "halted since 2022-06-15 15:00 New York by jo: why" in text
