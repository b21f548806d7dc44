"""SettleOrders: how do the run's orders stand? Book what is filled, and say whether to look again."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from openbell.codec import from_json
from openbell.config import ExecutionConfig
from openbell.execution.protection import protect
from openbell.execution.settling import cancel, settle, told_by_lists
from openbell.model import ZERO, BrokerOrder, Lease, Order, OrderStatus, Share, Side, family_of
from openbell.money import to_tick
from openbell.ports import Archive, Broker, Ledger
from openbell.runs import RunInputs, inputs_key
from openbell.workflow.execute_order import execute_order

_UNSENT = frozenset({OrderStatus.PLANNED, OrderStatus.SUBMITTING})


@dataclass(frozen=True)
class Settlement:
    """`settled`: nothing more to wait for, because all orders have ended or the rounds are used up."""

    round: int
    settled: bool
    working: tuple[str, ...]  # client_order_ids that have not ended


def settle_orders(
    run_id: str,
    client_order_ids: Sequence[str],
    last_round: int,
    *,
    broker: Broker,
    ledger: Ledger,
    archive: Archive,
    lease: Lease,
) -> Settlement:
    """One more look at the orders and their repriced revisions.

    In the last round the unfilled ones are left (but no entry that is to be protected), cancelled or repriced, as
    configured; repriced ones get as many rounds again, and are then cancelled. What was bought is protected as soon as
    no further buy of its symbol is on its way.
    """
    look = _Look(run_id, {family_of(wanted) for wanted in client_order_ids}, broker, ledger, lease)
    settlement = _settle(look, run_id, last_round + 1, archive)
    look.protect()
    return settlement


def _settle(look: "_Look", run_id: str, this_round: int, archive: Archive) -> Settlement:
    working = look()
    if not working and not look.unsent:
        return Settlement(this_round, settled=True, working=())
    rules = from_json(RunInputs, archive.get(inputs_key(run_id))).config.execution
    if look.unsent:
        look.send_revisions()
        working = look()
    if this_round in {rules.max_rounds, 2 * rules.max_rounds}:
        working = look.end(working, rules, can_reprice=this_round == rules.max_rounds)
    rounds = rules.max_rounds * (2 if rules.unfilled == "reprice" else 1)
    ids = tuple(order.client_order_id for order in working)
    return Settlement(this_round, settled=not working or this_round >= rounds, working=ids)


def revision(order: Order, rules: ExecutionConfig) -> Order:
    """What an order that ended unfilled has left to do, at a limit, under the next id: the broker takes no id twice.

    10 shares planned at 100 USD, of which 4 are filled, leave 6 shares at 100.50 USD with 50 bps.
    """
    stem, number = order.client_order_id.rsplit("-", 1)
    factor = 1 + order.side.sign * Decimal(rules.reprice_bps) / 10_000
    left = [Share(share.strategy, share.qty - share.filled_qty) for share in order.shares]
    return Order(
        client_order_id=f"{stem}-{int(number) + 1}",
        run_id=order.run_id,
        symbol=order.symbol,
        side=order.side,
        qty=sum((share.qty for share in left), ZERO),
        reference_price=order.reference_price,
        reason=f"{order.reason} (repriced: the market order was not filled in time)",
        shares=tuple(share for share in left if share.qty),
        bracket=order.bracket,
        protection=order.protection,
        shield=order.shield,
        limit_price=_limit(order, to_tick(order.reference_price * factor)),
    )


def _limit(order: Order, wanted: Decimal) -> Decimal:
    """A buy never pays more than it was planned to."""
    return min(wanted, order.limit_price) if order.side is Side.BUY and order.limit_price else wanted


def _is_revision(order: Order) -> bool:
    return not order.client_order_id.endswith("-1")


class _Look:
    """Looks at some of a run's orders, and what may be done about them."""

    def __init__(self, run_id: str, families: set[str], broker: Broker, ledger: Ledger, lease: Lease) -> None:
        self._run_id = run_id
        self._families = families
        self._broker = broker
        self._ledger = ledger
        self._lease = lease
        self.unsent: list[Order] = []  # revisions that were added and not sent, or perhaps sent

    def __call__(self) -> list[Order]:
        """Settle each order; gives those that were sent, or perhaps sent, and have not ended."""
        orders = [o for o in self._ledger.orders(self._run_id) if o.family in self._families]
        told = told_by_lists(orders, self._broker)
        settled = [self._settle(order, told.get(order.client_order_id)) for order in orders]
        self.unsent = [order for order in settled if _is_revision(order) and order.status in _UNSENT]
        return [order for order in settled if not order.status.ended and order.status is not OrderStatus.PLANNED]

    def _settle(self, order: Order, told: BrokerOrder | None) -> Order:
        return settle(order, self._broker, self._ledger, self._lease, told)[0]

    def end(self, working: Sequence[Order], rules: ExecutionConfig, *, can_reprice: bool) -> list[Order]:
        """What is still working after the unfilled orders were treated as configured."""
        for order in working:
            if rules.unfilled != "leave" or order.protection:  # nobody would protect what it fills later
                self._cancel(order)
        left = self()
        if rules.unfilled in {"cancel", "leave"} or not can_reprice:
            return left
        ended = {order.client_order_id for order in working} - {order.client_order_id for order in left}
        for order in self._ledger.orders(self._run_id):
            if order.client_order_id in ended and order.status is OrderStatus.CANCELED:
                self._ledger.add_order(revision(order, rules), self._lease)
        self()
        self.send_revisions()
        return self()

    def protect(self) -> None:
        """Protect what these orders have bought; a plain buy that is still to meet the market comes first."""
        orders = self._ledger.orders(self._run_id)
        waiting = {o.symbol for o in orders if o.side is Side.BUY and not o.status.ended}
        bought = {o.symbol for o in orders if o.protection and o.filled_qty and o.family in self._families}
        if ready := bought - waiting:
            protect(self._run_id, self._broker, self._ledger, self._lease, ready)

    def send_revisions(self) -> None:
        """Send what was repriced and has not been sent yet."""
        for order in self.unsent:
            execute_order(
                self._run_id, order.client_order_id, broker=self._broker, ledger=self._ledger, lease=self._lease
            )

    def _cancel(self, order: Order) -> None:
        if order.status is OrderStatus.WORKING:
            cancel(order.broker_order_id, self._broker, self._ledger, self._lease)
