"""What comes and goes beside orders: corporate actions, dividends, transfers, and the account's record of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from paper.account import Account
from paper.orders import SMALLEST_SHARE, ZERO

if TYPE_CHECKING:
    from paper.history import Dividend, Split
    from paper.state import State

_CENT = Decimal("0.01")


class ActionType(StrEnum):
    """What a company does, as Alpaca names it."""

    FORWARD_SPLIT = "forward_split"
    REVERSE_SPLIT = "reverse_split"
    CASH_DIVIDEND = "cash_dividend"
    SPIN_OFF = "spin_off"
    CASH_MERGER = "cash_merger"
    STOCK_MERGER = "stock_merger"
    STOCK_AND_CASH_MERGER = "stock_and_cash_merger"
    NAME_CHANGE = "name_change"
    WORTHLESS_REMOVAL = "worthless_removal"


_ENTRIES = {  # the type of the account's entries
    ActionType.FORWARD_SPLIT: "SPLIT",
    ActionType.REVERSE_SPLIT: "SPLIT",
    ActionType.CASH_DIVIDEND: "DIV",
    ActionType.SPIN_OFF: "SPIN",
    ActionType.CASH_MERGER: "MA",
    ActionType.STOCK_MERGER: "MA",
    ActionType.STOCK_AND_CASH_MERGER: "MA",
    ActionType.NAME_CHANGE: "NC",
    ActionType.WORTHLESS_REMOVAL: "REORG",
}


@dataclass(frozen=True, slots=True)
class Action:
    """A corporate action: `ratio` new shares (of `new_symbol`) and `cash` USD for each old share.

    A spin-off leaves the old shares where they are. With `in_lieu` parts of a new share are paid out instead.
    """

    type: ActionType
    symbol: str
    ex_date: date
    new_symbol: str = ""
    ratio: Decimal = ZERO
    cash: Decimal = ZERO
    pay_date: date | None = None
    in_lieu: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the account's record that is no fill of an order here."""

    id: str
    type: str
    at: datetime
    symbol: str = ""
    qty: Decimal = ZERO
    price: Decimal = ZERO
    amount: Decimal = ZERO  # USD
    group: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """A dividend that is owed: for shares that were held when their right to it ended."""

    symbol: str
    pay_date: date
    qty: Decimal
    rate: Decimal


def announced(splits: "tuple[Split, ...]", dividends: "tuple[Dividend, ...]") -> list[Action]:
    """What the companies of a history do."""
    found = [
        Action(
            ActionType.FORWARD_SPLIT if split.ratio > 1 else ActionType.REVERSE_SPLIT,
            split.symbol,
            split.ex_date,
            ratio=split.ratio,
            in_lieu=split.cash_in_lieu,
        )
        for split in splits
    ]
    return found + [
        Action(ActionType.CASH_DIVIDEND, each.symbol, each.ex_date, cash=each.rate, pay_date=each.pay_date)
        for each in dividends
    ]


class Clerk:
    """Carries out what companies do to the account's holdings, and writes the account's record."""

    def __init__(self, state: "State", price: Callable[[str], Decimal | None]) -> None:
        self._state = state
        self._price = price  # the last one in USD, of a symbol

    def enter(
        self,
        kind: str,
        symbol: str = "",
        qty: Decimal = ZERO,
        *,
        price: Decimal = ZERO,
        amount: Decimal = ZERO,
        group: str = "",
        words: str = "",
    ) -> None:
        """Write a line into the record."""
        at = self._state.now
        number = len(self._state.entries) + 1
        entry = Entry(f"{at:%Y%m%d%H%M%S}000::e{number:07d}", kind, at, symbol, qty, price, amount, group, words)
        self._state.entries.append(entry)

    def carry_out(self, action: Action) -> None:
        """Change what is held by a corporate action; of a dividend, write down what is owed."""
        held = self._state.account.held(action.symbol)
        if held <= 0:
            return
        if action.type is ActionType.CASH_DIVIDEND:
            pay_date = action.pay_date or action.ex_date
            self._state.payments.append(Payment(action.symbol, pay_date, held, action.cash))
        else:
            self._exchange(action, held)

    def _exchange(self, action: Action, held: Decimal) -> None:
        account, kind = self._state.account, _ENTRIES[action.type]
        group = f"{kind.lower()}-{action.symbol}-{self._state.now:%Y%m%d}"
        new_symbol, stays = action.new_symbol or action.symbol, action.type is ActionType.SPIN_OFF
        whole = (held * action.ratio).quantize(SMALLEST_SHARE, ROUND_DOWN)
        new = whole.quantize(Decimal(1), ROUND_DOWN) if action.in_lieu else whole
        price = self._worth(new_symbol, action, account)
        account.exchange(action.symbol, new_symbol, new, stays=stays)
        if not stays:
            self.enter(kind, action.symbol, -held, group=group)
        if new:
            self.enter(kind, new_symbol, new, group=group)
        self._pay(kind, action.symbol, held * action.cash, group)
        self._pay("CIL", new_symbol, (whole - new) * price, group)

    def _worth(self, symbol: str, action: Action, account: Account) -> Decimal:
        """USD for a new share."""
        known = self._price(symbol)
        if known is None:
            known = account.holdings[action.symbol].average_price / (action.ratio or 1)
        return known

    def _pay(self, kind: str, symbol: str, exact: Decimal, group: str) -> None:
        amount = exact.quantize(_CENT)
        if amount:
            self._state.account.cash += amount
            self.enter(kind, symbol, amount=amount, group=group)

    def pay_dividends(self, day: date) -> None:
        """Pay what is owed by `day`."""
        due = [payment for payment in self._state.payments if payment.pay_date <= day]
        self._state.payments = [payment for payment in self._state.payments if payment.pay_date > day]
        for payment in due:
            amount = (payment.qty * payment.rate).quantize(_CENT)
            self._state.account.cash += amount
            self.enter("DIV", payment.symbol, payment.qty, price=payment.rate, amount=amount)
