"""What came and went beside orders: corporate actions, dividends, transfers, trades by hand, and the cash of all."""

from collections.abc import Callable
from datetime import date

import pytest

from lab.exchange import ExchangeBroker
from openbell.errors import BrokerUnavailable, Halted
from openbell.execution.record import WAITS
from openbell.model import Activity, CorporateAction, RunStatus
from paper import Action, ActionType, BarArrays, Dividend, History, Split
from tests.builders import D
from tests.integration.workflow.stage import WEDNESDAY, Stage, only_momentum, sample

THURSDAY, FRIDAY = date(2022, 6, 16), date(2022, 6, 17)


def market(splits: tuple[Split, ...] = (), dividends: tuple[Dividend, ...] = ()) -> History:
    """The sample with what companies do; prices before a split are those of the old shares."""
    plain = sample()
    closes = plain.bars.close.copy()
    for split in splits:
        rows = [day < split.ex_date for day in plain.sessions]
        closes[rows, plain.columns[split.symbol]] *= float(split.ratio)
    return History(plain.symbols, plain.sessions, BarArrays(closes), splits, dividends)


def every(make: Callable[[str], object]) -> tuple:  # type: ignore[type-arg]
    return tuple(make(symbol) for symbol in sample().symbols)


def opened(history: History | None = None, broker: type[ExchangeBroker] = ExchangeBroker) -> Stage:
    """A stage on Thursday, with what the run of Wednesday bought."""
    settings = only_momentum(risk={"max_daily_loss": "0.9"})  # of a merger at another price than the market's
    stage = Stage(settings, market=history or market(), broker=broker)
    assert stage.run("first").status is RunStatus.COMPLETED
    assert stage.owned()
    return stage


def adds_up(stage: Stage) -> bool:
    """Whether sleeves and account line have the broker's cash, to the cent."""
    line = stage.ledger.account_line()
    assert line is not None
    sleeves = sum((sleeve.cash for sleeve in stage.ledger.sleeves().values()), D(0))
    return abs(stage.exchange.account().cash - sleeves - line.cash) < D("0.005") and not line.unexplained


def cash_of(stage: Stage) -> D:
    return stage.ledger.sleeves()["momentum"].cash


@pytest.mark.parametrize("ratio", ["2", "1.5", "0.1", "20"])
def test_a_split_of_any_ratio_is_booked_by_the_record(ratio: str) -> None:
    stage = opened(market(every(lambda symbol: Split(symbol, THURSDAY, D(ratio)))))
    before = stage.ledger.sleeves()["momentum"]
    stage.next_day()
    closed = stage.run("second")
    after = stage.ledger.sleeves()["momentum"]
    assert closed.status is RunStatus.COMPLETED
    assert {s: p.qty for s, p in after.positions.items()} == {s: p.qty * D(ratio) for s, p in before.positions.items()}
    assert {s: p.cost for s, p in after.positions.items()} == {s: p.cost for s, p in before.positions.items()}
    assert stage.owned() == stage.held()
    assert adds_up(stage)
    assert not stage.ledger.quarantines()
    stage.next_day()
    stage.run("third")
    assert stage.ledger.sleeves()["momentum"].positions == after.positions  # booked once


def test_a_reverse_split_pays_for_parts_of_a_share() -> None:
    stage = opened(market(every(lambda symbol: Split(symbol, THURSDAY, D("0.01"), cash_in_lieu=True))))
    before = cash_of(stage)
    stage.next_day()
    stage.run("second")
    assert all(qty == qty.to_integral_value() for qty in stage.owned().values())
    assert stage.owned() == stage.held()
    assert cash_of(stage) > before
    assert adds_up(stage)


def test_shares_that_the_owner_buys_by_hand_are_no_split() -> None:
    stage = opened()
    symbol, qty = sorted(stage.owned().items())[0]
    stage.next_day()
    stage.exchange.by_hand.trade(symbol, qty)  # twice as many, as after a split
    stage.run("second")
    assert stage.owned()[symbol] == qty
    assert stage.held()[symbol] == 2 * qty
    assert adds_up(stage)


def test_the_owner_s_shares_get_their_part_of_a_split() -> None:
    stage = opened(market(every(lambda symbol: Split(symbol, THURSDAY, D(3)))))
    symbol, qty = sorted(stage.owned().items())[0]
    stage.exchange.by_hand.trade(symbol, D(5))
    stage.next_day()
    stage.run("second")
    assert (stage.owned()[symbol], stage.held()[symbol]) == (3 * qty, 3 * (qty + 5))


