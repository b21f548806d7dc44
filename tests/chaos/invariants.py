"""What must be true when the dust has settled: sentences about what is not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from openbell.events import order_events, run_events
from openbell.model import Order, OrderStatus, RunStatus
from openbell.model import Side as OrderSide
from openbell.money import to_cents
from openbell.runs import report_key
from paper.orders import Order as BookedOrder
from paper.orders import Side, Status
from tests.chaos.evidence import Evidence

_CENT = Decimal("0.01")
_NEVER_SENT = frozenset({OrderStatus.REJECTED, OrderStatus.DROPPED})
_UNSETTLED = frozenset({OrderStatus.PLANNED, OrderStatus.SUBMITTING})
_ENDS = {
    OrderStatus.FILLED: {Status.FILLED},
    OrderStatus.CANCELED: {Status.CANCELED, Status.REPLACED},
    OrderStatus.EXPIRED: {Status.EXPIRED},
    OrderStatus.REJECTED: {Status.REJECTED},
}


def violations(found: Evidence) -> list[str]:
    """Every promise that is broken, judged after a clean run."""
    checks = (
        _orders_once,
        _no_more_than_planned,
        _nothing_in_doubt,
        _shares,
        _cash,
        _cash_adds_up,
        _cash_never_negative,
        _sleeves_in_themselves,
        _halt_honoured,
        _one_trader,
        _nothing_cancelled_without_the_lease,
        _protected,
        _protected_where_it_should_be,
        _alerts,
        _events,
        _ends,
        _no_own_goals,
        _nothing_set_apart,
        _recoverable,
    )
    return [f"{check.__name__.strip('_')}: {sentence}" for check in checks for sentence in check(found)]


def _orders_once(found: Evidence) -> Iterator[str]:
    """Every order at the broker is one of ours, once, and the ledger tells of it what the broker tells."""
    ours = dict(found.orders)
    entries = [order for order in found.exchange.orders() if order.parent_id is None and not order.replaces]
    for booked in entries:
        order = ours.pop(booked.client_order_id, None)
        if order is None:
            yield f"the broker has {booked.client_order_id} ({booked.status}), which no plan knows"
        else:
            newest = _newest(found, booked)
            yield from _same(found, order, newest)
            yield from _same_legs(found, order, newest)
    for order in ours.values():
        if order.status not in _NEVER_SENT:
            yield f"the ledger has {order.client_order_id} as {order.status}, and the broker never got it"


def _no_more_than_planned(found: Evidence) -> Iterator[str]:
    """An order and what it was repriced to have together filled no more than the first of them was for."""
    filled: Counter[tuple[str, str]] = Counter()
    for order in found.orders.values():
        filled[order.run_id, order.family] += order.filled_qty  # type: ignore[assignment]
    for order in found.orders.values():
        total = filled[order.run_id, order.family]
        first = order.client_order_id.endswith("-1") and not order.protective
        if first and total > order.qty and order.symbol not in _split(found):
            yield f"{order.client_order_id}: of {order.qty} shares {total} were filled, revisions included"


def _newest(found: Evidence, booked: BookedOrder) -> BookedOrder:
    """The order, or what the owner has put in its place."""
    while booked.replaced_by:
        booked = found.exchange.order(booked.replaced_by)
    return booked


def _split(found: Evidence) -> set[str]:
    """Symbols of which old shares became new ones: an order that ended with that may be told in either."""
    return {entry.symbol for entry in found.exchange.entries() if entry.type == "SPLIT"}


def _same(found: Evidence, order: Order, booked: BookedOrder) -> Iterator[str]:
    told = f"{order.client_order_id}: ledger {order.status} {order.filled_qty}/{order.qty} for {order.filled_value}"
    value = to_cents(booked.filled_value)
    same_end = booked.status in _ENDS.get(order.status, set()) or (not order.status.ended and booked.status.open)
    same_size = order.qty == booked.qty or (order.status.ended and order.symbol in _split(found))
    same_fills = same_size and (order.filled_qty, order.filled_value) == (booked.filled_qty, value)
    if not (same_end and same_fills and order.side.value == booked.side.value and order.symbol == booked.symbol):
        yield f"{told}; broker {booked.status} {booked.filled_qty}/{booked.qty} for {value}"
    if sum(share.filled_qty for share in order.shares) != order.filled_qty:
        yield f"{told}: the strategies' shares do not sum to what is filled"


def _same_legs(found: Evidence, order: Order, booked: BookedOrder) -> Iterator[str]:
    known = {leg.broker_order_id: leg for leg in order.legs}
    for leg in found.exchange.legs(booked):
        ours = known.get(leg.id)
        if ours is None:
            yield f"{order.client_order_id}: its leg {leg.type} ({leg.status}) is not in the ledger"
        elif (ours.filled_qty, ours.filled_value) != (leg.filled_qty, to_cents(leg.filled_value)):
            yield (
                f"{order.client_order_id}: leg {ours.kind} {ours.filled_qty} for {ours.filled_value} in the ledger, "
                f"{leg.filled_qty} for {to_cents(leg.filled_value)} at the broker"
            )
        elif ours.status.ended == leg.status.open:
            yield f"{order.client_order_id}: leg {ours.kind} is {ours.status} in the ledger, {leg.status} there"


def _nothing_in_doubt(found: Evidence) -> Iterator[str]:
    """No intent is left half done, and the list of open orders is the truth."""
    ours = found.orders
    for order in ours.values():
        if order.status in _UNSETTLED:
            yield f"{order.client_order_id} is still {order.status} after the next run"
    listed = sorted(order.client_order_id for order in found.open_orders)
    really = sorted(name for name, order in ours.items() if order.open)
    if listed != really:
        yield f"listed as open: {listed}; open: {really}"


def _shares(found: Evidence) -> Iterator[str]:
    """For every symbol the sleeves and what nobody manages are what the exchange holds."""
    expected: dict[str, Decimal] = dict(found.unmanaged)
    for sleeve in found.sleeves.values():
        for symbol, position in sleeve.positions.items():
            expected[symbol] = expected.get(symbol, Decimal(0)) + position.qty
    held = {position.symbol: position.qty for position in found.exchange.positions()}
    for name in sorted(expected.keys() | held.keys()):
        if expected.get(name, 0) != held.get(name, 0):
            yield f"{name}: sleeves and unmanaged {expected.get(name, 0)}, exchange {held.get(name, 0)}"


def _cash(found: Evidence) -> Iterator[str]:
    """The sleeves' cash changed by exactly what the orders were booked at, each of them rounded once to the cent."""
    moved = Decimal(0)
    for order in found.exchange.orders():
        moved -= order.side.sign * to_cents(order.filled_value)
    sleeves = found.sleeves.values()
    total = sum((sleeve.cash for sleeve in sleeves), Decimal(0))
    opened = sum((cash for cash in found.granted.values()), Decimal(0))
    paid = sum((entry.amount for entry in found.exchange.entries() if entry.type in {"DIV", "CIL"}), Decimal(0))
    if not opened + moved <= total <= opened + moved + paid:
        yield f"the sleeves have {total} in cash: {opened} when opened, {moved} by orders, {paid} was paid on shares"


