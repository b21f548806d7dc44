"""Publish what lies in the outbox, that of runs that died included."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the Forecast function does without
    from openbell.ports import Events, Ledger


def publish_events(ledger: "Ledger", events: "Events") -> int:
    """How many events were published and forgotten; whoever dies in between publishes them once more.

    Raises StoreUnavailable: what is not published stays in the outbox for the next time.
    """
    taken = events.publish(ledger.outbox())
    if taken:
        ledger.forget_events(taken)
    return len(taken)
