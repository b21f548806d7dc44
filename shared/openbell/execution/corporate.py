"""What companies do to the shares that sleeves hold, read out of the broker's record. Pure and exact."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from openbell.errors import ImpossibleFill
from openbell.model import (
    NEW_YORK,
    ZERO,
    Activity,
    ActivityKind,
    Bracket,
    BrokerOrder,
    CorporateAction,
    Leg,
    Order,
    OrderStatus,
    Position,
    Sleeve,
)
from openbell.money import CENT, SHARE_QUANTUM, allocate

SHARES = frozenset(
    {
        ActivityKind.SPLIT,
        ActivityKind.SPIN_OFF,
        ActivityKind.MERGER,
        ActivityKind.SYMBOL_CHANGE,
        ActivityKind.REORGANISATION,
    }
)
_NEAR = timedelta(days=7)  # between the day of an entry and the ex-date that was announced for it


@dataclass(frozen=True)
class Exchange:
    """Shares of `symbol` that went, and what came for all of them; of a spin-off they stay where they are."""

    kind: ActivityKind
    symbol: str
    ex_date: date
    gone: Decimal
    come: Mapping[str, Decimal]  # shares by symbol
    cash: Decimal
    ids: tuple[str, ...]  # of the entries
    announced: Decimal = ZERO  # new shares for each old one, as far as that was announced

    @property
    def is_all_cash(self) -> bool:
        """Whether less than a new share is due, which is paid out: 4 shares at one for ten."""
        return not self.come and ZERO < self.gone * self.announced < 1

    @property
    def stays(self) -> bool:
        """Whether the old shares are still there."""
        return self.kind is ActivityKind.SPIN_OFF

    @property
    def ratio(self) -> Decimal:
        """New shares for each old one, of a split."""
        return self.come[self.symbol] / self.gone

    @property
    def complete(self) -> bool:
        """Whether every side of it is in the record."""
        match self.kind:
            case ActivityKind.SPIN_OFF:
                return bool(self.come)
            case ActivityKind.SPLIT:
                return self.gone > 0 and (self.come.get(self.symbol, ZERO) > 0 or (self.is_all_cash and self.cash > 0))
            case ActivityKind.SYMBOL_CHANGE:
                return self.gone > 0 and bool(self.come)
            case ActivityKind.MERGER:
                return self.gone > 0 and (bool(self.come) or self.cash > 0)
        return self.gone > 0 or self.cash > 0

    def __str__(self) -> str:
        came = " and ".join([*(f"{qty} {symbol}" for symbol, qty in self.come.items()), f"{self.cash} USD"])
        return f"{self.kind.value.replace('_', ' ')} of {self.symbol}: {self.gone} shares, for which came {came}"


def exchanges(entries: Collection[Activity], announced: Sequence[CorporateAction]) -> list[Exchange]:
    """The corporate actions that the entries tell of, oldest first."""
    groups: dict[str, list[Activity]] = {}
    for entry in entries:
        if entry.kind in SHARES:
            groups.setdefault(entry.group or f"{entry.kind} {_source(entry, announced)}", []).append(entry)
    found = [_exchange(group, announced) for group in groups.values()]
    return [_with_cash_in_lieu(each, entries) if each.is_all_cash else each for each in found]


def _with_cash_in_lieu(found: Exchange, entries: Collection[Activity]) -> Exchange:
    """With the cash for shares of which none is left to tell whose it is."""
    groups = {entry.group for entry in entries if entry.id in found.ids} - {""}
    paid = [entry for entry in entries if entry.kind is ActivityKind.OTHER and entry.group in groups]
    cash = found.cash + sum((entry.amount for entry in paid), ZERO)
    return replace(found, cash=cash, ids=(*found.ids, *(entry.id for entry in paid)))


def _announced_for(entry: Activity, announced: Sequence[CorporateAction]) -> CorporateAction | None:
    for action in announced:
        same = action.kind is entry.kind and entry.symbol in {action.symbol, action.new_symbol}
        if same and abs(action.ex_date - entry.day) <= _NEAR:
            return action
    return None


def _source(entry: Activity, announced: Sequence[CorporateAction]) -> str:
    """The symbol of the old shares."""
    action = _announced_for(entry, announced)
    return action.symbol if action else entry.symbol


def _exchange(group: Sequence[Activity], announced: Sequence[CorporateAction]) -> Exchange:
    first = next((entry for entry in group if entry.qty < 0), group[0])
    action = _announced_for(first, announced)
    symbol = action.symbol if action else first.symbol
    come: dict[str, Decimal] = {}
    for entry in group:
        if entry.qty > 0:
            come[entry.symbol] = come.get(entry.symbol, ZERO) + entry.qty
    gone = -sum((entry.qty for entry in group if entry.qty < 0), ZERO)
    if first.kind is ActivityKind.SPIN_OFF and action and action.ratio and come:
        gone = sum(come.values(), ZERO) / action.ratio
    return Exchange(
        kind=first.kind,
        symbol=symbol,
        ex_date=action.ex_date if action else first.day,
        gone=gone,
        come=come,
        cash=sum((entry.amount for entry in group), ZERO),
        ids=tuple(entry.id for entry in group),
        announced=action.ratio if action else ZERO,
    )


def owned(symbol: str, sleeves: Mapping[str, Sleeve]) -> dict[str, Decimal]:
    """Shares of a symbol by strategy."""
    return {name: sleeve.held(symbol) for name, sleeve in sleeves.items() if sleeve.held(symbol)}


def carry_out(found: Exchange, sleeves: Mapping[str, Sleeve]) -> tuple[list[Sleeve], Decimal]:
    """The sleeves that it changes, changed; and the cash (USD) that belongs to shares of nobody.

    Everything is divided over all shares that the account had, so that the owner's own shares get theirs. 7 of 21
    shares that became 10.5 of 31.5 are 3.5 more. Raises ImpossibleFill if the sleeves own more than went.
    """
    holders = owned(found.symbol, sleeves)
    ours = sum(holders.values(), ZERO)
    gone = found.gone or ours
    if ours > gone:
        raise ImpossibleFill(f"{found}; but the strategies own {ours} shares of it")
    weights = [*holders.values(), gone - ours]
    shares = {symbol: allocate(qty, weights, SHARE_QUANTUM) for symbol, qty in found.come.items() if any(weights)}
    cash = divided(found.cash, weights) if any(weights) else [found.cash]
    changed = [
        _changed(sleeves[name], found, {symbol: parts[at] for symbol, parts in shares.items()}, cash[at])
        for at, name in enumerate(holders)
    ]
    return changed, cash[-1]


def divided(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """USD divided by weights to the cent, above and below 0; what is finer than a cent goes to the last one."""
    sign = -1 if amount < 0 else 1
    cents = abs(amount).quantize(CENT)
    parts = [sign * part for part in allocate(cents, weights, CENT)]
    parts[-1] += amount - sign * cents
    return parts


def _changed(sleeve: Sleeve, found: Exchange, come: Mapping[str, Decimal], cash: Decimal) -> Sleeve:
    positions = dict(sleeve.positions)
    old = positions[found.symbol] if found.stays else positions.pop(found.symbol)
    new = {symbol: qty for symbol, qty in come.items() if qty}
    cost = ZERO if found.stays else max(ZERO, old.cost - cash) if new else ZERO
    realised = cash if found.stays else cash + cost - old.cost
    costs = allocate(cost, list(new.values()), CENT) if new else []
    for (symbol, qty), paid in zip(new.items(), costs, strict=True):
        known = positions.get(symbol, Position(ZERO, ZERO))
        positions[symbol] = Position(known.qty + qty, known.cost + paid, known.protection or _carried(old, qty, found))
    return replace(sleeve, cash=sleeve.cash + cash, positions=positions, realised_pnl=sleeve.realised_pnl + realised)


def _carried(old: Position, qty: Decimal, found: Exchange) -> Bracket | None:
    """The prices that protect the new shares, where these are worth what the old ones were."""
    if old.protection is None or found.stays or found.cash or len(found.come) > 1:
        return None
    return old.protection.scaled(old.qty / qty)


def before(order: Order, found: BrokerOrder, ex_date: date) -> BrokerOrder:
    """What the broker tells of an order, without the fills that came on the ex-date or later."""
    legs = {leg.broker_order_id: leg for leg in order.legs}
    parts = []
    for leg in found.legs:
        known = legs.get(leg.id)
        booked = (known.filled_qty, known.filled_value) if known else (ZERO, ZERO)
        parts.append(_unfilled(leg, *booked) if _is_new(leg, ex_date) else leg)
    entry = _unfilled(found, order.filled_qty, order.filled_value) if _is_new(found, ex_date) else found
    return replace(entry, legs=tuple(parts))


def _is_new(found: BrokerOrder, ex_date: date) -> bool:
    return found.filled_at is not None and found.filled_at.astimezone(NEW_YORK).date() >= ex_date


def _unfilled(found: BrokerOrder, qty: Decimal, value: Decimal) -> BrokerOrder:
    """With no more than what is booked of it."""
    price = value / qty if qty else ZERO
    return replace(found, status=OrderStatus.WORKING, filled_qty=qty, filled_avg_price=price)


def after_split(order: Order, found: BrokerOrder, ratio: Decimal) -> Order:
    """An open order in new shares, as far as the broker has adjusted what rests there.

    Brokers differ: some adjust the quantity and the prices of what rests, others leave it as it was.
    """
    legs = tuple(_adjusted_leg(order, leg, found, ratio) for leg in order.legs)
    if order.status.ended or found.qty != order.qty * ratio:
        return replace(order, legs=legs)
    shares = tuple(replace(s, qty=s.qty * ratio, filled_qty=s.filled_qty * ratio) for s in order.shares)
    return replace(
        order,
        qty=order.qty * ratio,
        shares=shares,
        filled_qty=order.filled_qty * ratio,
        bracket=order.bracket and order.bracket.scaled(1 / ratio),
        limit_price=order.limit_price and order.limit_price / ratio,
        reference_price=order.reference_price / ratio,
        legs=legs,
    )


def _adjusted_leg(order: Order, leg: Leg, found: BrokerOrder, ratio: Decimal) -> Leg:
    told = next((part for part in found.legs if part.id == leg.broker_order_id), None)
    adjusted = told is not None and not leg.status.ended and told.qty == order.qty * ratio
    return replace(leg, filled_qty=leg.filled_qty * ratio) if adjusted else leg