class Late(ExchangeBroker):
    """Its record does not show yet what happened in the last two days."""

    shows = False

    def activities(self, since: date) -> list[Activity]:
        return [entry for entry in super().activities(since) if self.shows]


def test_a_split_that_the_record_does_not_show_yet_keeps_its_symbol_from_being_traded() -> None:
    stage = opened(broker=Late)
    symbol, qty = sorted(stage.owned().items())[0]
    stage.exchange.by_hand.announce(Action(ActionType.FORWARD_SPLIT, symbol, THURSDAY, ratio=D(2)))
    stage.next_day()
    assert stage.run("second").status is RunStatus.COMPLETED
    (waiting,) = stage.ledger.quarantines()
    assert (waiting.name, waiting.reason) == (symbol, WAITS)
    assert stage.owned()[symbol] == qty
    Late.shows = True
    try:
        stage.next_day()
        stage.run("third")
    finally:
        Late.shows = False
    assert stage.ledger.quarantines() == []
    assert stage.owned() == stage.held()
    assert stage.owned()[symbol] == 2 * qty


class Blind(ExchangeBroker):
    """Cannot tell what companies have announced."""

    def corporate_actions(self, symbols: object, first: date, last: date) -> list[CorporateAction]:
        raise BrokerUnavailable("no announcements")


def test_a_split_is_booked_without_its_announcement() -> None:
    stage = opened(market(every(lambda symbol: Split(symbol, THURSDAY, D(2)))), Blind)
    stage.next_day()
    assert stage.run("second").status is RunStatus.COMPLETED
    assert stage.owned() == stage.held()


def test_a_dividend_goes_to_who_held_the_shares_and_the_owner_gets_his() -> None:
    stage = opened()
    symbol, qty = sorted(stage.owned().items())[0]
    stage.exchange.by_hand.trade(symbol, qty)  # half of the shares are the owner's
    stage.exchange.by_hand.announce(
        Action(ActionType.CASH_DIVIDEND, symbol, THURSDAY, cash=D("0.505"), pay_date=FRIDAY)
    )
    before = stage.ledger.sleeves()["momentum"]
    stage.next_day()
    stage.run("second")
    assert cash_of(stage) == before.cash
    stage.next_day()
    stage.run("third")
    paid = (2 * qty * D("0.505")).quantize(D("0.01"))
    after = stage.ledger.sleeves()["momentum"]
    assert abs(after.cash - before.cash - paid / 2) < D("0.01")
    assert after.realised_pnl - before.realised_pnl == after.cash - before.cash
    assert adds_up(stage)


def test_interest_fees_and_transfers_go_to_the_account_line() -> None:
    stage = opened()
    line, before = stage.ledger.account_line(), cash_of(stage)
    assert line is not None
    stage.next_day()
    stage.exchange.by_hand.pay("INT", D("1.23"))
    stage.exchange.by_hand.pay("FEE", D("-0.11"))
    stage.exchange.by_hand.transfer(D(-2000))
    closed = stage.run("second")
    after = stage.ledger.account_line()
    assert after is not None
    assert cash_of(stage) == before
    assert abs(after.cash - line.cash - D("-1998.88")) < D("0.01")
    assert adds_up(stage)
    assert closed.report["checks"]["cash"]["unexplained"] == "0"


def test_cash_that_nothing_explains_is_told_when_it_stays() -> None:
    stage = opened()
    subjects = []
    for name in ("second", "third", "fourth"):
        stage.next_day()
        if name == "second":
            stage.exchange.state.account.cash += 5
        assert stage.run(name).status is RunStatus.COMPLETED
        subjects.append([subject for subject, _ in stage.alerts.sent])
    assert subjects[0] == []
    assert subjects[1] == ["Openbell: cash that nothing explains"]


def test_a_withdrawal_is_no_loss() -> None:
    stage = Stage()
    stage.run("first")
    stage.next_day()
    stage.exchange.by_hand.transfer(D(-8000))
    assert stage.run("second").status is RunStatus.COMPLETED


