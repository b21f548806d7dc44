"""The paper exchange for long replays: it remembers prices of the moment, and jumps over sessions without orders."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np

from lab.exchange import ExchangeBroker
from lab.quick_history import NO_TICKS, PER_USD, Columns, QuickHistory, Ticks, to_usd
from openbell.model import ZERO, Account
from paper import PaperExchange, Rules
from paper.account import Holding
from paper.admission import Admission
from paper.engine import Engine
from paper.market import LatestTrade, Market
from paper.sessions import Session
from paper.valuation import Valuation


class QuickMarket(Market):
    """`Market` that looks up each symbol's latest price once an instant."""

    history: QuickHistory

    def __init__(self, history: QuickHistory) -> None:
        super().__init__(history)
        self._at: datetime | None = None
        self._row: int | None = None  # of the newest closes, where they alone are the latest prices
        self._latest: dict[str, LatestTrade | None] = {}

    def latest(self, symbol: str, at: datetime) -> LatestTrade | None:
        """See Market."""
        if at != self._at:
            self._at, self._latest, self._row = at, {}, self._closes_at(at)
        if symbol not in self._latest:
            quick = self._row is not None and symbol in self.history.columns
            self._latest[symbol] = self._last_close(symbol, at) if quick else super().latest(symbol, at)
        return self._latest[symbol]

    def prices(self, symbols: Sequence[str], at: datetime) -> dict[str, int]:
        """The latest prices, in ticks, of those of `symbols` that have one."""
        row = self._closes_at(at)
        if row is None or row < 0 or any(symbol not in self.history.columns for symbol in symbols):
            found = {symbol: self.latest(symbol, at) for symbol in symbols}
            return {symbol: int(trade.price.scaleb(4)) for symbol, trade in found.items() if trade}
        columns = np.array([self.history.columns[symbol] for symbol in symbols], dtype=np.intp)
        ticks = self.history.ticks(slice(row, row + 1), columns)[0].tolist()
        return {symbol: price for symbol, price in zip(symbols, ticks, strict=True) if price != NO_TICKS}

    def next_print(self, symbol: str, after: datetime, only: date | None = None) -> datetime | None:
        """See Market."""
        session = self.calendar.of(after.date())
        plain = session is not None and only in {None, session.day} and not self.history.has_ohl
        if session and plain and after < session.closing and self.history.prices(symbol, session.day).close is not None:
            return session.closing
        return super().next_print(symbol, after, only)

    def _closes_at(self, at: datetime) -> int | None:
        if self.history.has_ohl or self.history.splits:
            return None
        session = self.calendar.of(at.date())
        closed = session is not None and at >= session.closing
        return self.history.row_at(at.date() if closed else at.date() - timedelta(days=1))

    def _last_close(self, symbol: str, at: datetime) -> LatestTrade | None:
        found = self.history.close_at(symbol, self._row) if self._row is not None else None
        session, today = self.calendar.of(found[0]) if found else None, self.calendar.of(at.date())
        if not found or not session:
            return None
        if today and today.open <= at < today.closing and self.history.prices(symbol, today.day).close is not None:
            return LatestTrade(found[1], today.open)  # a bar without an open: it opens where it closed
        return LatestTrade(found[1], min(at, session.close))


