"""Live orders beside the backtest's: a line for each, totals, and the largest cause in a sentence."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from lab.drift.components import Cause, Components, LivePart, ModelPart, difference, split, summed
from lab.drift.counterpart import Counterpart
from lab.drift.past_runs import LeftOut, PastRun
from lab.drift.prices import Prices
from openbell.model import ZERO, Bracket, LegKind, Order, OrderStatus, Side
from openbell.money import CENT, allocate, to_cents

type Key = tuple[str, str, Side]  # strategy, symbol, side


@dataclass(frozen=True)
class Line:
    """One strategy's part of an order or of a protective order, live and in the backtest. Prices in USD a share."""

    run_id: str
    as_of: datetime
    strategy: str
    symbol: str
    side: Side
    kind: LegKind
    live: LivePart
    model: ModelPart
    mark: Decimal  # what both are valued at
    difference: Decimal  # USD, live less backtest
    parts: Components
    note: str  # what the ledger says of an order that was not filled


@dataclass(frozen=True)
class DriftReport:
    """What came out of all runs."""

    lines: tuple[Line, ...]
    runs: int  # that were set beside a backtest
    left_out: tuple[LeftOut, ...]

    @property
    def total(self) -> Components:
        """Of all lines."""
        return summed(line.parts for line in self.lines)

    @property
    def by_strategy(self) -> Mapping[str, Components]:
        """By strategy, in the order of names."""
        lines = sorted(self.lines, key=lambda line: line.strategy)
        return {name: summed(line.parts for line in of) for name, of in groupby(lines, lambda line: line.strategy)}

    @property
    def cause(self) -> Cause | None:
        """The cause with most USD in all, or if all of them cancel out, order by order; None where nothing differs."""
        total = self.total
        differing = [cause for cause in Cause if any(line.parts.of(cause) for line in self.lines)]
        return max(differing, key=lambda cause: (abs(total.of(cause)), self._turned(cause)), default=None)

    def _turned(self, cause: Cause) -> Decimal:
        return sum((abs(line.parts.of(cause)) for line in self.lines), ZERO)

    @property
    def worst(self) -> Line | None:
        """The line that has most of the largest cause; None where nothing differs."""
        cause = self.cause
        if cause is None:
            return None
        sign = 1 if self.total.of(cause) > 0 else -1
        return max(self.lines, key=lambda line: sign * line.parts.of(cause))


class Comparison:
    """Sets runs beside their counterparts; `fills_at_once` says that the live broker fills as soon as it is asked.

    The paper exchange does not: there an order waits for the next price of the bars.
    """

    def __init__(self, runs: Sequence[PastRun], prices: Prices, *, fills_at_once: bool) -> None:
        self._runs = runs
        self._prices = prices
        self._fills_at_once = fills_at_once

    def lines(self, past: PastRun, counterpart: Counterpart) -> list[Line]:
        """A line for each part of an order that the run, or its counterpart, has."""
        planned = past.decisions.plan.orders if past.decisions else counterpart.orders
        live, model = _Book(planned, past.orders), _Book(_decided(counterpart.orders), counterpart.orders)
        keys = sorted({*live.ordered, *model.ordered})
        entries = [self._entry(past, key, live, model) for key in keys]
        return [*entries, *self._protective(past, counterpart)]

    def _entry(self, past: PastRun, key: Key, live: "_Book", model: "_Book") -> Line:
        strategy, symbol, side = key
        reference = (model.references | live.references)[key]
        met = self._prices.met(symbol, past.inputs.clock.now) or reference
        modelled = ModelPart(
            model.ordered[key], model.filled[key], model.values[key], self._prices.filled(side, met), met
        )
        seen = LivePart(live.ordered[key], live.filled[key], live.values[key], self._market_value(live.fills[key]))
        mark = self._mark(symbol, past, self._next_due(past, strategy)) or met
        return _line(past, key, LegKind.ENTRY, seen, modelled, mark, live.notes.get(key, past.run.note))

    def _market_value(self, fills: Iterable[tuple[Order, Decimal]]) -> Decimal:
        """USD that filled shares were worth at the price that the market had when they were filled."""
        return sum((qty * self._live_met(order) for order, qty in fills), ZERO)

    def _live_met(self, order: Order) -> Decimal:
        if self._fills_at_once or order.sending_since is None:
            return order.reference_price
        return self._prices.met(order.symbol, order.sending_since) or order.reference_price

    def _mark(self, symbol: str, past: PastRun, at: datetime | None) -> Decimal | None:
        return self._prices.mark(symbol, past.inputs.clock.session, at)

    def _next_due(self, past: PastRun, strategy: str) -> datetime | None:
        """When the strategy decided next: from there on both sides start from the same holdings again."""
        return next((run.inputs.clock.now for run in self._after(past) if strategy in run.inputs.strategies), None)

    def _end_of_legs(self, past: PastRun, entry: Order) -> datetime | None:
        """When the strategy next traded the symbol, which ends its protective orders; None if it never did again.

        Of legs that are open in the books, what came after the last run is not known.
        """
        for run in self._after(past):
            traded = (order for order in _decided(run.orders) if order.symbol == entry.symbol)
            if any(entry.strategies[0] in order.strategies for order in traded):
                return run.inputs.clock.now
        return self._runs[-1].inputs.clock.now if entry.open else None

    def _after(self, past: PastRun) -> Sequence[PastRun]:
        return self._runs[self._runs.index(past) + 1 :]

    def _protective(self, past: PastRun, counterpart: Counterpart) -> Iterable[Line]:
        """Protective orders of entries that both sides filled. One that only live filled: the bars never reached it."""
        modelled = {order.client_order_id for order in counterpart.orders}
        for order in past.orders:
            if order.protective and order.bracket and order.client_order_id in modelled:
                yield from self._parts(past, order, order.bracket, counterpart)

    def _parts(self, past: PastRun, order: Order, bracket: Bracket, counterpart: Counterpart) -> Iterable[Line]:
        strategy, symbol = order.strategies[0], order.symbol
        until = self._end_of_legs(past, order)
        stopped = [(leg.filled_qty, leg.filled_value) for leg in order.legs]
        parts = {
            LegKind.STOP: (self._prices.filled(Side.SELL, bracket.stop_price), stopped),
            LegKind.TAKE_PROFIT: (bracket.take_profit_price, [(order.filled_qty, order.filled_value)]),
        }
        for kind, (own_price, fills) in parts.items():
            model = _modelled_leg(counterpart, order.client_order_id, kind, own_price, until)
            qty, value = sum((part for part, _ in fills), ZERO), sum((worth for _, worth in fills), ZERO)
            if qty or model.filled:
                live = LivePart(max(qty, model.filled), qty, value, qty * model.price)
                mark = self._mark(symbol, past, until) or model.price
                yield _line(past, (strategy, symbol, Side.SELL), kind, live, model, mark, "")


