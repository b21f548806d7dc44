"""The platform's own bus of Amazon EventBridge."""

import json
from collections.abc import Sequence
from itertools import batched
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from openbell.errors import StoreUnavailable
from openbell.events import DomainEvent

_ENTRIES = 10  # the most that one call takes
_SOURCE = "openbell"


class EventBus:
    """`openbell.ports.Events` over a boto3 EventBridge client."""

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, events: Sequence[DomainEvent]) -> list[DomainEvent]:
        """See Events."""
        return [event for group in batched(events, _ENTRIES, strict=False) for event in self._put(group)]

    def _put(self, events: Sequence[DomainEvent]) -> list[DomainEvent]:
        try:
            answer = self._client.put_events(Entries=[self._entry(event) for event in events])
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable(f"EventBridge did not take {len(events)} events: {error}") from error
        return [event for event, told in zip(events, answer["Entries"], strict=True) if "ErrorCode" not in told]

    def _entry(self, event: DomainEvent) -> dict[str, Any]:
        detail = {"id": event.id, "version": event.version, **event.detail}
        return {
            "EventBusName": self._bus,
            "Source": _SOURCE,
            "DetailType": event.kind.value,
            "Detail": json.dumps(detail),
        }
