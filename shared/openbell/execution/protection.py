"""Protection: what the ledger says should rest at the broker for each holding, compared with what rests, and put right.

A holding whose entry asked for it carries the prices that should protect it (`Position.protection`). An OCO at these
prices rests at the broker for all of its whole shares: a take-profit and a stop-limit, until one fills or both are
withdrawn. Whatever took one away (a sale that was refused, ninety days, the broker, a person), the next look places it
anew. Prices that the owner moves at the broker are taken over from there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import cached_property
from hashlib import sha256

from openbell.execution.sending import send
from openbell.execution.settling import drop, end, settle
from openbell.model import ZERO, Bracket, BrokerOrder, Lease, Order, OrderStatus, Share, Side, Sleeve
from openbell.money import ONE_SHARE
from openbell.portfolio.plan import client_order_id
from openbell.ports import Broker, Ledger

RENEWED_BEFORE = timedelta(days=45)  # half of a good-till-cancelled order's life: longer than a month between two runs
_LOOKS = 3  # whether a withdrawn order has ended, before its shares are left for the next look


@dataclass(frozen=True)
class Unprotected:
    """Shares of a strategy's holding that should be protected and are not, and why."""

    strategy: str
    symbol: str
    qty: Decimal
    why: str


def protect(
    run_id: str, broker: Broker, ledger: Ledger, lease: Lease, only: Collection[str] | None = None
) -> tuple[Unprotected, ...]:
    """Bring what rests at the broker to what the ledger says should; gives what could not be protected.

    New orders are orders of the run `run_id`. `only`: symbols to look at, None: all. The ledger's open orders must be
    settled. Raises BrokerUnavailable when it is in doubt whether an order arrived: trying again is safe, and goes on
    where this attempt stopped.
    """
    sleeves, by_symbol = ledger.sleeves(), defaultdict(list)
    for order in ledger.open_orders():
        by_symbol[order.symbol].append(order)
    keys = {(name, symbol) for name, sleeve in sleeves.items() for symbol in sleeve.positions}
    keys |= {(order.strategies[0], symbol) for symbol in by_symbol for order in by_symbol[symbol] if guards(order)}
    desk = _Desk(run_id, broker, ledger, lease)
    apart = {found.name for found in ledger.quarantines()}  # of which no order is sent or withdrawn
    gaps: list[Unprotected] = []
    for strategy, symbol in sorted(keys):
        if only is not None and symbol not in only:
            continue
        if {strategy, symbol} & apart:
            gaps += _left_alone(sleeves[strategy], symbol, by_symbol[symbol])
        else:
            gaps += desk.protect(sleeves[strategy], symbol, by_symbol[symbol])
    return tuple(gaps)


def _left_alone(sleeve: Sleeve, symbol: str, orders: Sequence[Order]) -> list[Unprotected]:
    """What of a quarantined holding has no protection."""
    own = [order for order in orders if sleeve.strategy in order.strategies]
    wanted, wish = _wanted(sleeve, symbol, being_sold(symbol, own).get(sleeve.strategy, ZERO))
    missing = wanted - _total(own)
    return [Unprotected(sleeve.strategy, symbol, missing, "it is quarantined")] if wish and missing > 0 else []


def guards(order: Order) -> bool:
    """Whether shares rest in protective orders of it, or may do so in a moment."""
    return order.open and (order.protective or order.protecting > 0)


def guarded(orders: Iterable[Order]) -> tuple[tuple[str, str], ...]:
    """(strategy, symbol) of holdings whose shares rest in protective orders."""
    return tuple(sorted({(order.strategies[0], order.symbol) for order in orders if guards(order)}))


def pending(orders: Iterable[Order]) -> tuple[str, ...]:
    """Symbols in which a buy or a sell of a strategy is not filled yet."""
    return tuple(sorted({order.symbol for order in orders if not order.status.ended and not order.protective}))


def being_sold(symbol: str, orders: Iterable[Order], besides: Order | None = None) -> dict[str, Decimal]:
    """Shares by strategy that sells at the broker, besides one and protective ones, may still sell."""
    found: dict[str, Decimal] = {}
    for order in orders:
        same = besides is not None and order.client_order_id == besides.client_order_id
        if order.symbol != symbol or order.side is Side.BUY or order.protective or same:
            continue
        if order.status not in {OrderStatus.SUBMITTING, OrderStatus.WORKING}:
            continue
        for share in order.shares:
            found[share.strategy] = found.get(share.strategy, ZERO) + share.qty - share.filled_qty
    return found


def known_again(found: BrokerOrder, strategies: Iterable[str]) -> Order | None:
    """The protective order of one of the strategies that only the broker has left; None if it is none."""
    run_id, _, rest = found.client_order_id.partition(f"-{found.symbol}-{Side.SELL.value}-")
    owner = next((name for name in strategies if rest.startswith(f"{_mark(name)}-")), None)
    stop = next((leg for leg in found.legs if leg.stop_price and leg.limit_price), None)
    if owner is None or stop is None or not (stop.stop_price and stop.limit_price and found.limit_price):
        return None
    return Order(
        client_order_id=found.client_order_id,
        run_id=run_id,
        symbol=found.symbol,
        side=Side.SELL,
        qty=found.qty,
        reference_price=found.limit_price,
        reason=_reason(owner),
        shares=(Share(owner, found.qty),),
        bracket=Bracket(stop.stop_price, stop.limit_price, found.limit_price),
    )


def _mark(strategy: str) -> str:
    """What tells the protective orders of one strategy from another's in their ids."""
    return f"p{sha256(strategy.encode()).hexdigest()[:4]}"


def _reason(strategy: str) -> str:
    return f"{strategy}: protection of its holding"