def _cash_adds_up(found: Evidence) -> Iterator[str]:
    """Sleeves and account line have the broker's cash, to the cent."""
    if found.line is None:
        yield "there is no account line"
        return
    sleeves = sum((sleeve.cash for sleeve in found.sleeves.values()), Decimal(0))
    cash = found.exchange.account().cash
    if abs(cash - sleeves - found.line.cash) >= _CENT or found.line.unexplained:
        yield f"the broker has {cash} in cash, the sleeves {sleeves}, the account line {found.line.cash}"


def _cash_never_negative(found: Evidence) -> Iterator[str]:
    """No sleeve ever spent what it did not have, not even between two orders."""
    parts = (order for order in found.orders.values() if order.fractional)  # which have no limit
    at_the_market = {name for order in parts for name in order.strategies}
    for name, cash in sorted(found.lowest.items()):
        if cash < 0 and name not in at_the_market:
            yield f"{name} had {cash} USD in cash on the way"


def _sleeves_in_themselves(found: Evidence) -> Iterator[str]:
    """What a sleeve was given is its cash and its cost less its gains; and nothing in it is negative."""
    granted = found.granted
    for name, sleeve in found.sleeves.items():
        cost = sum((position.cost for position in sleeve.positions.values()), Decimal(0))
        if sleeve.cash + cost - sleeve.realised_pnl != granted[name]:
            yield (
                f"{name}: cash {sleeve.cash} + cost {cost} - realised {sleeve.realised_pnl} is not the "
                f"{granted[name]} that it was given"
            )
        wrong = [symbol for symbol, position in sleeve.positions.items() if position.qty <= 0 or position.cost < 0]
        if wrong:
            yield f"{name}: holds nothing or less of {wrong}"
        yield from _adds_up(found, name)


