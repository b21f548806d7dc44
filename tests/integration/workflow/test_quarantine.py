"""Broken books: what is concerned is set apart and told of, the rest trades, and every run ends."""

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import pytest

from lab.exchange import ExchangeBroker
from openbell.adapters.memory.executions import MemoryExecutions
from openbell.errors import BooksDisagree, BrokerUnavailable
from openbell.execution.settling import settle
from openbell.model import (
    BrokerOrder,
    BrokerPosition,
    Halt,
    OrderStatus,
    Quarantine,
    QuarantineKind,
    RunStatus,
    Side,
    UnsentAlert,
)
from openbell.workflow.close_run import close_run
from openbell.workflow.open_run import RunRequest, open_run
from paper import Side as PaperSide
from paper import Ticket
from tests.builders import D, order
from tests.integration.workflow.stage import WEDNESDAY, Stage
from tests.integration.workflow.test_orders import RUN, buy, planned, send


def with_a_share_sold_by_hand() -> tuple[Stage, str]:
    """After a first run; and the symbol of which a person sold one share."""
    stage = Stage()
    stage.run("first")
    symbol = min(stage.held())
    stage.exchange.submit(Ticket(symbol, PaperSide.SELL, D(1)))
    stage.next_day()
    return stage, symbol


def subjects(stage: Stage) -> list[str]:
    return [subject for subject, _ in stage.alerts.sent]


def test_drift_in_one_symbol_sets_that_symbol_apart_and_the_rest_trades() -> None:
    stage, symbol = with_a_share_sold_by_hand()
    closed = stage.run("second", "manual")
    assert closed.status is RunStatus.COMPLETED
    (found,) = stage.ledger.quarantines()
    assert (found.kind, found.name) == (QuarantineKind.SYMBOL, symbol)
    assert f"{symbol}: ledger" in found.evidence
    assert closed.report["checks"]["books_agree"] is False
    assert [each["name"] for each in closed.report["checks"]["quarantines"]] == [symbol]
    assert subjects(stage) == [f"Openbell: {symbol} is quarantined"]
    stage.next_day()
    assert stage.run("third", "manual").status is RunStatus.COMPLETED
    assert subjects(stage) == [f"Openbell: {symbol} is quarantined"]  # told once
    assert stage.ledger.lease() is None


def test_a_quarantined_symbol_is_neither_bought_nor_sold() -> None:
    stage = Stage()
    quarantined(stage, "AAPL", "KO")
    lease = planned(stage, [buy(), order(Side.BUY, {"momentum": "1"}, "PEP", "o-3")])
    dropped = send(stage, lease)
    assert dropped.status is OrderStatus.DROPPED
    assert "KO is quarantined" in dropped.note
    assert send(stage, lease, "o-3").status is OrderStatus.WORKING


def quarantined(stage: Stage, *symbols: str, kind: QuarantineKind = QuarantineKind.SYMBOL) -> None:
    lease = stage.ledger.acquire_lease("before", stage.exchange.now, 60)
    assert lease
    for symbol in symbols:
        found = Quarantine(kind, symbol, "a test", "10 and 4", stage.exchange.now)
        stage.ledger.quarantine(found, UnsentAlert(symbol, ""), lease)
    stage.ledger.release_lease(lease)


def test_what_was_to_be_bought_of_a_quarantined_symbol_is_cut() -> None:
    wanted = Stage().run().report["targets"][0]["symbol"]
    stage = Stage()
    quarantined(stage, wanted)
    closed = stage.run()
    assert [(cut["symbol"], cut["rule"]) for cut in closed.report["cuts"]] == [(wanted, "quarantined")]
    assert wanted not in stage.held()
    assert stage.held()


def test_the_strategy_of_a_quarantined_sleeve_decides_nothing() -> None:
    stage = Stage()
    quarantined(stage, "momentum", kind=QuarantineKind.SLEEVE)
    closed = stage.run()
    assert closed.status is RunStatus.COMPLETED
    assert "momentum is quarantined" in closed.report["failed_strategies"]["momentum"]
    assert closed.report["orders"] == []


def test_flatten_sells_all_but_what_is_quarantined_and_names_it() -> None:
    stage, symbol = with_a_share_sold_by_hand()
    stage.ledger.set_halt(Halt("leaving", "alice", stage.exchange.now, flatten=True))
    stage.run("second", "manual")
    assert stage.held().keys() == {symbol}
    assert stage.owned().keys() == {symbol}


