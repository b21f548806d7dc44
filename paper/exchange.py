"""The paper exchange: one account, its orders, and a clock that moves only when told to."""

import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Self

from paper.account import Account
from paper.actions import Action, Entry, announced
from paper.admission import Admission
from paper.booking import book_replacement, book_ticket
from paper.by_hand import ByHand
from paper.engine import Engine
from paper.errors import Refused, invalid, not_found
from paper.guard import Guard, changing, locked
from paper.history import History
from paper.market import LatestTrade, Market
from paper.matching import at_print
from paper.orders import Change, Fill, Order, OrderType, Side, Status, Ticket
from paper.replacing import admit_change
from paper.sessions import NEW_YORK
from paper.state import Asset, Rules, State
from paper.state_file import read_state, write_state
from paper.valuation import AccountSummary, Position, Valuation


@dataclass(frozen=True, slots=True)
class Closing:
    """What came of closing one position: the order that sells it, or why there is none."""

    symbol: str
    order: Order | None = None
    refusal: Refused | None = None


class PaperExchange:
    """A brokerage account over real market history.

    `at` is where the clock stands: a zone-aware instant, told in New York time from then on. `cash` in USD. `rules`
    replace `slippage_bps` and say more; `state` continues an account; with a `file` every change is saved there before
    the method that made it returns. ValueError if the instant has no zone or lies beyond the data. Every method may be
    called from any thread. `describe_fills` says how orders are filled, and `paper.matching` says it in full.
    """

    def __init__(
        self,
        history: History,
        cash: Decimal,
        at: datetime,
        slippage_bps: Decimal | float = 0,
        rules: Rules | None = None,
        state: State | None = None,
        file: Path | None = None,
    ) -> None:
        self.guard = Guard(partial(self.save, file) if file else None)
        self.history = history
        self.market = Market(history)
        self.rules = rules or Rules(slippage_bps=Decimal(str(slippage_bps)))
        now = _new_york(at)
        self.market.calendar.next_open(now)  # refuses an instant beyond the calendar
        self.state = state or State(now, now, cash, Account(cash))
        self.valuation = Valuation(self.market, self.state, self.rules)
        self.engine = Engine(self.market, self.state, self.rules, self.valuation)
        self.admission = Admission(self.market, self.state, self.rules, self.valuation)
        self.by_hand = ByHand(self)
        if file:
            self.save(file)

    @property
    def lock(self) -> threading.RLock:
        """Held by whoever wants several answers about the same moment."""
        return self.guard.lock

    # The clock.

    @property
    def now(self) -> datetime:
        """The exchange's time, in New York."""
        return self.state.now

    @changing
    def advance(self, to: datetime) -> None:
        """Move the clock to an instant; everything that the market does on the way happens in order.

        ValueError if it lies in the past, or more than a year after the last bar.
        """
        to = _new_york(to)
        if to.astimezone(UTC) < self.now.astimezone(UTC):  # on one clock an hour comes twice in November
            raise ValueError(f"the clock stands at {self.now} and cannot go back to {to}")
        self.market.calendar.next_open(to)
        self.engine.advance(to)

    @changing
    def wait(self, seconds: float) -> datetime:
        """Move the clock by `seconds`, or to the next price if an order waits that takes it and it is further away.

        Daily bars print few prices: whoever waits ten seconds for a fill would ask thousands of times. Gives the new
        time.
        """
        target = self.now + timedelta(seconds=seconds)
        self.advance(max(target, self.next_fill() or target))
        return self.now

    @locked
    def next_fill(self) -> datetime | None:
        """When the next price is printed that fills a waiting order that takes it; None if none waits."""
        return min((at for order in self.state.book.open() if (at := self._next_fill(order))), default=None)

    def _next_fill(self, order: Order) -> datetime | None:
        if not order.status.live or not self._takes_the_price(order):
            return None
        return self.market.next_print(order.symbol, self.now, order.session)

    def _takes_the_price(self, order: Order) -> bool:
        """Whether the order fills at the latest price: one at the market, or a limit that is no worse."""
        if order.type is OrderType.MARKET:
            return True
        latest = self.market.latest(order.symbol, self.now) if order.takes else None
        return latest is not None and at_print(order, latest.price, self.rules.slippage_bps).price is not None

    @changing
    def close_session(self) -> None:
        """Move to today's closing bell, after everything that happens at it; nothing if the session is over."""
        session = self.market.calendar.of(self.now.date())
        if session and self.now < session.close:
            self.advance(session.close)

    @changing
    def open_next_session(self, at: time) -> None:
        """Move to a time of day (New York) in the next session whose bell has not rung yet."""
        session = self.market.calendar.current_or_next(self.now)
        while session.open <= self.now or datetime.combine(session.day, at, NEW_YORK) < self.now:
            session = self.market.calendar.after(session)
        self.advance(datetime.combine(session.day, at, NEW_YORK))

    # Orders.

    @changing
    def submit(self, ticket: Ticket) -> Order:
        """Accept an order, and give it as it was accepted: whether it has filled is to be asked. Refused if not."""
        self.admission.check(ticket)
        reserve = self.admission.reserve_price(ticket)
        order = book_ticket(ticket, self.state.book, self.market, self.now, reserve)
        for member in self.state.book.group(order):
            self.engine.meet_now(member.id)
        return order

    @locked
    def order(self, order_id: str) -> Order:
        """The order with this id; Refused (404) if there is none."""
        order = self.state.book.get(order_id)
        if order is None:
            raise not_found(f"order not found for {order_id}")
        return order

    @locked
    def order_by_client_id(self, client_order_id: str) -> Order:
        """The order sent with this client_order_id; Refused (404) if there is none."""
        order = self.state.book.by_client_id(client_order_id)
        if order is None:
            raise not_found(f"order not found for {client_order_id}")
        return order

    @locked
    def orders(self) -> list[Order]:
        """Every order ever accepted, legs included, oldest first."""
        return self.state.book.all()

    @locked
    def legs(self, order: Order) -> list[Order]:
        """An order's legs."""
        return self.state.book.legs(order)

    @changing
    def cancel(self, order_id: str) -> None:
        """Cancel an order with everything that hangs on it; Refused (404, or 422 if it has ended)."""
        order = self.order(order_id)
        if not order.status.open:
            raise invalid(f'order is already in "{order.status}" state')
        for member in self.state.book.group(order):
            self.state.book.end(member, Status.CANCELED, self.now)

    @changing
    def cancel_all(self) -> list[Order]:
        """Cancel every open order; gives those that were live."""
        live = [order for order in self.state.book.open() if order.status.live]
        for order in live:
            if self.order(order.id).status.open:
                self.cancel(order.id)
        return [self.order(order.id) for order in live]

    @changing
    def replace(self, order_id: str, change: Change) -> Order:
        """Replace an open order by a changed one with a new id, and give that; Refused if it is not possible."""
        order = admit_change(self.order(order_id), change, self.admission)
        new = book_replacement(order, change, self.state.book, self.market, self.now)
        self.engine.meet_now(new.id)
        return new

    # The account.

    @locked
    def account(self) -> AccountSummary:
        """The account's figures now."""
        return self.valuation.summary()

    @locked
    def positions(self) -> list[Position]:
        """What is held, by symbol."""
        return self.valuation.positions()

    @locked
    def position(self, symbol: str) -> Position:
        """What is held of one symbol; Refused (404) if nothing is."""
        return self.valuation.position(symbol)

    @changing
    def close_position(self, symbol: str, qty: Decimal | None = None) -> Order:
        """Sell all shares of a symbol, or `qty` of them, at the market today; Refused as any order may be."""
        held = self.position(symbol).qty
        return self.submit(Ticket(symbol, Side.SELL, held if qty is None else qty))

    @changing
    def close_all_positions(self, *, cancel_orders: bool = False) -> list[Closing]:
        """Sell everything that is held; first cancel all orders if told to."""
        if cancel_orders:
            self.cancel_all()
        return [self._try_to_close(position.symbol) for position in self.positions()]

    def _try_to_close(self, symbol: str) -> Closing:
        try:
            return Closing(symbol, self.close_position(symbol))
        except Refused as refusal:
            return Closing(symbol, refusal=refusal)

    @locked
    def fills(self) -> list[Fill]:
        """Every fill, oldest first."""
        return list(self.state.fills)

    @locked
    def entries(self) -> list[Entry]:
        """The account's record beside those fills, oldest first."""
        return list(self.state.entries)

    @locked
    def actions(self) -> list[Action]:
        """Corporate actions of the history and by hand, by their ex-date; announced long before it."""
        known = [*announced(self.history.splits, self.history.dividends), *self.state.actions]
        return sorted(known, key=lambda action: (action.ex_date, action.symbol))

    @locked
    def equities(self) -> list[tuple[date, Decimal]]:
        """The account's equity (USD) at each session's close since the exchange was opened."""
        return list(self.state.equities)

    # The market.

    @locked
    def latest_trade(self, symbol: str) -> LatestTrade | None:
        """The symbol's last printed price; None before its first, and for symbols that are unknown."""
        return self.market.latest(symbol, self.now)

    @locked
    def asset(self, symbol: str) -> Asset:
        """What may be done with a symbol; Refused (404) if it is unknown."""
        return self.admission.asset(symbol)

    @locked
    def assets(self) -> list[Asset]:
        """Every symbol of the data, and what was put in by hand."""
        return [self.asset(symbol) for symbol in sorted({*self.history.symbols, *self.state.assets})]

    def describe_fills(self) -> str:
        """How orders are filled here, in words for a report."""
        known = (
            "the open at the opening bell and the close in the last 15 minutes of the session; limit and stop orders "
            "that rested through a session also meet its high and low, stops before limits when both were touched"
            if self.history.has_ohl
            else "the close, in the last 15 minutes of the session; the data has no opens, highs or lows, so that "
            "limit and stop orders meet closes only"
        )
        return (
            f"Daily bars: prices are printed as follows: {known}. A market order fills at the next printed price, with "
            f"{self.rules.slippage_bps.normalize():f} bps of slippage against it, as have stop orders; a limit order "
            "fills at its limit or at a better print. No commissions, fees or market impact; dividends only where the "
            "data has them."
        )

    # Keeping.

    @locked
    def save(self, path: Path | str) -> None:
        """Write everything but the price history to one JSON file, at once or not at all."""
        write_state(Path(path), self.state, self.rules)

    @classmethod
    def load(cls, path: Path | str, history: History, file: Path | None = None) -> Self:
        """Continue what was saved, over the same history; ValueError if the file is not such a one.

        With a `file` every further change is saved there.
        """
        state, rules = read_state(Path(path))
        return cls(history, state.account.cash, state.now, rules=rules, state=state, file=file)


def _new_york(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone; expected a zone-aware instant")
    return at.astimezone(NEW_YORK)