def _adds_up(found: Evidence, name: str) -> Iterator[str]:
    """A sleeve's shares are those of its orders, legs and crosses."""
    owned: Counter[str] = Counter()
    for order in found.orders.values():
        for share in order.shares:
            if share.strategy == name:
                owned[order.symbol] += order.side.sign * share.filled_qty  # type: ignore[assignment]
        if order.shares[0].strategy == name:
            owned[order.symbol] -= sum(leg.filled_qty for leg in order.legs)  # type: ignore[assignment]
    for cross in found.crosses:
        owned[cross.symbol] += cross.qty * ((cross.buyer == name) - (cross.seller == name))  # type: ignore[assignment]
    positions = found.sleeves[name].positions
    for symbol in sorted((owned.keys() | positions.keys()) - _split(found)):
        held = positions[symbol].qty if symbol in positions else 0
        if held != owned[symbol]:
            yield f"{name} holds {held} {symbol}; its orders, legs and crosses gave it {owned[symbol]}"


def _halt_honoured(found: Evidence) -> Iterator[str]:
    """No Lambda that began after the halt has sent an order but to protect shares; one that flattens allows sells."""
    record = found.record
    for (halted_at, flatten), resumed_at in zip(record.halts, [*record.resumed, 10**9], strict=False):
        for sent in record.submissions:
            allowed = sent.protective or (flatten and sent.side is OrderSide.SELL)
            if halted_at < sent.invocation <= resumed_at and not allowed:
                yield f"{sent.client_order_id} was sent by invocation {sent.invocation}; halted at {halted_at}"


def _one_trader(found: Evidence) -> Iterator[str]:
    """Whoever sends an order holds the lease.

    A CloseRun that lags behind its own retry may send a protective order when the lease has been given back: under the
    id that the retry has sent it by, which the broker takes once.
    """
    for sent in found.record.submissions:
        lags = sent.protective and sent.newest_fence == 0
        if sent.fence != sent.newest_fence and not lags:
            yield f"{sent.client_order_id} was sent under fence {sent.fence} when {sent.newest_fence} was the newest"


def _nothing_cancelled_without_the_lease(found: Evidence) -> Iterator[str]:
    """Whoever asks for the end of an order holds the lease."""
    for asked in found.record.cancellations:
        if asked.fence != asked.newest_fence:
            yield (
                f"{asked.broker_order_id} was to be cancelled by invocation {asked.invocation} under fence "
                f"{asked.fence} when {asked.newest_fence} was the newest"
            )


def _protected(found: Evidence) -> Iterator[str]:
    """Whole shares that should be protected rest in protective orders at the exchange, or somebody was told."""
    told = "\n".join(message for subject, message in found.alerts if subject == "Openbell: holdings without protection")
    resting: Counter[tuple[str, str]] = Counter()
    selling: Counter[tuple[str, str]] = Counter()
    for booked in found.exchange.orders():
        order = found.orders.get(booked.client_order_id)
        if order is None or booked.side is not Side.SELL:
            continue
        if order.protective and booked.status.open:
            resting[order.strategies[0], order.symbol] += booked.remaining  # type: ignore[assignment]
        elif booked.status.open:
            for share in order.shares:
                selling[share.strategy, order.symbol] += share.qty - share.filled_qty  # type: ignore[assignment]
    for name, sleeve in found.sleeves.items():
        for symbol, position in sleeve.positions.items():
            missing = int(position.qty) - resting[name, symbol] - selling[name, symbol]
            if position.protection and missing > 0 and f"{symbol}: " not in told:
                yield f"{missing} {symbol} of {name} rest in no protective order, and nobody was told"


