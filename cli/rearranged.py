"""Rearranging sleeves by the word of a person: what would be done, and doing it under the lease of a run."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from openbell.books import keep_books
from openbell.errors import InvalidInput, RunInProgress
from openbell.model import Account, Lease
from openbell.portfolio.cash import committed
from openbell.portfolio.rearranging import Books, Rearrangement
from openbell.ports import Archive, Broker, Ledger

type Wish = Callable[[Books, Account, Mapping[str, Decimal]], Rearrangement]  # prices in USD by symbol

_SECONDS = 300  # for which nobody else may trade; given back when all is done


def rearrangement(wish: Wish, ledger: Ledger, broker: Broker) -> Rearrangement:
    """What the wish comes to now; reads only. Raises InvalidInput if it cannot be done."""
    sleeves, orders, account = ledger.sleeves(), ledger.open_orders(), broker.account()
    free = account.cash - sum((sleeve.cash for sleeve in sleeves.values()), Decimal(0))
    prices = {symbol: position.price for symbol, position in broker.positions().items()}
    return wish(Books(sleeves, orders, committed(orders), free), account, prices)


def rearrange(wish: Wish, shown: Rearrangement, by: str, ledger: Ledger, archive: Archive, broker: Broker) -> None:
    """Do what was shown, from fresh reads under the lease.

    Raises RunInProgress if a run trades now, InvalidInput if the books have changed since it was shown.
    """
    now = broker.clock().now
    lease = _lease(by, now, ledger)
    try:
        made = rearrangement(wish, ledger, broker)
        if made.told != shown.told:
            raise InvalidInput(f"the books have changed since: {'; '.join(made.told)}. Nothing was done: look again")
        ledger.rearrange_sleeves(made.changed, made.opened, made.removed, made.orders, lease)
        for newest in ledger.runs(1, skipped=False):  # so that a lost ledger comes back with the change
            keep_books(newest.run_id, ledger, archive)
    finally:
        ledger.release_lease(lease)


def _lease(by: str, now: datetime, ledger: Ledger) -> Lease:
    lease = ledger.acquire_lease(f"sleeves by {by} at {now.isoformat()}", now, _SECONDS)
    if lease is None:
        held = ledger.lease()
        raise RunInProgress(f"{held.holder if held else 'a run'} is trading now: rearrange sleeves when it has ended")
    return lease