class _Desk:
    """What it takes to put one holding's protection right."""

    def __init__(self, run_id: str, broker: Broker, ledger: Ledger, lease: Lease) -> None:
        self._run_id = run_id
        self._broker = broker
        self._ledger = ledger
        self._lease = lease

    def protect(self, sleeve: Sleeve, symbol: str, orders: Sequence[Order]) -> list[Unprotected]:
        """What of the holding could not be protected; `orders` are the open ones of the symbol."""
        own = [self._without_doubt(order) for order in orders if sleeve.strategy in order.strategies]
        resting = [order for order in own if order.protecting]
        selling = being_sold(symbol, own).get(sleeve.strategy, ZERO)
        wanted, wish = _wanted(sleeve, symbol, selling)
        if self._is_wrong(resting, wanted, wish):
            if not self._withdraw(resting):
                return [Unprotected(sleeve.strategy, symbol, wanted, "its earlier protective order has not ended yet")]
            sleeve = self._ledger.sleeves()[sleeve.strategy]  # one may have filled in that moment
            resting, (wanted, wish) = [], _wanted(sleeve, symbol, selling)
        if wish is None:
            return []
        whole = wanted.quantize(ONE_SHARE, ROUND_DOWN)
        missing = whole - _total(resting)
        refused = self._place(sleeve, symbol, wish, missing) if missing > 0 else ""
        gaps = [Unprotected(sleeve.strategy, symbol, missing, refused)] if refused else []
        if wanted > whole:
            why = "less than a share: protective orders are for whole shares"
            gaps.append(Unprotected(sleeve.strategy, symbol, wanted - whole, why))
        return gaps

    def _without_doubt(self, order: Order) -> Order:
        """A protective order that an earlier attempt wrote down: looked up, and sent if it never arrived."""
        if not order.protective or order.status not in {OrderStatus.PLANNED, OrderStatus.SUBMITTING}:
            return order
        found, _ = settle(order, self._broker, self._ledger, self._lease)
        if found.status is OrderStatus.PLANNED:
            return drop(found, "its run ended before it was sent", self._ledger, self._lease)
        return self._send(found) if found.status is OrderStatus.SUBMITTING else found

    def _is_wrong(self, resting: Sequence[Order], wanted: Decimal, wish: Bracket | None) -> bool:
        """Whether what rests has to go: it is for more shares than there are, at other prices, or soon too old."""
        if _total(resting) > wanted:
            return True
        return wish is not None and (any(order.bracket != wish for order in resting) or self._aged(resting))

    def _aged(self, resting: Sequence[Order]) -> bool:
        ends = [order.expires_at for order in resting if order.expires_at]
        return bool(ends) and min(ends) - self._now < RENEWED_BEFORE

    @cached_property
    def _now(self) -> datetime:
        return self._broker.clock().now

    def _withdraw(self, resting: Sequence[Order]) -> bool:
        """Whether all have ended."""
        left = list(resting)
        for _ in range(_LOOKS):
            ended = [end(order, self._broker, self._ledger, self._lease) for order in left]
            left = [order for order in ended if order.protecting]
        return not left

    def _place(self, sleeve: Sleeve, symbol: str, wish: Bracket, qty: Decimal) -> str:
        """Send an OCO; gives why the broker refuses it, or nothing. What it refused in this run is not asked again.

        A stop that the price has passed by now would have sold the shares, or rest as a limit: so does what is sent.
        """
        number = 1
        while earlier := self._ledger.order(self._run_id, self._id(sleeve, symbol, number)):
            if earlier.status is OrderStatus.REJECTED and (earlier.qty, earlier.bracket) == (qty, wish):
                return earlier.note
            number += 1
        order = Order(
            client_order_id=self._id(sleeve, symbol, number),
            run_id=self._run_id,
            symbol=symbol,
            side=Side.SELL,
            qty=qty,
            reference_price=sleeve.positions[symbol].average_cost,
            reason=_reason(sleeve.strategy),
            shares=(Share(sleeve.strategy, qty),),
            bracket=wish,
        )
        sent = self._add(order)
        if sent.status is OrderStatus.REJECTED and self._has_passed(symbol, wish):
            why = f"{sleeve.strategy}: the price has passed its stop of {wish.stop_price}"
            passed = replace(order, reason=why, limit_price=wish.stop_limit_price)
            sent = self._add(replace(passed, client_order_id=self._id(sleeve, symbol, number + 1)))
        return sent.note if sent.status is OrderStatus.REJECTED else ""

    def _has_passed(self, symbol: str, wish: Bracket) -> bool:
        """Whether the price is at the stop or below; beside a buy that works a plain sell would be a wash trade."""
        if any(o.symbol == symbol and o.side is Side.BUY and not o.status.ended for o in self._ledger.open_orders()):
            return False
        held = self._broker.positions().get(symbol)
        return held is not None and held.price <= wish.stop_price

    def _add(self, order: Order) -> Order:
        self._ledger.add_order(order, self._lease)
        return self._send(order)

    def _id(self, sleeve: Sleeve, symbol: str, number: int) -> str:
        return client_order_id(self._run_id, symbol, Side.SELL, _mark(sleeve.strategy), number)

    def _send(self, order: Order) -> Order:
        since = self._broker.clock().now
        sending = replace(order, status=OrderStatus.SUBMITTING, sending_since=since)
        return send(sending, self._broker, self._ledger, self._lease)


def _wanted(sleeve: Sleeve, symbol: str, selling: Decimal) -> tuple[Decimal, Bracket | None]:
    """Shares that may rest in protective orders (what is held, less what is being sold), and the prices they should."""
    position = sleeve.positions.get(symbol)
    return max(ZERO, sleeve.held(symbol) - selling), position.protection if position else None


def _total(resting: Iterable[Order]) -> Decimal:
    return sum((order.protecting for order in resting), ZERO)
