"""ExecuteOrder: send one planned order, once."""

from dataclasses import replace

from openbell.errors import InvalidInput, LegsStillOpen, PlanNotSealed
from openbell.execution.protection import being_sold
from openbell.execution.sending import send
from openbell.execution.settling import drop, end, settle, withdraw
from openbell.model import ZERO, Lease, MarketClock, Order, OrderStatus, Share, Side
from openbell.portfolio.cash import affordable
from openbell.ports import Broker, Ledger

_AT_THE_BROKER = frozenset({OrderStatus.SUBMITTING, OrderStatus.WORKING})


def execute_order(run_id: str, client_order_id: str, *, broker: Broker, ledger: Ledger, lease: Lease) -> Order:
    """The order after it was sent, or as an earlier attempt left it.

    Written down as SUBMITTING before it leaves, so that whoever comes later knows to look it up at the broker before
    doing anything else. An order that a halt, the market's close or an opposite order of ours has overtaken is dropped.

    Raises PlanNotSealed, LegsStillOpen while protective orders hold the shares to be sold, and BrokerUnavailable when
    the outcome is in doubt and the look-up finds nothing: trying again is safe.
    """
    if not ledger.plan_sealed(run_id):
        raise PlanNotSealed(f"the plan of run {run_id} was never completed; none of its orders may be sent")
    order = ledger.order(run_id, client_order_id)
    if order is None:
        raise InvalidInput(f"run {run_id} has no order {client_order_id}")
    if order.status is OrderStatus.SUBMITTING:
        found, _ = settle(order, broker, ledger, lease)
        clock = broker.clock()
        if found.status is not OrderStatus.SUBMITTING or _overtaken(found, clock, ledger):
            return found  # an earlier attempt may still arrive, so that it can be left alone, but not dropped
        return send(replace(found, sending_since=clock.now), broker, ledger, lease)
    if order.status is not OrderStatus.PLANNED:
        return order
    clock = broker.clock()
    _end_buys_of_what_is_flattened(order, broker, ledger, lease)
    if overtaken := _overtaken(order, clock, ledger):
        return drop(order, overtaken, ledger, lease)
    if order.side is Side.SELL:
        _free_the_shares(order, broker, ledger, lease)
    left, missing = _left_to_do(order, ledger)
    if not left:
        return drop(order, missing, ledger, lease)
    order = _cut_to(order, left, missing)
    sending = replace(order, status=OrderStatus.SUBMITTING, sending_since=clock.now)
    return send(sending, broker, ledger, lease)


def _end_buys_of_what_is_flattened(order: Order, broker: Broker, ledger: Ledger, lease: Lease) -> None:
    """Where all is to be sold, a buy that still works gives way to the sale; its cancel may take a moment."""
    halt = ledger.halt()
    if order.side is Side.BUY or not (halt and halt.flatten):
        return
    buys = [o for o in ledger.open_orders() if o.symbol == order.symbol and o.side is Side.BUY]
    if still_open := withdraw(buys, broker, ledger, lease):
        names = ", ".join(buy.client_order_id for buy in still_open)
        raise LegsStillOpen(f"buys of {order.symbol} are being cancelled: {names}")


def _left_to_do(order: Order, ledger: Ledger) -> tuple[tuple[Share, ...], str]:
    """What each strategy can still sell or pay for, and why that may be less than was planned."""
    if order.side is Side.SELL:
        return _shares_left(order, ledger), "protective orders have sold the shares by now, or another order does"
    bought = affordable(order, ledger.sleeves(), ledger.open_orders())
    return bought, "its sleeves have not the cash to pay for it"


def _cut_to(order: Order, left: tuple[Share, ...], missing: str) -> Order:
    """The order with the shares that are left; what is gone is noted."""
    qty = sum((share.qty for share in left), ZERO)
    return order if qty == order.qty else replace(order, shares=left, qty=qty, note=f"cut from {order.qty}: {missing}")


def _overtaken(order: Order, clock: MarketClock, ledger: Ledger) -> str:
    """Why the order is not to be sent any more; empty if it is."""
    halt = ledger.halt()
    if halt and not (halt.flatten and order.side is Side.SELL):
        return f"trading was halted by {halt.by}: {halt.reason}"
    if not clock.is_open:
        return f"the market closed before it was sent; it would have waited for {clock.next_open:%Y-%m-%d %H:%M %Z}"
    for found in ledger.quarantines():
        if found.concerns(order):
            return str(found)
    for other in ledger.open_orders():
        if other.symbol == order.symbol and _opposed(order, other):
            return f"the opposite order {other.client_order_id} still rests: the broker would refuse a wash trade"
    return ""


def _opposed(order: Order, other: Order) -> bool:
    """Whether another order of the symbol rests on the other side; protective ones only stand in a plain buy's way."""
    if other.protecting:
        return order.side is Side.BUY and order.bracket is None
    return other.side is not order.side and other.status in _AT_THE_BROKER


def _free_the_shares(order: Order, broker: Broker, ledger: Ledger, lease: Lease) -> None:
    """Withdraw the protective orders that hold the shares of the strategies that sell; one may fill in that moment."""
    sellers = set(order.strategies)
    resting = [rest for rest in ledger.open_orders() if rest.symbol == order.symbol and rest.protecting]
    withdrawn = [end(rest, broker, ledger, lease) for rest in resting if sellers & set(rest.strategies)]
    if still_open := [rest.client_order_id for rest in withdrawn if rest.protecting]:
        raise LegsStillOpen(f"protective orders of {order.symbol} are being cancelled: {', '.join(still_open)}")


def _shares_left(order: Order, ledger: Ledger) -> tuple[Share, ...]:
    """What each strategy still holds of what it wanted to sell, less what another order is selling already."""
    sleeves, selling = ledger.sleeves(), being_sold(order.symbol, ledger.open_orders(), besides=order)
    free = {name: sleeves[name].held(order.symbol) - selling.get(name, ZERO) for name in order.strategies}
    left = (replace(share, qty=min(share.qty, free[share.strategy])) for share in order.shares)
    return tuple(share for share in left if share.qty > 0)
