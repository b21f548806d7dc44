"""Fills of a backtest by strategy, and the round trips that they make."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lab.outcome import DatedCross, DatedOrder, Outcome
from openbell.model import LegKind, Side
from openbell.money import CENT, allocate


@dataclass(frozen=True)
class BookedFill:
    """Shares that changed hands for one strategy on one day; `value` is the USD paid or received."""

    day: date
    strategy: str
    symbol: str
    side: Side
    qty: Decimal
    value: Decimal
    kind: LegKind | None  # None: passed from another strategy inside the account

    @property
    def at_the_market(self) -> bool:
        """Whether it paid slippage: what rests at its price or passes inside the account does not."""
        return self.kind in {LegKind.ENTRY, LegKind.STOP}


@dataclass(frozen=True)
class RoundTrip:
    """One strategy's stay in one symbol, from flat to flat. USD; `cost` is commission, which `pnl` is less of."""

    strategy: str
    symbol: str
    entered: date
    left: date | None  # None: still held, and valued at the last close
    bought: float
    pnl: float
    cost: float

    @property
    def gain(self) -> float:
        """Profit over all that was bought, as a fraction."""
        return self.pnl / self.bought if self.bought else 0.0


def fills_of(outcome: Outcome) -> list[BookedFill]:
    """Every fill as the sleeves booked it, by day; on one day sells first."""
    found = [fill for dated in outcome.orders for fill in _of_order(dated)]
    found += [fill for cross in outcome.crosses for fill in _of_cross(cross)]
    return sorted(found, key=lambda fill: (fill.day, fill.side is Side.BUY, fill.strategy, fill.symbol))


def _of_order(dated: DatedOrder) -> Iterable[BookedFill]:
    order = dated.order
    if dated.filled_at:
        values = allocate(order.filled_value, [share.filled_qty for share in order.shares], CENT)
        for share, value in zip(order.shares, values, strict=True):
            day, qty = dated.filled_at.date(), share.filled_qty
            if qty:
                kind = LegKind.TAKE_PROFIT if order.protective else LegKind.ENTRY
                yield BookedFill(day, share.strategy, order.symbol, order.side, qty, value, kind)
    for leg in order.legs:
        if leg.filled_qty:
            day, owner = dated.legs_filled_at[leg.broker_order_id].date(), order.shares[0].strategy
            yield BookedFill(day, owner, order.symbol, Side.SELL, leg.filled_qty, leg.filled_value, leg.kind)


def _of_cross(cross: DatedCross) -> Iterable[BookedFill]:
    for strategy, side in ((cross.seller, Side.SELL), (cross.buyer, Side.BUY)):
        yield BookedFill(cross.day, strategy, cross.symbol, side, cross.qty, cross.value, None)


def commission_of(fill: BookedFill, cost_bps: Decimal) -> float:
    """USD for a fill at a rate in basis points of its value; what passes inside the account is free."""
    return 0.0 if fill.kind is None else float(fill.value * cost_bps / 10_000)


@dataclass
class _Stay:
    entered: date
    qty: Decimal = Decimal(0)
    bought: float = 0.0
    cash: float = 0.0
    cost: float = 0.0


def round_trips(fills: Sequence[BookedFill], cost_bps: Decimal, last_closes: dict[str, float]) -> list[RoundTrip]:
    """The stays in the order in which they began; `last_closes` (USD) value those that are not over."""
    open_stays: dict[tuple[str, str], _Stay] = {}
    ended: list[RoundTrip] = []
    for fill in fills:
        key = fill.strategy, fill.symbol
        stay = open_stays.setdefault(key, _Stay(fill.day))
        _add(stay, fill, cost_bps)
        if stay.qty == 0:
            ended.append(_trip(key, open_stays.pop(key), fill.day, 0.0))
    held = [_trip(key, stay, None, float(stay.qty) * last_closes[key[1]]) for key, stay in open_stays.items()]
    return sorted([*ended, *held], key=lambda trip: (trip.entered, trip.strategy, trip.symbol))


def _add(stay: _Stay, fill: BookedFill, cost_bps: Decimal) -> None:
    stay.qty += fill.side.sign * fill.qty
    stay.cash -= fill.side.sign * float(fill.value)
    stay.cost += commission_of(fill, cost_bps)
    if fill.side is Side.BUY:
        stay.bought += float(fill.value)


def _trip(key: tuple[str, str], stay: _Stay, left: date | None, worth: float) -> RoundTrip:
    return RoundTrip(*key, stay.entered, left, stay.bought, stay.cash + worth - stay.cost, stay.cost)


@dataclass(frozen=True)
class TradeFigures:
    """Of round trips that are over, unless said otherwise. USD and fractions; NaN where there are none to divide by."""

    trips: int
    still_open: int
    win_rate: float
    profit_factor: float  # gains over losses
    expectancy: float  # USD a trip
    mean_gain: float  # of the winners, of what they bought
    mean_loss: float  # of the losers
    mean_days: float  # calendar days


def trade_figures(trips: Iterable[RoundTrip]) -> TradeFigures:
    """What the trips came to: two that made 30 and lost 10 USD have a profit factor of 3 and an expectancy of 10."""
    trips = list(trips)
    over = [trip for trip in trips if trip.left]
    won, lost = [t for t in over if t.pnl > 0], [t for t in over if t.pnl < 0]
    return TradeFigures(
        trips=len(over),
        still_open=len(trips) - len(over),
        win_rate=_ratio(len(won), len(over)),
        profit_factor=_ratio(sum(t.pnl for t in won), -sum(t.pnl for t in lost)),
        expectancy=_ratio(sum(t.pnl for t in over), len(over)),
        mean_gain=_ratio(sum(t.gain for t in won), len(won)),
        mean_loss=_ratio(sum(t.gain for t in lost), len(lost)),
        mean_days=_ratio(sum((t.left - t.entered).days for t in over if t.left), len(over)),
    )


def _ratio(above: float, below: float) -> float:
    return above / below if below else float("nan")


def by_strategy(trips: Iterable[RoundTrip]) -> dict[str, list[RoundTrip]]:
    """The trips of each strategy."""
    found: dict[str, list[RoundTrip]] = defaultdict(list)
    for trip in trips:
        found[trip.strategy].append(trip)
    return dict(found)