def _protected_where_it_should_be(found: Evidence) -> Iterator[str]:
    """Protective orders rest at the prices that the sleeve asks for."""
    for order in found.open_orders:
        position = found.sleeves[order.strategies[0]].positions.get(order.symbol)
        if order.protective and order.limit_price is None and position and order.bracket != position.protection:
            yield f"{order.client_order_id} rests at {order.bracket}, and should at {position.protection}"


def _alerts(found: Evidence) -> Iterator[str]:
    """A person has heard of every run that failed, and from the state machine itself if its topic took messages."""
    received = found.alerts
    told = "\n".join(f"{subject}\n{message}" for subject, message in received)
    by_machine = "\n".join(message for subject, message in received if subject == "Openbell: a trading run failed")
    deaf = any(".topic." in fault.place for fault in found.record.injected)
    for name, status in found.executions.items():
        if status == "FAILED" and name not in (told if deaf else by_machine):
            yield f"execution {name} failed, and nobody heard of it"
    for run in found.runs:
        ended_well = found.executions.get(run.execution) == "SUCCEEDED"
        if run.status is RunStatus.FAILED and ended_well and run.run_id not in told and run.execution not in told:
            yield f"run {run.run_id} is FAILED ({run.note}), its execution succeeded, and nobody heard of it"


def _events(found: Evidence) -> Iterator[str]:
    """The world has heard of every run that ended and every order that was filled or rejected."""
    due = [event for run in found.runs for event in run_events(run)]
    due += [event for order in found.orders.values() for event in order_events(None, order)]
    for event in due:
        if found.published is not None and event.id not in found.published:
            yield f"the event {event.id} was never published"
    if left := found.outbox:
        yield f"{[event.id for event in left]} are still in the outbox"


def _ends(found: Evidence) -> Iterator[str]:
    """Nobody holds the lease, every run has ended, and whoever traded has a report."""
    if lease := found.lease:
        yield f"{lease.holder} still holds the lease"
    for run in found.runs:
        if run.status is RunStatus.RUNNING:
            yield f"run {run.run_id} of {run.execution} is still RUNNING"
        if run.status is RunStatus.COMPLETED and report_key(run.run_id) not in found.reports:
            yield f"run {run.run_id} has no report"


def _no_own_goals(found: Evidence) -> Iterator[str]:
    """The broker never refused an order because of another one of ours."""
    for order in found.orders.values():
        if "wash trade" in order.note and order.status is OrderStatus.REJECTED:
            yield f"{order.client_order_id} was rejected: {order.note}"
        if order.side.value == Side.SELL and "insufficient qty" in order.note:
            yield f"{order.client_order_id} was rejected: {order.note}"


def _nothing_set_apart(found: Evidence) -> Iterator[str]:
    """Books that nobody has broken are not called broken."""
    for each in found.quarantines:
        yield f"{each.name} is quarantined: {each.reason}; {each.evidence}"


def _recoverable(found: Evidence) -> Iterator[str]:
    """Were the ledger lost now, archive and broker would give back every order, and every sleeve to the cent."""
    if found.recovered is None:
        return
    for name in found.sleeves.keys() | found.recovered.sleeves.keys():
        ours, theirs = found.sleeves.get(name), found.recovered.sleeves.get(name)
        if ours is None or theirs is None or replace(ours, version=theirs.version) != theirs:
            yield f"sleeve {name}: the ledger has {ours}, recovered would be {theirs}"
    for name in found.orders.keys() | found.recovered.orders.keys():
        order, other = found.orders.get(name), found.recovered.orders.get(name)
        if order is None or other is None or not _same_to_the_broker(order, other):
            yield f"{name}: the ledger has {order}, recovered would be {other}"
    yield from found.recovered.unsure


def _same_to_the_broker(order: Order, other: Order) -> bool:
    """Equal in all that the broker knows of: not in when we sent it, nor in why it was cut or never got there."""
    if order.status in _NEVER_SENT and other.status in _NEVER_SENT | _UNSETTLED:
        return True
    return replace(order, version=other.version, sending_since=other.sending_since, note=other.note) == other