def test_a_ledger_that_agrees_with_the_broker_in_nothing_stops_the_run() -> None:
    stage = Stage()
    stage.run("first")
    for symbol in stage.held():
        stage.exchange.submit(Ticket(symbol, PaperSide.SELL, D(1)))
    for execution in ("second", "third"):
        stage.next_day()
        with pytest.raises(BooksDisagree, match="not one holding is at the broker"):
            stage.run(execution)
        run = stage.ledger.run_of(execution)
        assert run
        assert run.status is RunStatus.FAILED
        assert stage.ledger.lease() is None


class _Says(ExchangeBroker):
    """Tells of orders what `says` makes of them."""

    says: Callable[[BrokerOrder], BrokerOrder] = staticmethod(lambda found: found)

    def find_order(self, client_order_id: str) -> BrokerOrder | None:
        found = super().find_order(client_order_id)
        return self.says(found) if found else None


@pytest.mark.parametrize(
    ("says", "evidence"),
    [
        (lambda found: replace(found, filled_qty=D(11)), "11 shares filled of 10"),
        (lambda found: replace(found, filled_qty=D(1)), "a filled quantity never falls"),
        (lambda found: replace(found, filled_avg_price=D("NaN")), ""),
    ],
)
def test_fills_that_cannot_be_booked_set_their_symbol_apart(
    says: Callable[[BrokerOrder], BrokerOrder], evidence: str
) -> None:
    stage = Stage(broker=_Says)
    lease = planned(stage, [buy()])
    send(stage, lease)
    stage.exchange.wait(1)
    part = replace(stage.broker.find_order("o-1"), filled_qty=D(4), status=OrderStatus.WORKING)  # type: ignore[type-var]
    stage.broker.says = lambda _: part  # type: ignore[attr-defined]
    booked, _ = settle(stage.ledger.orders(RUN)[0], stage.broker, stage.ledger, lease)
    assert booked.filled_qty == 4
    stage.broker.says = lambda _: says(part)  # type: ignore[attr-defined,arg-type]
    unchanged, fills = settle(booked, stage.broker, stage.ledger, lease)
    assert (unchanged, fills) == (booked, ())
    (found,) = stage.ledger.quarantines()
    assert (found.name, found.since) == ("KO", stage.exchange.now)
    assert evidence in found.evidence


def test_a_run_whose_order_cannot_be_booked_ends_and_gives_the_lease_back() -> None:
    stage = Stage()
    lease = planned(stage, [order(Side.SELL, {"momentum": "10"}, "KO", "o-1")])
    stage.exchange.by_hand.trade("KO", D(10))
    sending = replace(stage.ledger.orders(RUN)[0], status=OrderStatus.SUBMITTING, sending_since=WEDNESDAY)
    stage.broker.submit(stage.ledger.save_order(sending, lease).request())  # of which momentum holds none
    stage.ledger.release_lease(lease)
    stage.exchange.wait(1)
    closed = stage.run("second", "manual")
    assert closed.status is RunStatus.COMPLETED
    assert "Openbell: KO is quarantined" in subjects(stage)
    assert stage.ledger.lease() is None


class _Gone(ExchangeBroker):
    """Answers nothing about positions."""

    def positions(self) -> dict[str, BrokerPosition]:
        raise BrokerUnavailable("no answer")


def test_a_failed_run_ends_with_a_report_although_the_broker_is_silent() -> None:
    stage = Stage()
    open_run(RunRequest("first"), stage.config, stage.desk, MemoryExecutions())
    silent = replace(stage.desk, broker=_Gone(stage.exchange))
    with pytest.raises(BrokerUnavailable):
        close_run("first", RunStatus.COMPLETED, "", silent, 3)  # may be tried again
    closed = close_run("first", RunStatus.FAILED, "it broke", silent, 1)
    assert closed.status is RunStatus.FAILED
    assert closed.report["note"] == "it broke; its last look at the books failed too: BrokerUnavailable: no answer"
    assert stage.ledger.lease() is None
    assert stage.ledger.halt()


class _Down:
    """A channel that takes nothing."""

    def alert(self, subject: str, message: str) -> NoReturn:
        raise ConnectionError("no answer")


def test_an_alert_that_cannot_be_sent_is_kept_told_in_the_report_and_sent_later() -> None:
    stage = Stage()
    stage.run("first")
    stage.next_day()
    stage.exchange.by_hand.trade("KO", D(7))
    heard = stage.desk
    stage.desk = replace(stage.desk, alerts=_Down())
    closed = stage.run("second")
    changed = "Openbell: the account changed outside of the platform"
    assert closed.status is RunStatus.COMPLETED
    assert closed.report["checks"]["unsent_alerts"] == [changed]
    stage.desk = heard
    stage.next_day()
    closed = stage.run("third")
    assert closed.report["checks"]["unsent_alerts"] == []
    assert subjects(stage) == [changed]