def _decided(orders: Iterable[Order]) -> list[Order]:
    """Orders that a strategy decided on: those that protect its holdings are none."""
    return [order for order in orders if not order.protective]


def _modelled_leg(
    counterpart: Counterpart, client_order_id: str, kind: LegKind, own_price: Decimal, until: datetime | None
) -> ModelPart:
    """A protective order in the backtest; one that was not filled there has its own price."""
    for fill in counterpart.leg_fills:
        if (fill.client_order_id, fill.kind) == (client_order_id, kind) and not (until and fill.at > until):
            return ModelPart(fill.qty, fill.qty, to_cents(fill.qty * fill.price), fill.price, fill.price)
    return ModelPart(ZERO, ZERO, ZERO, own_price, own_price)


class _Book:
    """A run's orders by strategy, symbol and side."""

    def __init__(self, planned: Sequence[Order], orders: Sequence[Order]) -> None:
        self.ordered: dict[Key, Decimal] = defaultdict(lambda: ZERO)
        self.filled: dict[Key, Decimal] = defaultdict(lambda: ZERO)
        self.values: dict[Key, Decimal] = defaultdict(lambda: ZERO)
        self.fills: dict[Key, list[tuple[Order, Decimal]]] = defaultdict(list)
        self.references: dict[Key, Decimal] = {}
        self.notes: dict[Key, str] = {}
        for order in planned:
            for share in order.shares:
                key = share.strategy, order.symbol, order.side
                self.ordered[key] += share.qty
                self.references[key] = order.reference_price
        for order in _decided(orders):
            self._book(order)

    def _book(self, order: Order) -> None:
        values = allocate(order.filled_value, [share.filled_qty for share in order.shares], CENT)
        for share, value in zip(order.shares, values, strict=True):
            key = share.strategy, order.symbol, order.side
            self.filled[key] += share.filled_qty
            self.values[key] += value
            self.fills[key].append((order, share.filled_qty))
            if order.status is not OrderStatus.FILLED:
                status = order.status.value.lower()
                self.notes[key] = f"{status}: {order.note}" if order.note else status
            else:
                self.notes.setdefault(key, "")


def _line(past: PastRun, key: Key, kind: LegKind, live: LivePart, model: ModelPart, mark: Decimal, note: str) -> Line:
    strategy, symbol, side = key
    whole, parts = difference(side, live, model, mark), split(side, live, model, mark)
    return Line(past.run.run_id, past.run.as_of, strategy, symbol, side, kind, live, model, mark, whole, parts, note)