def test_a_deposit_hides_no_loss() -> None:
    plain = sample()
    closes = plain.bars.close.copy()
    closes[[day >= THURSDAY for day in plain.sessions]] *= 0.8
    history = History(plain.symbols, plain.sessions, BarArrays(closes))
    stage = Stage(only_momentum(risk={"max_price_move": "1"}, data={"max_jump": 5}), market=history)
    stage.run("first")
    stage.exchange.close_session()
    stage.exchange.open_next_session(WEDNESDAY.time().replace(hour=15, minute=50))
    stage.exchange.by_hand.transfer(D(50000))
    with pytest.raises(Halted, match="without 50000 USD that were transferred"):
        stage.run("second", "manual")


def test_a_merger_for_cash_and_shares_ends_the_old_holding() -> None:
    stage = opened()
    symbol, qty = sorted(stage.owned().items())[0]
    other = next(name for name in sample().symbols if name not in stage.owned())
    stage.exchange.by_hand.announce(
        Action(ActionType.STOCK_AND_CASH_MERGER, symbol, THURSDAY, other, D("0.5"), D("10.25"))
    )
    before = stage.ledger.sleeves()["momentum"]
    stage.next_day()
    stage.run("second")
    after = stage.ledger.sleeves()["momentum"]
    assert (after.held(symbol), after.held(other)) == (0, qty / 2)
    assert after.cash - before.cash == qty * D("10.25")
    assert after.positions[other].cost == before.positions[symbol].cost - qty * D("10.25")
    assert stage.owned() == stage.held()
    assert adds_up(stage)


@pytest.mark.parametrize("kind", [ActionType.NAME_CHANGE, ActionType.SPIN_OFF, ActionType.CASH_MERGER])
def test_names_spin_offs_and_buyouts_leave_books_that_agree(kind: ActionType) -> None:
    stage = opened()
    symbol, _ = sorted(stage.owned().items())[0]
    new = "" if kind is ActionType.CASH_MERGER else "NEWCO"
    ratio, cash = (D(0), D("77.77")) if kind is ActionType.CASH_MERGER else (D(1), D(0))
    stage.exchange.by_hand.announce(Action(kind, symbol, THURSDAY, new, ratio, cash))
    stage.next_day()
    assert stage.run("second").status is RunStatus.COMPLETED
    assert stage.owned() == stage.held()
    assert (symbol in stage.owned()) is (kind is ActionType.SPIN_OFF)
    assert ("NEWCO" in stage.owned()) is (kind is not ActionType.CASH_MERGER)
    assert adds_up(stage)


def test_a_bankrupt_company_leaves_a_loss() -> None:
    stage = opened()
    symbol, _ = sorted(stage.owned().items())[0]
    before = stage.ledger.sleeves()["momentum"]
    stage.exchange.by_hand.announce(Action(ActionType.WORTHLESS_REMOVAL, symbol, THURSDAY))
    stage.next_day()
    stage.run("second")
    after = stage.ledger.sleeves()["momentum"]
    assert symbol not in after.positions
    assert after.realised_pnl == before.realised_pnl - before.positions[symbol].cost
    assert stage.owned() == stage.held()


def test_crypto_in_the_account_is_told_and_never_a_reason_to_stop() -> None:
    stage = opened()
    stage.next_day()
    stage.exchange.by_hand.trade("BTC/USD", D(1), D(8000), "crypto")
    symbol = sorted(stage.owned())[0]
    stage.exchange.by_hand.trade(symbol, D(-1))  # which makes the run look whether the list of positions is complete
    assert stage.run("second").status is RunStatus.COMPLETED
    assert any("BTC/USD: 1 shares belong to no strategy (before: 0)" in text for _, text in stage.alerts.sent)
    assert [found.name for found in stage.ledger.quarantines()] == [symbol]
    assert adds_up(stage)


def test_a_reverse_split_that_leaves_no_whole_share_is_paid_out_to_who_held_it() -> None:
    stage = opened()
    before = stage.ledger.sleeves()["momentum"]
    symbol, held = next((s, p) for s, p in sorted(before.positions.items()) if p.qty > 1)
    ratio = D("0.5") / held.qty  # half a share of all that is held
    stage.exchange.by_hand.announce(Action(ActionType.REVERSE_SPLIT, symbol, THURSDAY, "", ratio, in_lieu=True))
    stage.next_day()
    assert stage.run("second").status is RunStatus.COMPLETED
    paid = sum(entry.amount for entry in stage.exchange.entries() if entry.type == "CIL")
    after = stage.ledger.sleeves()["momentum"]
    assert paid > 0
    assert stage.ledger.quarantines() == []
    assert symbol not in after.positions
    assert after.cash == before.cash + paid
    assert adds_up(stage)
