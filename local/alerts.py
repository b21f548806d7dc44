"""Every message that is published to a topic, as the people who subscribe to it would get it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.sns.models import SNSBackend

from local.failures import Failures
from local.patching import replaced


@dataclass(frozen=True)
class Alert:
    """One published message."""

    topic: str  # ARN
    subject: str  # empty if there is none, as in messages of EventBridge rules
    message: str


@contextmanager
def publications_are_told(on_alert: Callable[[Alert], None] | None, failures: Failures) -> Iterator[list[Alert]]:
    """Every publication inside the block, oldest first; `on_alert` is called with each, in the publisher's thread."""
    publish = SNSBackend.publish
    alerts: list[Alert] = []

    def publish_and_tell(self: SNSBackend, message: str, arn: str | None, *rest: Any, **options: Any) -> str:
        message_id: str = publish(self, message, arn, *rest, **options)
        alert = Alert(arn or "", options.get("subject") or "", message)
        alerts.append(alert)
        try:
            if on_alert:
                on_alert(alert)
        except Exception as error:
            failures.add("on_alert", error)
        return message_id

    with replaced(SNSBackend, "publish", publish_and_tell):
        yield alerts
