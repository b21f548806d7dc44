"""A person hears of trouble, and an alert that cannot be sent is trouble of its own: it never fails a run."""

from openbell.model import UnsentAlert
from openbell.ports import Desk


def tell(subject: str, message: str, desk: Desk) -> None:
    """Send an alert; one that cannot be sent now is kept in the ledger for the next run."""
    try:
        desk.alerts.alert(subject, message)
    except Exception:  # whatever the channel's trouble is: the alert is kept, and the report names it
        desk.ledger.keep_alert(UnsentAlert(subject, message))


def send_unsent(desk: Desk) -> None:
    """Send what was kept, as far as the channel takes it. A person may get one twice, but none is lost."""
    for alert in desk.ledger.unsent_alerts():
        try:
            desk.alerts.alert(alert.subject, alert.message)
        except Exception:  # it stays where it is
            return
        desk.ledger.forget_alert(alert)