class QuickExchange(PaperExchange):
    """`PaperExchange` over a QuickHistory: same rules, same matching, same books."""

    history: QuickHistory

    def __init__(self, history: QuickHistory, cash: Decimal, at: datetime, slippage_bps: Decimal) -> None:
        super().__init__(history, cash, at, rules=Rules(slippage_bps=slippage_bps))
        self.market: QuickMarket = QuickMarket(history)
        self.valuation = Valuation(self.market, self.state, self.rules)
        self.engine = Engine(self.market, self.state, self.rules, self.valuation)
        self.admission = Admission(self.market, self.state, self.rules, self.valuation)

    @property
    def idle(self) -> bool:
        """Whether no order can meet the market."""
        return not self.state.book.open()

    def waits(self, order_id: str) -> bool:
        """Whether an order is open and has filled in no part."""
        order = self.state.book.get(order_id)
        return order is not None and order.status.open and not order.filled_qty

    @property
    def has_record(self) -> bool:
        """Whether anything comes or goes beside orders: splits, dividends."""
        return bool(self.history.splits or self.history.dividends or self.state.entries)

    def jump(self, to: datetime) -> None:
        """As `advance`, at once where nothing but the equity at each close can happen on the way."""
        sessions = [s for s in self.market.calendar.touched(self.now, to) if self.now < s.close <= to]
        values = self._values([session.day for session in sessions]) if self.idle else None
        if values is None or self._actions_between(self.now, to):
            self.advance(to)
            return
        cash = self.state.account.cash
        self.state.equities += [(s.day, cash + to_usd(v)) for s, v in zip(sessions, values, strict=True)]
        self.state.now = to

    def first_loss(self, sessions: Sequence[Session], allowed: Decimal) -> int | None:
        """Which of the coming `sessions` is the first to open with a loss above `allowed` (fraction) since the close.

        None if there is none, or if the data has no opens: then the last close is the price until the next one.
        """
        if not sessions or not self.history.has_ohl:
            return None
        days, held = [session.day for session in sessions], self._whole_holdings()
        if held is None:
            return 0
        columns, quantities = held
        rows = slice(max(1, self.history.row_at(days[0])), self.history.row_at(days[-1]) + 1)
        if self.history.lone_opens(np.arange(rows.start - 1, rows.stop), columns).any():
            return 0  # an equity that is not made of closes
        opens = self.history.opens(rows, columns)
        before = self.history.ticks(slice(rows.start - 1, rows.stop - 1), columns)
        cash = float(self.state.account.cash)
        closed = cash + (before @ quantities) / PER_USD
        opened = cash + (np.where(opens == NO_TICKS, before, opens) @ quantities) / PER_USD
        doubtful = opened < closed * (1 - float(allowed)) * (1 + 1e-9)  # a run that finds no loss does no harm
        found = np.flatnonzero(doubtful)
        if not len(found):
            return None
        day = self.history.sessions[rows.start + int(found[0])]
        return next(index for index, known in enumerate(days) if known >= day)

    def _values(self, days: Sequence[date]) -> list[int] | None:
        """What the holdings are worth at the closes of `days`, in ticks; None where only the long way can tell."""
        held = self._whole_holdings()
        if held is None:
            return None
        columns, quantities = held
        rows = np.array([self.history.row_at(day) for day in days], dtype=np.intp)
        if self.history.lone_opens(rows, columns).any():
            return None
        ticks = self.history.ticks(rows, columns)
        return None if (ticks == NO_TICKS).any() else (ticks @ quantities).tolist()

    def _whole_holdings(self) -> tuple[Columns, Ticks] | None:
        """Columns and shares of what is held, if all of it is whole shares of symbols with bars."""
        holdings = self.state.account.holdings.values()
        if not all(_plain(holding) and holding.symbol in self.history.columns for holding in holdings):
            return None
        columns = np.array([self.history.columns[holding.symbol] for holding in holdings], dtype=np.intp)
        return columns, np.array([int(holding.qty) for holding in holdings], dtype=np.int64)

    def _actions_between(self, start: datetime, end: datetime) -> bool:
        first, last = start.date() - timedelta(days=1), end.date()
        days = [action.ex_date for action in self.actions()]
        return any(first <= day <= last for day in (*days, *(owed.pay_date for owed in self.state.payments)))


def _plain(holding: Holding) -> bool:
    return holding.fixed_price is None and holding.qty == holding.qty.to_integral_value()


class QuickBroker(ExchangeBroker):
    """`ExchangeBroker` that works out only what a run asks for."""

    def __init__(self, exchange: QuickExchange) -> None:
        super().__init__(exchange)
        self._quick = exchange
        self._symbols = frozenset(exchange.history.symbols)

    def account_with(self, values: Mapping[str, Decimal]) -> Account:
        """As `account`, from what the holdings are worth (USD by symbol): whatever is held was bought at a price."""
        state = self._exchange.state
        today = state.now.date()
        last = next((equity for day, equity in reversed(state.equities) if day < today), state.opening_equity)
        buying_power = max(Decimal(0), self._exchange.valuation.buying_power())
        return Account(state.account.cash + sum(values.values(), ZERO), last, state.account.cash, buying_power)

    def shares(self) -> dict[str, Decimal]:
        """Shares held, by symbol."""
        return {symbol: holding.qty for symbol, holding in self._exchange.state.account.holdings.items()}

    def position_values(self) -> dict[str, Decimal]:
        """USD that each holding is worth at its last price, at its average cost where there is none."""
        holdings = self._exchange.state.account.holdings
        prices = self._quick.market.prices(list(holdings), self._quick.now)
        return {
            symbol: held.qty * (to_usd(prices[symbol]) if symbol in prices else held.average_price)
            for symbol, held in holdings.items()
        }

    def tradable_symbols(self) -> frozenset[str]:
        """See Broker."""
        return super().tradable_symbols() if self._exchange.state.assets else self._symbols
