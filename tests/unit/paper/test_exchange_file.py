"""An exchange with a file: whatever changes it is on the disk before anybody hears of it."""

from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path

import pytest

from paper import Action as CorporateAction
from paper import ActionType, PaperError, PaperExchange
from paper.guard import Guard
from paper.orders import Change
from tests.builders import D
from tests.unit.paper.market_days import MONDAY, at, buy, closes, exchange

type Action = Callable[[PaperExchange], object]

SPLIT = CorporateAction(ActionType.FORWARD_SPLIT, "AAPL", MONDAY, ratio=D(2))
ACTIONS: dict[str, Action] = {
    "submit": lambda paper: paper.submit(buy("1")),
    "cancel": lambda paper: paper.cancel(paper.orders()[0].id),
    "cancel_all": lambda paper: paper.cancel_all(),
    "replace": lambda paper: paper.replace(paper.orders()[0].id, Change(qty=D(2))),
    "close_position": lambda paper: paper.close_position("AAPL"),
    "close_all_positions": lambda paper: paper.close_all_positions(),
    "advance": lambda paper: paper.advance(paper.now + timedelta(minutes=1)),
    "wait": lambda paper: paper.wait(10),
    "close_session": lambda paper: paper.close_session(),
    "open_next_session": lambda paper: paper.open_next_session(time(10)),
    "by_hand.trade": lambda paper: paper.by_hand.trade("KO", D(1)),
    "by_hand.transfer": lambda paper: paper.by_hand.transfer(D(5)),
    "by_hand.pay": lambda paper: paper.by_hand.pay("INT", D("0.5")),
    "by_hand.announce": lambda paper: paper.by_hand.announce(SPLIT),
    "by_hand.set_asset": lambda paper: paper.by_hand.set_asset("KO", tradable=False),
    "by_hand.block": lambda paper: paper.by_hand.block(trading=True),
}
READS = {
    "account", "actions", "asset", "assets", "describe_fills", "entries", "equities", "fills", "latest_trade", "legs",
    "load", "lock", "next_fill", "now", "order", "order_by_client_id", "orders", "position", "positions", "save",
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "exchange.json"


@pytest.fixture
def paper(file: Path) -> PaperExchange:
    """10:00 on 14 June 2022 with 10 shares of AAPL and an open order for KO."""
    started = exchange(closes(AAPL=[100, 102, 104], KO=[50, 51, 52]))
    started.by_hand.trade("AAPL", D(10))
    started.submit(buy("1", symbol="KO"))
    return PaperExchange(started.history, D(0), at=started.now, state=started.state, file=file)


def test_the_file_is_there_before_anything_has_happened(paper: PaperExchange, file: Path) -> None:
    assert PaperExchange.load(file, paper.history).positions() == paper.positions()


@pytest.mark.parametrize("name", ACTIONS)
def test_what_a_method_changes_is_on_the_disk_when_it_returns(name: str, paper: PaperExchange, file: Path) -> None:
    before = file.read_bytes()
    ACTIONS[name](paper)
    assert file.read_bytes() != before
    paper.save(file.with_name("now.json"))
    assert file.read_bytes() == file.with_name("now.json").read_bytes()


def test_no_method_that_changes_the_exchange_is_missing_here(paper: PaperExchange) -> None:
    public = {name for name in dir(PaperExchange) if not name.startswith("_")}
    by_hand = {f"by_hand.{name}" for name in dir(paper.by_hand) if not name.startswith("_")}
    assert public | by_hand == set(ACTIONS) | READS


def test_what_is_asked_writes_nothing(paper: PaperExchange, file: Path) -> None:
    written = file.stat().st_mtime_ns
    paper.account()
    paper.orders()
    paper.next_fill()
    assert file.stat().st_mtime_ns == written


def test_a_change_of_several_parts_is_saved_once_and_whole() -> None:
    saved: list[str] = []
    done: list[str] = []
    guard = Guard(lambda: saved.append(", ".join(done)))
    with guard.change():
        for part in ("cancelled", "sold"):
            with guard.change():
                done.append(part)
    assert saved == ["cancelled, sold"]


def test_a_change_that_is_interrupted_is_not_saved() -> None:
    saved: list[int] = []
    guard = Guard(lambda: saved.append(1))
    with pytest.raises(KeyboardInterrupt), guard.change():
        raise KeyboardInterrupt
    assert saved == []
    with guard.change():  # and the lock is free again
        pass
    assert saved == [1]


def test_a_refusal_leaves_the_file_as_the_exchange_is(paper: PaperExchange, file: Path) -> None:
    with pytest.raises(PaperError):
        paper.submit(buy("1000000"))
    assert len(PaperExchange.load(file, paper.history).orders()) == 1


def test_a_loaded_exchange_goes_on_saving(paper: PaperExchange, file: Path) -> None:
    again = PaperExchange.load(file, paper.history, file=file)
    again.advance(at(14, "11:00"))
    assert PaperExchange.load(file, paper.history).now == again.now
