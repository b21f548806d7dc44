"""What the broker tells of an order, turned into fills and booked to the sleeves. Pure and exact."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from openbell.errors import ImpossibleFill
from openbell.model import (
    ZERO,
    Bracket,
    BrokerOrder,
    Cross,
    Fill,
    Leg,
    LegKind,
    Order,
    OrderStatus,
    Position,
    Share,
    Side,
    Sleeve,
)
from openbell.money import CENT, allocate, quantum_of, to_cents, to_tick


def observe(order: Order, found: BrokerOrder) -> tuple[Order, tuple[Fill, ...]]:
    """The order brought up to what the broker says, and the fills that are new since the last look.

    The broker's figures are cumulative, so observing the same state twice gives no fill twice. Raises ImpossibleFill if
    the broker's filled quantity went down, or above what was ordered, which cannot happen to one order.
    """
    entry_fills, shares, value = _new_entry_fills(order, found)
    legs, leg_fills = _observe_legs(order, found.legs)
    seen = replace(
        order,
        status=found.status,
        broker_order_id=found.id,
        filled_qty=found.filled_qty,
        filled_value=value,
        shares=shares,
        legs=legs,
    )
    if order.bracket:
        seen = replace(seen, bracket=_prices_wished(order, found), expires_at=_first_expiry(found))
    return seen, entry_fills + leg_fills


def _prices_wished(order: Order, found: BrokerOrder) -> Bracket | None:
    """The prices of what rests. An order with another id has replaced ours: its prices are the owner's wish.

    Prices that differ under the same id are none: a broker may change them in a split.
    """
    known = {order.broker_order_id, *(leg.broker_order_id for leg in order.legs)} - {""}
    parts = [part for part in (found, *found.legs) if not part.status.ended and part.side is Side.SELL]
    if not known or not order.bracket or all(part.id in known for part in parts):
        return order.bracket
    stop = next((part for part in parts if part.stop_price), None)
    profit = next((part for part in parts if part.limit_price and not part.stop_price), None)
    bracket = order.bracket
    stop_price = to_tick(stop.stop_price) if stop and stop.stop_price else bracket.stop_price
    limit = to_tick(stop.limit_price) if stop and stop.limit_price else min(bracket.stop_limit_price, stop_price)
    target = to_tick(profit.limit_price) if profit and profit.limit_price else bracket.take_profit_price
    return Bracket(stop_price, limit, target) if limit <= stop_price < target else bracket


def _first_expiry(found: BrokerOrder) -> datetime | None:
    parts = [part for part in (found, *found.legs) if not part.status.ended]
    return min((part.expires_at for part in parts if part.expires_at), default=None)


def _value(found: BrokerOrder) -> Decimal:
    return to_cents(found.filled_qty * found.filled_avg_price)


def _new(found: BrokerOrder, booked_qty: Decimal, booked_value: Decimal) -> tuple[Decimal, Decimal]:
    """Quantity and USD that are new at the broker."""
    qty = found.filled_qty - booked_qty
    if qty < 0:
        raise ImpossibleFill(
            f"order {found.client_order_id or found.id}: the broker reports {found.filled_qty} shares filled, "
            f"{booked_qty} are booked already; a filled quantity never falls"
        )
    return qty, _value(found) - booked_value


def _new_entry_fills(order: Order, found: BrokerOrder) -> tuple[tuple[Fill, ...], tuple[Share, ...], Decimal]:
    qty, value = _new(found, order.filled_qty, order.filled_value)
    if qty == 0 and value == 0:
        return (), order.shares, order.filled_value
    if found.filled_qty > order.qty:
        raise ImpossibleFill(
            f"order {order.client_order_id}: the broker reports {found.filled_qty} shares filled of {order.qty}"
        )
    missing = [share.qty - share.filled_qty for share in order.shares]
    weights = missing if qty else [share.filled_qty for share in order.shares]
    qtys = allocate(qty, weights, quantum_of(qty, *weights))
    values = allocate(value, qtys if qty else weights, CENT) if value >= 0 else _negated(value, weights)
    kind = LegKind.TAKE_PROFIT if order.protective else LegKind.ENTRY
    wish = protection_of(order, found.filled_avg_price)
    fills = tuple(
        Fill(order.client_order_id, kind, share.strategy, order.symbol, order.side, part, worth, wish)
        for share, part, worth in zip(order.shares, qtys, values, strict=True)
        if part or worth
    )
    shares = tuple(
        replace(share, filled_qty=share.filled_qty + part) for share, part in zip(order.shares, qtys, strict=True)
    )
    return fills, shares, order.filled_value + value


def protection_of(order: Order, paid: Decimal) -> Bracket | None:
    """The prices that are to protect shares bought at `paid` (USD a share); None if nobody asked for protection.

    A bracket that went with its entry, and that is no shield, holds at its own prices.
    """
    if order.side is Side.SELL or paid <= 0:
        return None
    if order.protection:
        return order.protection.scaled(paid / order.reference_price)
    return None if order.shield else order.bracket


def _negated(value: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """A correction of the average price downwards, divided like any other amount."""
    return [-part for part in allocate(-value, weights, CENT)]


def _observe_legs(order: Order, found: Sequence[BrokerOrder]) -> tuple[tuple[Leg, ...], tuple[Fill, ...]]:
    gone = {leg.broker_order_id: leg for leg in order.legs}
    told = {part.id for part in found}
    legs, fills = [], []
    for part in found:
        leg = gone.pop(part.id, None) or _replaced(gone, part, told) or Leg(part.kind, part.id, part.status)
        qty, value = _new(part, leg.filled_qty, leg.filled_value)
        if qty or value:
            strategy = order.shares[0].strategy  # protective orders are of one strategy's shares
            fills.append(Fill(order.client_order_id, leg.kind, strategy, order.symbol, Side.SELL, qty, value))
        legs.append(
            replace(
                leg,
                broker_order_id=part.id,
                status=part.status,
                filled_qty=part.filled_qty,
                filled_value=leg.filled_value + value,
            )
        )
    return (*gone.values(), *legs), tuple(fills)


def _replaced(gone: dict[str, Leg], part: BrokerOrder, told: Collection[str]) -> Leg | None:
    """The leg whose place an order has taken: of the same kind, open when we last looked, and told of no more.

    Its fills go over to the new order; one with fewer begins anew, and what it replaced is over.
    """
    for leg in gone.values():
        if leg.kind is part.kind and not leg.status.ended and leg.broker_order_id not in told:
            if part.filled_qty >= leg.filled_qty:
                return gone.pop(leg.broker_order_id)
            gone[leg.broker_order_id] = replace(leg, status=OrderStatus.CANCELED)
            return None
    return None


def adopt(order: Order, found: BrokerOrder) -> Order:
    """The order with the broker's figures, its fills booked to nobody: for a person who repairs broken books."""
    filled, wanted = min(found.filled_qty, order.qty), [share.qty for share in order.shares]
    parts = allocate(filled, wanted, quantum_of(filled, *wanted))
    legs = [Leg(leg.kind, leg.id, leg.status, leg.filled_qty, _value_or_zero(leg)) for leg in found.legs]
    return replace(
        order,
        status=found.status,
        broker_order_id=found.id,
        filled_qty=found.filled_qty,
        filled_value=_value_or_zero(found),
        shares=tuple(replace(share, filled_qty=part) for share, part in zip(order.shares, parts, strict=True)),
        legs=tuple(legs),
    )


