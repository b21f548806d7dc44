"""Broken books have a name: the symbol or sleeve concerned is set apart, a person hears of it, and the rest trades.

A quarantine ends when a person repairs it: `openbell reconcile --repair`.
"""

from datetime import datetime

from openbell.model import Lease, Order, Quarantine, QuarantineKind, UnsentAlert
from openbell.ports import Ledger


def quarantine(found: Quarantine, ledger: Ledger, lease: Lease) -> None:
    """Set a symbol or a sleeve apart, unless it is already; the alert waits in the ledger with it."""
    ledger.quarantine(found, _alert(found), lease)


def set_impossible_apart(order: Order, why: str, now: datetime, ledger: Ledger, lease: Lease) -> None:
    """Quarantine the symbol of an order that stands at the broker as no booking can make it stand in the ledger."""
    reason = f"what the broker says of order {order.client_order_id} cannot be booked"
    quarantine(Quarantine(QuarantineKind.SYMBOL, order.symbol, reason, why, now), ledger, lease)


def _alert(found: Quarantine) -> UnsentAlert:
    what = "a symbol" if found.kind is QuarantineKind.SYMBOL else "the sleeve of a strategy"
    return UnsentAlert(
        f"Openbell: {found.name} is quarantined",
        f"{found.name}, {what}, is not traded any more: {found.reason}.\n{found.evidence}\n"
        "Its shares stay as they are, and no order of it is sent. Everything else trades on.\n"
        "First thing to do: openbell reconcile; then docs/runbook.md, 'Quarantine'",
    )
