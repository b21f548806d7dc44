"""What happens to orders when the market prints, when a session ends, and when an order ends."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from paper.actions import Action, ActionType, Clerk, announced
from paper.history import DayPrices
from paper.market import Market, closing_prints
from paper.matching import Outcome, at_print, in_range
from paper.orders import SMALLEST_SHARE, ZERO, Fill, Order, OrderType, Side, Status, TimeInForce
from paper.sessions import Session
from paper.state import Rules, State
from paper.valuation import Valuation

type _Meet = Callable[[Order], Outcome]

_ONE_SHARE = Decimal(1)
_TICK = Decimal("0.0001")


class Engine:
    """Moves the clock and carries out what the market does to the account's orders on the way."""

    def __init__(self, market: Market, state: State, rules: Rules, valuation: Valuation) -> None:
        self._market = market
        self._state = state
        self._rules = rules
        self._valuation = valuation
        self.clerk = Clerk(state, valuation.price)
        self._announced = announced(market.history.splits, market.history.dividends)

    def advance(self, to: datetime) -> None:
        """Let everything happen in order that the market does after the clock's time, up to and including `to`."""
        start = self._state.now
        for session in self._market.calendar.touched(start, to):
            for at, happen in self._events(session):
                if start < at <= to:
                    self._state.now = at
                    happen(session)
        self._state.now = to

    def _events(self, session: Session) -> Iterable[tuple[datetime, Callable[[Session], None]]]:
        yield session.open, self._open
        # One print is the whole closing window, unless it can leave something unfilled.
        last = None if self._rules.fill_share < 1 else 1
        for at in closing_prints(session)[:last]:
            yield at, self._closing_print
        yield session.close, self._end

    def _open(self, session: Session) -> None:
        for action in (*self._announced, *self._state.actions):
            if action.ex_date == session.day:
                self._carry_out(action)
        self.clerk.pay_dividends(session.day)
        for order in self._state.book.open():
            if order.status is Status.ACCEPTED:
                self._state.book.put(replace(order, status=Status.NEW, updated_at=self._state.now))
        for symbol, prices in self._prices_of_open_orders(session):
            if prices.open is not None:
                self._meet_print(self._state.book.open(symbol), prices.open)

    def _closing_print(self, session: Session) -> None:
        for symbol, prices in self._prices_of_open_orders(session):
            if prices.close is not None:
                orders = [o for o in self._state.book.open(symbol) if not _waits_for_range(o, session, prices)]
                self._meet_print(orders, prices.close)

    def _end(self, session: Session) -> None:
        for symbol, prices in self._prices_of_open_orders(session):
            if prices.has_range:
                self._meet_bar(symbol, prices, session)
        for order in self._state.book.open():
            if order.time_in_force is TimeInForce.DAY and order.session == session.day:
                self._expire(order)
        self._end_aged(session)
        self._state.equities.append((session.day, self._valuation.equity()))

    def _end_aged(self, session: Session) -> None:
        """Cancel, with what hangs on it, every order whose last day comes before the next session."""
        next_day = self._market.calendar.after(session).day
        for order in self._state.book.open():
            if order.ages_at and order.ages_at.date() < next_day:
                for member in self._state.book.group(order):
                    self._state.book.end(member, Status.CANCELED, self._state.now)

    def _prices_of_open_orders(self, session: Session) -> list[tuple[str, DayPrices]]:
        symbols = dict.fromkeys(order.symbol for order in self._state.book.open())
        return [(symbol, self._market.history.prices(symbol, session.day)) for symbol in symbols]

    def meet_now(self, order_id: str) -> None:
        """Let a new order meet the price that is being traded, if it was placed in the closing window."""
        session = self._market.in_closing_window(self._state.now)
        order = self._state.book.get(order_id)
        if session and order:
            prices = self._market.history.prices(order.symbol, session.day)
            if prices.close is not None:
                self._meet_print([order], prices.close)

    def _meet_print(self, orders: Iterable[Order], price: Decimal) -> None:
        self._work(orders, lambda order: at_print(order, price, self._rules.slippage_bps))

    def _meet_bar(self, symbol: str, prices: DayPrices, session: Session) -> None:
        """A leg whose entry fills within this bar may be stopped out by it, but cannot have taken its profit."""
        rested = [order for order in self._state.book.open(symbol) if _waits_for_range(order, session, prices)]
        ids = {order.id for order in rested}

        def meet(order: Order) -> Outcome:
            if order.id not in ids and not order.is_stop:
                return Outcome()
            return in_range(order, prices, self._rules.slippage_bps)

        self._work(rested, meet)

    def _work(self, orders: Iterable[Order], meet: _Meet) -> None:
        """Let each order meet the market once, stops first, and so on with the legs that this sets free."""
        waiting = deque(order.id for order in _stops_first(orders))
        while waiting:
            order = self._state.book.get(waiting.popleft())
            if order is None or not order.status.live:
                continue
            outcome = meet(order)
            if outcome.triggered and not order.triggered:
                order = self._state.book.put(replace(order, triggered=True, updated_at=self._state.now))
            if outcome.price is not None:
                freed = self._fill(order, outcome.price)
                waiting.extend(leg.id for leg in _stops_first(freed))

    def _fill(self, order: Order, price: Decimal) -> list[Order]:
        """Book a fill; gives the legs that it sets free."""
        qty = self._fillable(order, price)
        if order.side is Side.BUY and qty * price > self._valuation.buying_power() + order.reserved:
            self._refuse(order)
            return []
        order = self._write_fill(order, qty, price)
        if order.status is not Status.FILLED:
            return []
        for rival in self._state.book.rivals(order):
            self._state.book.end(rival, Status.CANCELED, self._state.now)
        return self._free_legs(order)

    def _write_fill(self, order: Order, qty: Decimal, price: Decimal) -> Order:
        state = self._state
        filled = order.filled_qty + qty
        left = ZERO if order.qty is None else order.qty - filled
        fill = Fill(
            f"{state.now:%Y%m%d%H%M%S}::{len(state.fills) + 1:08d}",
            order.id, order.symbol, order.side, qty, price, state.now, filled, left,
        )  # fmt: skip
        state.fills.append(fill)
        state.account.book(fill)
        return state.book.put(
            replace(
                order,
                status=Status.PARTIALLY_FILLED if left else Status.FILLED,
                filled_qty=filled,
                filled_value=order.filled_value + qty * price,
                updated_at=state.now,
                ended_at=None if left else state.now,
            )
        )

    def _fillable(self, order: Order, price: Decimal) -> Decimal:
        """Shares that this print fills."""
        if order.notional is not None:
            wanted = (order.notional / price).quantize(SMALLEST_SHARE, ROUND_DOWN)
            return wanted if order.side is Side.BUY else min(wanted, self._free_shares(order))
        takes = order.type is OrderType.MARKET or order.takes  # what waits for its price fills whole
        if not takes or order.qty is None or order.qty != order.qty.to_integral_value():
            return order.remaining
        share = (order.qty * self._rules.fill_share).quantize(_ONE_SHARE, ROUND_DOWN)
        return min(order.remaining, max(share, _ONE_SHARE))

    def _free_shares(self, order: Order) -> Decimal:
        """Shares that other sells do not hold: a price that fell may make one in USD want more than it set aside."""
        others = self._state.book.reserved_shares(order.symbol) - order.remaining
        return self._state.account.held(order.symbol) - others

    def _refuse(self, order: Order) -> None:
        """A buy whose price has run away from the buying power ends without (another) fill."""
        status = Status.CANCELED if order.filled_qty else Status.REJECTED
        for member in self._state.book.group(order):
            self._state.book.end(member, status if member.id == order.id else Status.CANCELED, self._state.now)

    def _free_legs(self, order: Order) -> list[Order]:
        held = [leg for leg in self._state.book.legs(order) if leg.status is Status.HELD]
        now = self._state.now
        return [
            self._state.book.put(replace(leg, status=Status.NEW, active_at=now, updated_at=now, session=order.session))
            for leg in held
        ]

    def _expire(self, order: Order) -> None:
        """End a day order, and the legs that would have followed it."""
        self._state.book.end(order, Status.EXPIRED, self._state.now)
        for leg in self._state.book.legs(order):
            if leg.status is Status.HELD:
                self._state.book.end(leg, Status.CANCELED, self._state.now)

    def _carry_out(self, action: Action) -> None:
        """Adjust holding and record; of a split the resting orders too, while other actions end those they concern.

        An order that a split leaves with part of a share ends.
        """
        self.clerk.carry_out(action)
        if action.type in {ActionType.FORWARD_SPLIT, ActionType.REVERSE_SPLIT}:
            for order in self._state.book.open(action.symbol):
                adjusted = _split_order(order, action.ratio)
                if adjusted:
                    self._state.book.put(replace(adjusted, updated_at=self._state.now))
            self._cancel(lambda order: order.qty is not None and order.qty != order.qty.to_integral_value(), action)
        elif action.type not in {ActionType.CASH_DIVIDEND, ActionType.SPIN_OFF}:
            self._cancel(lambda order: True, action)  # noqa: ARG005

    def _cancel(self, concerns: Callable[[Order], bool], action: Action) -> None:
        for order in self._state.book.open(action.symbol):
            if concerns(order):
                for member in self._state.book.group(order):
                    self._state.book.end(member, Status.CANCELED, self._state.now)


def _stops_first(orders: Iterable[Order]) -> list[Order]:
    return sorted(orders, key=lambda order: not order.is_stop)


def _waits_for_range(order: Order, session: Session, prices: DayPrices) -> bool:
    """Whether the order is measured by the bar's high and low instead of its close: it rested since the open."""
    rested = order.active_at is not None and order.active_at <= session.open
    return rested and prices.has_range and order.type is not OrderType.MARKET


def _split_order(order: Order, ratio: Decimal) -> Order | None:
    """The order in new shares and prices; None for one in USD, which a split leaves as it is."""
    if order.qty is None:
        return None
    return replace(
        order,
        qty=order.qty * ratio,
        filled_qty=order.filled_qty * ratio,
        reserve_price=order.reserve_price / ratio,
        limit_price=order.limit_price and (order.limit_price / ratio).quantize(_TICK),
        stop_price=order.stop_price and (order.stop_price / ratio).quantize(_TICK),
    )
