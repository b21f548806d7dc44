"""A rebalance counts as done by its fills, not by its plan: one that was not carried out is planned again."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from openbell.model import ZERO, Lease, Order, Side, Sleeve
from openbell.ports import Ledger


def settle_rebalances(ledger: Ledger, lease: Lease) -> None:
    """Write down how the rebalances ended of which no order can be filled any more."""
    changed = []
    for sleeve in ledger.sleeves().values():
        begun = sleeve.rebalancing
        if begun is None:
            continue
        decided = [order for order in ledger.orders(begun.run_id) if not order.protective]
        orders = [order for order in decided if sleeve.strategy in order.strategies]
        if all(order.status.ended for order in orders):
            done = begun.session if carried_out(sleeve, orders) else sleeve.last_rebalance
            changed.append(replace(sleeve, last_rebalance=done, rebalancing=None))
    if changed:
        ledger.save_sleeves(changed, lease)


def carried_out(sleeve: Sleeve, orders: Sequence[Order]) -> bool:
    """Whether the sleeve got what its orders were to give it, revisions together: 4 of 10 shares, and then 6, are 10.

    A sale that found nothing left to sell is as good as filled.
    """
    by_family: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        by_family[order.family].append(order)
    return all(_complete(sleeve, family) for family in by_family.values())


def _complete(sleeve: Sleeve, family: Sequence[Order]) -> bool:
    first = min(family, key=lambda order: (len(order.client_order_id), order.client_order_id))
    shares = [share for order in family for share in order.shares if share.strategy == sleeve.strategy]
    wanted = sum((share.qty for share in first.shares if share.strategy == sleeve.strategy), ZERO)
    filled = sum((share.filled_qty for share in shares), ZERO)
    return filled >= wanted or (first.side is Side.SELL and not sleeve.held(first.symbol))
