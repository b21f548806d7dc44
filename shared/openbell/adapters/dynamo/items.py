"""How values become items of the table and back, and under which keys they are kept.

| pk | sk | what |
|---|---|---|
| RUN#<run_id> | RUN | the run |
| RUN#<run_id> | PLAN | the seal of its plan; before that, whose draft it is |
| RUN#<run_id> | ORDER#<client_order_id> | an order |
| RUN#<run_id> | FORECAST#<spec>#<symbol> | a forecast, or why there is none |
| RUNS | <as_of in UTC>#<run_id> | the same run, in the list of all |
| OPEN | <client_order_id> | points to an order while anything can happen to it |
| ACCURACY#<strategy> | <session> | how its forecasts of that session did |
| SLEEVE | <strategy> | a sleeve |
| OUTBOX | <event id> | an event that is not published yet |
| CONTROL | LEASE, HALT | who may trade; whether anybody may |
| CONTROL | ACCOUNT | the account line: cash of no strategy, how far the broker's record is booked |
| CONTROL | QUARANTINE#<symbol or sleeve>#<name> | why it is not traded |
| REPAIRS | <time in UTC>#<symbol or sleeve>#<name> | how a quarantine ended |
| ALERTS | <id> | an alert that no person has got yet |
| TICK#<tick> | TICK | which execution took a firing of a schedule |
| EXECUTION#<name> | EXECUTION | the run that an execution started |
"""

import time
from collections.abc import Mapping
from datetime import UTC, date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from openbell.codec import from_plain, to_plain

if TYPE_CHECKING:  # the Forecast function does without
    from openbell.model import Quarantine, Repair, Run, UnsentAlert

type Item = dict[str, Any]  # attributes as the DynamoDB API spells them: {"pk": {"S": "RUN#..."}, ...}
type Key = tuple[str, str]

LEASE: Key = ("CONTROL", "LEASE")
HALT: Key = ("CONTROL", "HALT")
ACCOUNT: Key = ("CONTROL", "ACCOUNT")
QUARANTINES: Key = ("CONTROL", "QUARANTINE#")  # where their keys begin
REPAIRS = "REPAIRS"  # the partition of all repairs
ALERTS = "ALERTS"  # the partition of all alerts that wait
FORGET = "expires_at"  # epoch seconds: DynamoDB deletes an item by itself when they have passed
_UNTIL = "until"  # where a field is kept whose name means that to DynamoDB
ATTEMPT = "attempt"  # the attribute with the id of the attempt that wrote an item, for DynamoDB alone
_MEMORY_DAYS = 100  # an execution's name may be used again after 90
KEEP_DAYS = 730  # runs, unless somebody wants another number
OUTBOX = "OUTBOX"  # the partition of all events that wait


def quarantine_key(found: "Quarantine") -> Key:
    """Where it is kept that a symbol or a sleeve is not traded."""
    pk, prefix = QUARANTINES
    return pk, f"{prefix}{found.kind}#{found.name}"


def repair_key(done: "Repair") -> Key:
    """Where it is kept how a quarantine ended; text in UTC sorts by time."""
    return REPAIRS, f"{done.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}#{done.quarantine.kind}#{done.quarantine.name}"


def alert_key(alert: "UnsentAlert") -> Key:
    """Where an alert waits to be sent."""
    return ALERTS, alert.id


def run_key(run_id: str) -> Key:
    """Where a run is kept."""
    return f"RUN#{run_id}", "RUN"


def listed_run_key(run: "Run") -> Key:
    """Where a run is kept in the list of all runs; text in UTC sorts by time."""
    return "RUNS", f"{run.as_of.astimezone(UTC):%Y-%m-%dT%H:%M:%S}#{run.run_id}"


def seal_key(run_id: str) -> Key:
    """Where the seal of a run's plan is kept."""
    return f"RUN#{run_id}", "PLAN"


def order_key(run_id: str, client_order_id: str) -> Key:
    """Where an order is kept."""
    return f"RUN#{run_id}", f"ORDER#{client_order_id}"


def open_key(client_order_id: str) -> Key:
    """Where an open order is pointed to."""
    return "OPEN", client_order_id


def forecast_key(run_id: str, spec: str, symbol: str) -> Key:
    """Where a forecast is kept, or why there is none."""
    return f"RUN#{run_id}", f"FORECAST#{spec}#{symbol}"


def accuracy_key(strategy: str, session: date) -> Key:
    """Where it is kept how a strategy's forecasts of a session did."""
    return f"ACCURACY#{strategy}", session.isoformat()


def event_key(event_id: str) -> Key:
    """Where an event waits to be published."""
    return OUTBOX, event_id


def sleeve_key(strategy: str) -> Key:
    """Where a sleeve is kept."""
    return "SLEEVE", strategy


def tick_key(tick: str) -> Key:
    """Where it is kept who took a firing of a schedule."""
    return f"TICK#{tick}", "TICK"


def execution_key(execution: str) -> Key:
    """Where it is kept which run an execution started."""
    return f"EXECUTION#{execution}", "EXECUTION"


def key_of(key: Key) -> Item:
    """The key as the API wants it."""
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def item_of(key: Key, value: Any, **more: Any) -> Item:
    """`value` (a dataclass) as an item with one attribute a field; Decimals and times are kept as text."""
    fields = to_plain(value)
    if FORGET in fields:
        fields[_UNTIL] = fields.pop(FORGET)
    return item_with(key, **fields, **more)


def item_with(key: Key, **attributes: Any) -> Item:
    """An item with plain attributes."""
    return key_of(key) | {name: attribute_of(value) for name, value in attributes.items()}


def forgotten(days: int = _MEMORY_DAYS) -> Item:
    """What has DynamoDB delete an item after so many days. It counts on its own clock."""
    return {FORGET: attribute_of(int(time.time()) + days * 24 * 3600)}


def value_of[T](kind: type[T], item: Item) -> T:
    """The value of `kind` that `item_of` made the item of."""
    fields = {name: _plain(value) for name, value in item.items() if name not in {"pk", "sk", ATTEMPT, FORGET}}
    if _UNTIL in fields:
        fields[FORGET] = fields.pop(_UNTIL)
    return from_plain(kind, fields)


def attribute_of(value: Any) -> dict[str, Any]:
    """A JSON-able value as a DynamoDB attribute; floats are written so that they read back bit by bit."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case str():
            return {"S": value}
        case Mapping():
            return {"M": {str(key): attribute_of(inner) for key, inner in value.items()}}
        case list() | tuple():
            return {"L": [attribute_of(inner) for inner in value]}
    raise TypeError(f"{value!r} of type {type(value).__name__} has no place in an item")


def _plain(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "N":
            number = Decimal(value)
            return int(number) if number == number.to_integral_value() else float(value)
        case "M":
            return {key: _plain(inner) for key, inner in value.items()}
        case "L":
            return [_plain(inner) for inner in value]
    return value
