"""The events' schemas, and that docs/events.md describes them as they are."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from openbell.adapters.event_bus import EventBus
from openbell.events import DomainEvent, EventKind, drift_events, halted, order_events, resumed, run_events
from openbell.model import Halt, Leg, LegKind, OrderStatus, Run, RunStatus
from tests.builders import AS_OF, D, order
from tests.unit.infrastructure.sources import ROOT

PAGE = (ROOT / "docs" / "events.md").read_text()
RUN = Run("run-1", "e-1", AS_OF, RunStatus.COMPLETED, "daily", ("momentum",))
HALT = Halt("a look at it", "alice", AS_OF)


def every_event() -> list[DomainEvent]:
    runs = [run_events(replace(RUN, status=status)) for status in RunStatus]
    filled = replace(order(), status=OrderStatus.FILLED, filled_qty=D(10), filled_value=D(1000))
    orders = [order_events(order(), filled), order_events(order(), replace(order(), status=OrderStatus.REJECTED))]
    drift = drift_events(RUN, [{"symbol": "AAPL", "ledger": "12", "broker": "10"}])
    return [*(event for found in (*runs, *orders) for event in found), *drift, halted(HALT), resumed(HALT)]


class Recorder:
    """EventBridge's client, which refuses the entry at one place of each call."""

    def __init__(self, refused: int = -1) -> None:
        self.calls: list[Sequence[dict[str, Any]]] = []
        self._refused = refused

    def put_events(self, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 the API's spelling
        self.calls.append(Entries)
        return {"Entries": [{"ErrorCode": "Throttled"} if n == self._refused else {} for n in range(len(Entries))]}


def sent(events: Sequence[DomainEvent]) -> list[dict[str, Any]]:
    recorder = Recorder()
    EventBus(recorder, "bus").publish(events)
    return [entry for call in recorder.calls for entry in call]


def _documented() -> dict[str, Any]:
    """The example of each kind, by the headings of the page."""
    found: dict[str, Any] = {}
    for heading, example in re.findall(r"^### ([\w, ]+)$.*?```json\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL):
        found |= dict.fromkeys(heading.split(", "), json.loads(example))
    return found


def test_there_is_an_event_of_every_kind() -> None:
    assert {event.kind for event in every_event()} == set(EventKind)


def test_every_event_has_the_fields_of_its_documented_example_and_no_others() -> None:
    documented = _documented()
    assert set(documented) == {kind.value for kind in EventKind}
    for entry in sent(every_event()):
        detail, example = json.loads(entry["Detail"]), documented[entry["DetailType"]]
        assert list(detail) == list(example), entry["DetailType"]
        for name, value in detail.items():
            assert type(value) is type(example[name]) or value is None, f"{entry['DetailType']}: {name}"


def test_nested_objects_are_documented_too() -> None:
    details = {entry["DetailType"]: json.loads(entry["Detail"]) for entry in sent(every_event())}
    documented = _documented()
    assert list(details["Resumed"]["halt"]) == list(documented["Resumed"]["halt"])
    assert list(details["DriftFound"]["differences"][0]) == list(documented["DriftFound"]["differences"][0])


def test_an_entry_names_bus_source_and_kind() -> None:
    (entry,) = sent([halted(HALT)])
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("bus", "openbell", "Halted")


def test_at_most_ten_events_go_in_one_call() -> None:
    recorder = Recorder()
    EventBus(recorder, "bus").publish([halted(HALT)] * 23)
    assert [len(call) for call in recorder.calls] == [10, 10, 3]


def test_what_eventbridge_refuses_is_not_counted_as_published() -> None:
    events = every_event()[:3]
    assert EventBus(Recorder(refused=1), "bus").publish(events) == [events[0], events[2]]


def test_a_protective_order_that_sold_is_told_once_under_an_id_of_its_own() -> None:
    filled = replace(order(), status=OrderStatus.FILLED, filled_qty=D(10), filled_value=D(1000))
    waits = Leg(LegKind.STOP, "leg-1", OrderStatus.WORKING)
    sold = replace(waits, status=OrderStatus.FILLED, filled_qty=D(10), filled_value=D(905))
    resting, stopped = replace(filled, legs=(waits,)), replace(filled, legs=(sold,))
    (event,) = order_events(resting, stopped)
    assert event.id == f"OrderFilled/{filled.client_order_id}/stop"
    assert event.kind is EventKind.ORDER_FILLED
    assert [event.detail[name] for name in ("leg", "side", "filled_qty", "filled_avg_price")] == [
        "stop",
        "sell",
        "10",
        "90.5000",
    ]
    assert order_events(stopped, stopped) == []
    assert [event.detail["leg"] for event in order_events(order(), stopped)] == ["entry", "stop"]


def test_the_same_change_has_the_same_id() -> None:
    assert [event.id for event in every_event()] == [event.id for event in every_event()]
    assert len({event.id for event in every_event()}) == len(every_event())