def _value_or_zero(found: BrokerOrder) -> Decimal:
    return _value(found) if found.filled_avg_price.is_finite() else ZERO


def book(sleeve: Sleeve, fill: Fill) -> Sleeve:
    """The sleeve after one of its fills. Cost leaves with the shares at the average, in cents.

    Raises ImpossibleFill when it would sell shares that the sleeve does not hold.
    """
    held = sleeve.positions.get(fill.symbol, Position(ZERO, ZERO))
    if fill.side is Side.BUY:
        protection = fill.protection or held.protection
        position = Position(held.qty + fill.qty, held.cost + fill.value, protection)
        return replace(sleeve, cash=sleeve.cash - fill.value, positions={**sleeve.positions, fill.symbol: position})
    if fill.qty > held.qty:
        raise ImpossibleFill(
            f"sleeve {sleeve.strategy} holds {held.qty} {fill.symbol}; it cannot book a sale of {fill.qty} "
            f"(order {fill.client_order_id})"
        )
    gone = held.cost if fill.qty == held.qty else to_cents(held.cost * fill.qty / held.qty)
    left = replace(held, qty=held.qty - fill.qty, cost=held.cost - gone)
    positions = {symbol: position for symbol, position in sleeve.positions.items() if symbol != fill.symbol}
    return replace(
        sleeve,
        cash=sleeve.cash + fill.value,
        positions={**positions, fill.symbol: left} if left.qty else positions,
        realised_pnl=sleeve.realised_pnl + fill.value - gone,
    )


def book_all(sleeves: Mapping[str, Sleeve], fills: Sequence[Fill]) -> list[Sleeve]:
    """The sleeves that `fills` change, changed; ImpossibleFill for a strategy without a sleeve."""
    changed: dict[str, Sleeve] = {}
    for fill in fills:
        sleeve = changed.get(fill.strategy) or sleeves.get(fill.strategy)
        if sleeve is None:
            raise ImpossibleFill(f"order {fill.client_order_id} was filled for {fill.strategy}, which has no sleeve")
        changed[fill.strategy] = book(sleeve, fill)
    return list(changed.values())


def protected_at(sleeve: Sleeve, symbol: str, wish: Bracket) -> Sleeve:
    """The sleeve with other prices that should protect its holding of `symbol`; as it is if it holds none."""
    position = sleeve.positions.get(symbol)
    if position is None:
        return sleeve
    return replace(sleeve, positions={**sleeve.positions, symbol: replace(position, protection=wish)})


def book_crosses(sleeves: Mapping[str, Sleeve], crosses: Sequence[Cross]) -> dict[str, Sleeve]:
    """The sleeves that internal crosses change: both sides at one price, so that cash is conserved to the cent."""
    fills = []
    for cross in crosses:
        for strategy, side in ((cross.seller, Side.SELL), (cross.buyer, Side.BUY)):
            fills.append(Fill("internal cross", LegKind.ENTRY, strategy, cross.symbol, side, cross.qty, cross.value))
    return {sleeve.strategy: sleeve for sleeve in book_all(sleeves, fills)}
