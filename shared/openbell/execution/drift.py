"""What becomes of a symbol of which the strategies own more than the broker holds."""

from collections.abc import Sequence
from datetime import datetime

from openbell.errors import BooksDisagree
from openbell.execution.quarantine import quarantine
from openbell.execution.reconciliation import Drift
from openbell.model import Lease, Quarantine, QuarantineKind
from openbell.ports import Ledger


def set_drift_apart(drift: Sequence[Drift], now: datetime, ledger: Ledger, lease: Lease, *, stop: bool = True) -> None:
    """Quarantine every symbol that drifts.

    Raises BooksDisagree (unless told not to `stop`) if all of several holdings drift: then it is not these symbols that
    are wrong, but the account, its keys, or the ledger.
    """
    held = {symbol for sleeve in ledger.sleeves().values() for symbol in sleeve.positions}
    if stop and len(held) > 1 and held == {found.symbol for found in drift}:
        figures = ", ".join(_figures(found) for found in drift)
        raise BooksDisagree(
            f"not one holding is at the broker as the ledger has it: {figures}. Are these the keys of this account? "
            "Nothing is traded until some agree: see docs/runbook.md, 'Drift found'"
        )
    for found in drift:
        quarantine(drift_quarantine(found, now), ledger, lease)


def drift_quarantine(found: Drift, now: datetime) -> Quarantine:
    """The quarantine of a symbol that drifts."""
    reason = "the strategies own more shares than the broker holds"
    return Quarantine(QuarantineKind.SYMBOL, found.symbol, reason, _figures(found), now)


def _figures(found: Drift) -> str:
    return f"{found.symbol}: ledger {found.ledger}, broker {found.broker}"
