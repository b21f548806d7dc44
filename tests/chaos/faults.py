"""What can go wrong at a call to the outside, and when it does."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import ReadTimeoutError

from openbell.errors import (
    BrokerRefused,
    BrokerUnavailable,
    DataUnavailable,
    OrderRejected,
    OutcomeUnknown,
    RateLimited,
    StoreUnavailable,
)
from tests.chaos.dynamo import cancelled, error_of


class Crash(BaseException):
    """The process is gone: nothing of ours can catch it."""


class Stopped(BaseException):
    """The whole execution was stopped, with the process in which this happens."""


class Kind(StrEnum):
    """A fault. `BEFORE` a call's effect, or `AFTER` it."""

    CRASH_BEFORE = "crash_before"  # the Lambda dies
    CRASH_AFTER = "crash_after"
    STOP_BEFORE = "stop_before"  # the execution is stopped, its lease left behind
    STOP_AFTER = "stop_after"
    SILENT_BEFORE = "silent_before"  # no answer, as after a time-out or a 5xx
    SILENT_AFTER = "silent_after"
    OUTAGE = "outage"  # no answer, and none to the calls that follow either
    BUSY = "busy"  # 429, throttling
    REFUSED = "refused"  # the broker refuses the keys
    REJECTED = "rejected"  # the broker rejects the order
    LATE = "late"  # the order is on its way, and arrives after others
    STUCK = "stuck"  # as late, but for a minute, in which no order gets through
    UNSEEN = "unseen"  # a look-up does not show yet what was just booked
    PARTIAL = "partial"  # a list of positions without some of them
    TWICE_BEFORE = "twice_before"  # the same task is delivered a second time, and runs in between
    TWICE_AFTER = "twice_after"
    ZOMBIE_BEFORE = "zombie_before"  # the connection to the Lambda is lost while it runs on: it is retried meanwhile
    ZOMBIE_AFTER = "zombie_after"
    RIVAL = "rival"  # another execution starts, and runs in between
    SAME_TICK = "same_tick"  # the same firing of the schedule is delivered again
    TAKEN_OVER = "taken_over"  # frozen until another execution has taken the lease and ended
    PRINT = "print"  # the market moves in between: orders fill, stops fire
    HALT = "halt"  # a person halts trading
    FLATTEN = "flatten"  # a person halts trading and wants everything sold
    # The account's owner, by hand.
    BOUGHT = "bought"
    SOLD = "sold"  # of his own shares
    PAID_IN = "paid_in"
    PAID_OUT = "paid_out"
    LEG_MOVED = "leg_moved"  # a protective order is replaced by one at another price
    LEG_ENDED = "leg_ended"  # a protective order is cancelled
    # In the table, between the ledger and its SDK.
    REPEATED = "repeated"  # the answer was lost, and the SDK sends the same request again
    CONFLICT = "conflict"  # another transaction touches one of the items: nothing was done
    # Over HTTP, between the real client and the exchange.
    HTTP_429 = "http_429"
    HTTP_500_BEFORE = "http_500_before"
    HTTP_500_AFTER = "http_500_after"
    HTTP_502_BEFORE = "http_502_before"
    HTTP_504_AFTER = "http_504_after"
    CUT_BEFORE = "cut_before"  # the connection is closed without an answer
    CUT_AFTER = "cut_after"
    STALLED_AFTER = "stalled_after"  # the answer comes later than the client waits
    EMPTY_AFTER = "empty_after"  # 200, and nothing in it
    GARBAGE_AFTER = "garbage_after"  # 200, and a page of HTML
    DOUBLED_AFTER = "doubled_after"  # a proxy delivers the request twice, and gives the second answer


HTTP_KINDS = tuple(kind for kind in Kind if list(Kind).index(kind) >= list(Kind).index(Kind.HTTP_429))
BY_HAND = (Kind.BOUGHT, Kind.SOLD, Kind.PAID_IN, Kind.PAID_OUT, Kind.LEG_MOVED, Kind.LEG_ENDED)
READS_OF_POSITIONS = frozenset({"broker.positions"})
SUBMISSION = "broker.submit"
CANCELLATION = "broker.cancel"
LOOK_UP = "broker.find_order"


@dataclass(frozen=True)
class Fault:
    """One fault: at the `nth` call (from 0) of a place, counted while faults are on."""

    kind: Kind
    place: str  # state and method, such as `OpenRun.broker.positions`
    nth: int = 0

    def __str__(self) -> str:
        return f"{self.place}@{self.kind.value}#{self.nth}"

    @classmethod
    def read(cls, text: str) -> "Fault":
        """The fault that `str` told."""
        place, _, rest = text.partition("@")
        kind, _, nth = rest.partition("#")
        return cls(Kind(kind), place, int(nth or 0))


def kinds_at(place: str) -> tuple[Kind, ...]:
    """The faults that can happen at a place."""
    state, _, call = place.partition(".")
    port = call.partition(".")[0]
    if port == "http":
        return HTTP_KINDS
    found = [Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.STOP_BEFORE, Kind.STOP_AFTER]
    found += [Kind.SILENT_BEFORE, Kind.SILENT_AFTER, Kind.OUTAGE, Kind.BUSY]
    if port == "topic":  # the state machine's own call: no Lambda is there to die
        return tuple(kind for kind in found if kind not in {Kind.CRASH_BEFORE, Kind.CRASH_AFTER})
    found += [Kind.TWICE_BEFORE, Kind.TWICE_AFTER, Kind.ZOMBIE_BEFORE, Kind.ZOMBIE_AFTER]
    found += [Kind.RIVAL, Kind.SAME_TICK, Kind.PRINT, Kind.HALT, Kind.FLATTEN, *BY_HAND]
    if port == "dynamo":
        found += [Kind.REPEATED, Kind.CONFLICT]
    if port == "broker":
        found.append(Kind.REFUSED)
    if call == SUBMISSION:
        found += [Kind.REJECTED, Kind.LATE, Kind.STUCK]
    else:  # frozen just before it sends, it would send: the broker knows no fence, see docs/guarantees.md
        found.append(Kind.TAKEN_OVER)
    if call == LOOK_UP and state.startswith("Execute"):
        found.append(Kind.UNSEEN)
    if call in READS_OF_POSITIONS:
        found.append(Kind.PARTIAL)
    return tuple(found)


def no_answer(call: str) -> Exception:
    """What the adapter raises when a call is not answered."""
    if call == SUBMISSION:
        return OutcomeUnknown("no answer")
    return _by_port(call)("no answer")


def too_busy(call: str) -> Exception:
    """What the adapter raises when the other side refuses more calls for now."""
    if call.startswith(("broker.", "data.")):
        return RateLimited("too many requests")
    if call.startswith("dynamo."):
        return error_of("ThrottlingException", call)
    return _by_port(call)("too many requests")


def conflict() -> Exception:
    """What botocore raises when DynamoDB cancels a transaction because of another one."""
    return cancelled(["TransactionConflict"])


def refused() -> Exception:
    """What the adapter raises when the broker refuses the keys."""
    return BrokerRefused("Alpaca refuses the keys: forbidden.")


def rejected() -> Exception:
    """What the adapter raises when the broker rejects an order."""
    return OrderRejected("insufficient buying power (code 40310000)")


def _by_port(call: str) -> Callable[[str], Exception]:
    match call.partition(".")[0]:
        case "broker":
            return BrokerUnavailable
        case "data":
            return DataUnavailable
        case "dynamo":
            return lambda words: ReadTimeoutError(endpoint_url=words)
        case "ledger" | "archive" | "events":
            return StoreUnavailable
    return ConnectionError
