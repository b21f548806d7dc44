"""Does the cash add up? Sleeves and account line together are what the broker has, to the cent."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from openbell.execution.record import FILLS_OVERLAP, broker_ids, resting
from openbell.model import ZERO, AccountLine, Activity, Lease, Order
from openbell.money import CENT
from openbell.ports import Broker, Ledger


@dataclass(frozen=True)
class CashCheck:
    """USD at the end of a run, and what was found: trades that are none of ours, what nothing explains."""

    sleeves: Decimal
    account_line: Decimal
    broker: Decimal
    foreign: Decimal = ZERO  # that trades by hand brought (above 0) or cost
    unexplained: Decimal = ZERO  # that the broker has more
    is_new: bool = False  # unexplained, and for the second time in a row: nothing that is still on its way


def check_cash(run_id: str, now: datetime, broker: Broker, ledger: Ledger, lease: Lease) -> CashCheck | None:
    """Compare, and book to the account line what is explained: parts of a cent of our fills, and trades by hand.

    A difference is no reason to stop: it is kept, and told when the next look finds the same. The broker's record must
    be booked and the orders settled. None while there is no account line.
    """
    line = ledger.account_line()
    if line is None:
        return None
    sleeves = sum((sleeve.cash for sleeve in ledger.sleeves().values()), ZERO)
    cash = broker.account().cash
    difference = cash - sleeves - line.cash
    orders = [*ledger.open_orders(), *_orders_since(line, run_id, ledger)]
    ours = {part for order in orders for part in broker_ids(order)} | set(line.resting)
    rounding = CENT * (len(ours) + 1) / 2
    foreign, ids = ZERO, tuple[str, ...]()
    if abs(difference) > rounding:
        fills = _foreign(line, ours, now, broker)
        total = sum((fill.amount for fill in fills), ZERO)
        if abs(difference - total) <= rounding:
            foreign, ids = total, tuple(fill.id for fill in fills)
    explained = abs(difference - foreign) <= rounding
    if explained:
        booked, open_now = (*line.booked, *ids), resting(ledger)
        after = replace(line, cash=line.cash + difference, booked=booked, unexplained=ZERO, checked_at=now)
        _write(replace(after, resting=open_now, ended=tuple(sorted(ours - set(open_now)))), line, ledger, lease)
        return CashCheck(sleeves, after.cash, cash, foreign)
    _write(replace(line, unexplained=difference), line, ledger, lease)
    return CashCheck(sleeves, line.cash, cash, unexplained=difference, is_new=_again(difference, line))


def _again(difference: Decimal, line: AccountLine) -> bool:
    return difference == line.unexplained


def _write(after: AccountLine, before: AccountLine, ledger: Ledger, lease: Lease) -> None:
    if after != before:
        ledger.save_account(after, lease)


def _orders_since(line: AccountLine, run_id: str, ledger: Ledger) -> list[Order]:
    """Orders of the run and of those since the last look, in which cash was explained."""
    since = line.checked_at
    earlier = [run.run_id for run in ledger.runs() if since and run.as_of > since - FILLS_OVERLAP]
    return [order for each in {run_id, *earlier} for order in ledger.orders(each)]


def _foreign(line: AccountLine, ours: Collection[str], now: datetime, broker: Broker) -> list[Activity]:
    """Fills since the last look that are of none of our orders: in its overlap one of ours may have ended before it."""
    known = {*ours, *line.ended}
    fills = broker.fill_activities((line.checked_at or now) - FILLS_OVERLAP)
    return [fill for fill in fills if fill.order_id not in known and fill.id not in line.booked]
