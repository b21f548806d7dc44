"""Halt and resume by hand."""

import pytest

from console.switch import MOST_REASON
from openbell.model import Halt
from tests.builders import AS_OF
from tests.unit.console.desk import Desk, Visitor

HALT = Halt("prices look <b>wrong</b>", "maya", AS_OF)


def test_a_halt_needs_a_reason(desk: Desk, visitor: Visitor) -> None:
    answer = visitor.post("/halt", reason="  ")
    assert answer.status_code == 400
    assert "Say why" in answer.text
    assert desk.ledger.halt() is None


def test_a_reason_that_is_too_long_is_kept_in_the_form(desk: Desk, visitor: Visitor) -> None:
    long = "x" * (MOST_REASON + 1)
    answer = visitor.post("/halt", reason=long, flatten="yes")
    assert answer.status_code == 400
    assert long in answer.text
    assert 'value="yes" checked' in answer.text
    assert desk.ledger.halt() is None


def test_a_halt_is_told_on_every_page_until_it_ends(desk: Desk, visitor: Visitor) -> None:
    answer = visitor.post("/halt", reason=" prices   look wrong ")
    assert (answer.status_code, answer.location) == (303, "/")
    overview = visitor.text("/")
    assert "Trading is halted now. Orders at the broker stay, protective ones too." in overview
    for path in ("/", "/runs", "/positions", "/halt", "/resume"):
        assert "prices look wrong" in visitor.text(path)
    halt = desk.ledger.halt()
    assert halt
    visitor.post("/resume", halted_at=halt.at.isoformat())
    assert desk.ledger.halt() is None
    assert "Trading is on again" in visitor.text("/")
    assert "prices look wrong" not in visitor.text("/")


@pytest.mark.parametrize(("fields", "flatten"), [({}, False), ({"flatten": "yes"}, True)])
def test_everything_is_sold_only_if_that_was_ticked(
    desk: Desk, visitor: Visitor, fields: dict[str, str], flatten: bool
) -> None:
    visitor.post("/halt", reason="enough", **fields)
    halt = desk.ledger.halt()
    assert halt
    assert halt.flatten is flatten


def test_the_form_says_what_would_be_sold(visitor: Visitor) -> None:
    assert "(now 3 positions of momentum)" in visitor.text("/halt")


def test_only_the_halt_that_was_looked_at_is_ended(desk: Desk, visitor: Visitor) -> None:
    desk.ledger.set_halt(HALT)
    answer = visitor.post("/resume", halted_at="2022-06-15T09:00:00-04:00")
    assert answer.status_code == 409
    assert "Trading was halted anew since you looked" in answer.text
    assert desk.ledger.halt() == HALT


def test_a_reason_is_text_and_nothing_else(desk: Desk, visitor: Visitor) -> None:
    desk.ledger.set_halt(HALT)
    for path in ("/", "/resume"):
        text = visitor.text(path)
        assert "prices look &lt;b&gt;wrong&lt;/b&gt;" in text
        assert "<b>wrong" not in text


def test_there_may_be_nothing_to_resume(visitor: Visitor) -> None:
    page = visitor.text("/resume")
    assert "there is nothing to resume" in page
    assert "<form" not in page
