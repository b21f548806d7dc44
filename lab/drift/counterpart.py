"""The backtest of one run that really happened: its own decisions and fills, from the same moment and holdings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from lab.drift.past_runs import NotComparable, PastRun
from lab.exchange import ExchangeBroker
from lab.forecasts import ForecastStore
from lab.quick_exchange import QuickExchange
from lab.quick_history import QuickHistory
from lab.quick_run import QuickDesk
from openbell.errors import ConfigError, OpenbellError
from openbell.model import NEW_YORK, LegKind, Order
from openbell.replay import relocated
from openbell.runs import RunInputs
from paper.account import Account, Holding


@dataclass(frozen=True)
class LegFill:
    """What became of a protective order in the backtest. Shares, and USD a share."""

    client_order_id: str  # of the entry
    kind: LegKind
    at: datetime
    qty: Decimal
    price: Decimal


@dataclass(frozen=True)
class Counterpart:
    """The orders of the backtest's run as its ledger has them, and what their protective orders did later."""

    orders: tuple[Order, ...]
    leg_fills: tuple[LegFill, ...]


class Backtester:
    """Makes counterparts over one history, with forecasts from one store."""

    def __init__(self, history: QuickHistory, slippage_bps: Decimal, store: ForecastStore, config_folder: Path) -> None:
        self._history = history
        self._slippage_bps = slippage_bps
        self._store = store
        self._config_folder = config_folder

    def counterpart(self, past: PastRun) -> Counterpart:
        """The backtest of the run; NotComparable if the bars at hand, or the code, do not allow one."""
        inputs = past.inputs
        day, sessions = inputs.clock.session, self._history.sessions
        if day not in sessions:
            raise NotComparable(f"the bars at hand, of {sessions[0]} to {sessions[-1]}, have no session {day}")
        exchange = self._exchange(inputs)
        try:
            config = relocated(inputs.config.only(inputs.strategies), self._config_folder)
            desk = QuickDesk(exchange, config, self._store)
            desk.repeat(inputs)
        except ConfigError:
            raise
        except OpenbellError as error:
            raise NotComparable(f"a backtest of it fails: {type(error).__name__}: {error}") from error
        orders = tuple(desk.ledger.orders(inputs.run_id))
        if not exchange.idle:
            exchange.advance(self._history.calendar.between(day, sessions[-1])[-1].close)
        return Counterpart(orders, tuple(_leg_fills(exchange, orders)))

    def _exchange(self, inputs: RunInputs) -> QuickExchange:
        """An exchange that stands at the run's moment with what the strategies held and what could be spent."""
        exchange = QuickExchange(
            self._history, inputs.account.cash, inputs.clock.now.astimezone(NEW_YORK), self._slippage_bps
        )
        exchange.state.account = Account(inputs.account.buying_power, _holdings(inputs))
        return exchange


def _holdings(inputs: RunInputs) -> dict[str, Holding]:
    held: dict[str, Holding] = {}
    for sleeve in inputs.sleeves.values():
        for symbol, position in sleeve.positions.items():
            before = held.get(symbol, Holding(symbol, Decimal(0), Decimal(0)))
            held[symbol] = Holding(symbol, before.qty + position.qty, before.cost + position.cost)
    return held


def _leg_fills(exchange: QuickExchange, orders: Sequence[Order]) -> list[LegFill]:
    """Of protective orders: the take-profit is the order itself, the stop its leg."""
    broker, found = ExchangeBroker(exchange), []
    for order in orders:
        profit = broker.find_order(order.client_order_id) if order.protective else None
        parts = [(profit, LegKind.TAKE_PROFIT), *((leg, leg.kind) for leg in profit.legs)] if profit else []
        for part, kind in parts:
            if part.filled_qty:
                at = exchange.order(part.id).updated_at
                found.append(LegFill(order.client_order_id, kind, at, part.filled_qty, part.filled_avg_price))
    return found
