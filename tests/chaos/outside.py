"""The one gate between our code and everything outside: every call passes here, and here faults happen to it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from openbell.model import OrderRequest, Side
from tests.chaos.faults import (
    CANCELLATION,
    SUBMISSION,
    Crash,
    Fault,
    Kind,
    Stopped,
    conflict,
    no_answer,
    refused,
    rejected,
    too_busy,
)
from tests.chaos.lambdas import Invocation

_TIMEOUT_SECONDS = 10  # how long a client waits for an answer
_OUTAGE_CALLS = 8  # more than a task's retries, fewer than those of a whole run
_TRANSIT_CALLS = 3  # that pass before a late order arrives
_STUCK_CALLS, _STUCK_SECONDS = 5, 100.0  # more than a task's retries; as long as OpenRun takes an order for in flight

type Effect = Callable[[], Any]


class Events(Protocol):
    """What a fault can set in motion."""

    def deliver_again(self, invocation: Invocation) -> None:
        """Run the same task a second time."""

    def start_rival(self, *, same_tick: bool) -> None:
        """Start another execution."""

    def take_over(self) -> None:
        """Let the lease expire, and another execution run."""

    def move_market(self) -> None:
        """Let the market print its next prices."""

    def halt(self, *, flatten: bool) -> None:
        """Halt trading, and perhaps sell everything."""

    def by_hand(self, kind: Kind) -> None:
        """Let the account's owner do something."""

    def pass_time(self, seconds: float) -> None:
        """Let the clock move."""

    def seconds(self) -> float:
        """The clock, in seconds since some moment."""

    def fences_of(self, invocation: int) -> tuple[int, int]:
        """The fencing number that an invocation works under, and the newest."""

    def fences(self, client_order_id: str) -> tuple[int, int]:
        """The fencing number under which the order was planned, and the newest."""


@dataclass(frozen=True)
class Submission:
    """An order that one of ours tried to send."""

    client_order_id: str
    side: Side
    invocation: int  # its number
    fence: int  # under which the order was planned
    newest_fence: int
    protective: bool = False


@dataclass(frozen=True)
class Cancellation:
    """An order whose end one of ours asked for."""

    broker_order_id: str
    invocation: int  # its number
    fence: int  # that the invocation works under
    newest_fence: int


@dataclass
class Record:
    """What happened."""

    lines: list[str] = field(default_factory=list)  # every call and fault, for a person
    places: Counter[str] = field(default_factory=Counter)  # calls while faults were on
    injected: list[Fault] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    cancellations: list[Cancellation] = field(default_factory=list)
    halts: list[tuple[int, bool]] = field(default_factory=list)  # invocations begun before each, whether to sell all
    resumed: list[int] = field(default_factory=list)  # the same of each end of a halt


def protects(request: OrderRequest) -> bool:
    """Whether an order only protects shares: a halt does not stop it."""
    return request.side is Side.SELL and request.bracket is not None


class Outside:
    """Counts calls, and lets the faults happen that are due."""

    def __init__(self, events: Events, faults: Sequence[Fault] = ()) -> None:
        self.record = Record()
        self.armed = False
        self.current: Invocation | None = None
        self._events = events
        self._faults = list(faults)
        self._on_the_way: list[tuple[Callable[[], bool], Effect]] = []  # whether it is due, and what then happens
        self._calls = 0
        self._outage: tuple[str, int] = ("", 0)
        self._paused: list[Invocation] = []  # while the same task runs a second time

    def disarm(self) -> None:
        """From now on everything works, and what was on its way arrives."""
        self.armed = False
        self._outage = ("", 0)
        self.arrive()

    def arrive(self, *, everything: bool = True) -> None:
        """Let late orders reach the broker: all, or those that are due."""
        due = [item for item in self._on_the_way if everything or item[0]()]
        self._on_the_way = [item for item in self._on_the_way if item not in due]
        for _, effect in due:
            try:
                effect()
            except Exception as error:
                self.record.lines.append(f"    a late order was refused: {error}")
            else:
                self.record.lines.append("    a late order arrived")

    def later(self, effect: Effect, after: int = _TRANSIT_CALLS) -> None:
        """Let something happen so many calls from now."""
        calls = self._calls + after
        self._on_the_way.append((lambda: self._calls >= calls, effect))

    def call(self, state: str, call: str, effect: Effect, arguments: Sequence[Any] = ()) -> Any:
        """One call to the outside."""
        self._calls += 1
        self.arrive(everything=False)
        place = f"{state}.{call}"
        if call == SUBMISSION and self.current:
            request: OrderRequest = arguments[0]
            fences = self._events.fences(request.client_order_id)
            self.record.submissions.append(
                Submission(request.client_order_id, request.side, self.current.number, *fences, protects(request))
            )
        if call == CANCELLATION and self.current:
            fences = self._events.fences_of(self.current.number)
            self.record.cancellations.append(Cancellation(arguments[0], self.current.number, *fences))
        fault = self.due(place)
        if fault:
            return self._strike(fault.kind, call, effect)
        if self._out_of_order(call):
            raise no_answer(call)
        return effect()

    def due(self, place: str) -> Fault | None:
        """The fault that strikes at this call, if one does."""
        fault = self._take(place) if self.armed else None
        self.record.lines.append(f"  {place}{f'   <== {fault}' if fault else ''}")
        return fault

    def _take(self, place: str) -> Fault | None:
        nth = self.record.places[place]
        self.record.places[place] += 1
        for fault in self._faults:
            if fault.place == place and fault.nth == nth:
                self._faults.remove(fault)
                self.record.injected.append(fault)
                return fault
        return None

    def _out_of_order(self, call: str) -> bool:
        silent, left = self._outage  # a port, or one call of it
        if left <= 0 or not f"{call}.".startswith(f"{silent}."):
            return False
        self._outage = (silent, left - 1)
        return True

    def _strike(self, kind: Kind, call: str, effect: Effect) -> Any:
        if kind.endswith("_after"):
            result = effect()
            self._happen(kind, call)
            return result
        if kind in {Kind.LATE, Kind.STUCK}:
            self._send_off(kind, call, effect)
            raise no_answer(call)
        if kind is Kind.UNSEEN:
            effect()
            return None
        if kind is Kind.REPEATED:
            effect()
            return effect()
        if kind is Kind.PARTIAL:
            return dict(list(effect().items())[1:])
        self._happen(kind, call)
        return effect()

    def _send_off(self, kind: Kind, call: str, effect: Effect) -> None:
        if kind is Kind.LATE:
            self.later(effect)
        else:
            arrival = self._events.seconds() + _STUCK_SECONDS
            self._on_the_way.append((lambda: self._events.seconds() >= arrival, effect))
            self._outage = (call, _STUCK_CALLS)

    def _happen(self, kind: Kind, call: str) -> None:
        match kind:
            case Kind.CRASH_BEFORE | Kind.CRASH_AFTER:
                raise Crash
            case Kind.STOP_BEFORE | Kind.STOP_AFTER:
                raise Stopped
            case Kind.SILENT_BEFORE | Kind.SILENT_AFTER:
                self._events.pass_time(_TIMEOUT_SECONDS)
                raise no_answer(call)
            case Kind.OUTAGE:
                self._outage = (call.partition(".")[0], _OUTAGE_CALLS)
                raise no_answer(call)
            case Kind.BUSY:
                raise too_busy(call)
            case Kind.CONFLICT:
                raise conflict()
            case Kind.REFUSED:
                raise refused()
            case Kind.REJECTED:
                raise rejected()
            case _:
                self._meanwhile(kind)

    def _meanwhile(self, kind: Kind) -> None:
        """Things that happen while the caller waits, and of which it sees nothing."""
        caller = self.current
        if caller is None:
            raise RuntimeError(f"{kind} needs a Lambda to happen to")
        match kind:
            case Kind.TWICE_BEFORE | Kind.TWICE_AFTER:
                self._paused.append(caller)
                self._events.deliver_again(caller)
                self._paused.remove(caller)
            case Kind.ZOMBIE_BEFORE | Kind.ZOMBIE_AFTER:
                caller.park()
            case Kind.RIVAL:
                self._events.start_rival(same_tick=False)
            case Kind.SAME_TICK:
                self._events.start_rival(same_tick=True)
            case Kind.TAKEN_OVER:
                # A task that is paused just before it sends would send when it wakes: see kinds_at.
                if not any(paused.state.startswith("Execute") for paused in self._paused):
                    self._events.take_over()
            case Kind.PRINT:
                self._events.move_market()
            case Kind.HALT | Kind.FLATTEN:
                self._events.halt(flatten=kind is Kind.FLATTEN)
            case _:
                self._events.by_hand(kind)
        self.current = caller


class Seam:
    """A port of which every method passes the gate, under the name of the state whose Lambda calls it."""

    def __init__(self, port: str, target: object, outside: Outside) -> None:
        self._port = port
        self._target = target
        self._outside = outside

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        if not callable(method):
            return method

        def call(*arguments: Any, **named: Any) -> Any:
            invocation = self._outside.current
            if invocation is None:
                raise RuntimeError(f"{self._port}.{name} was called by no Lambda")
            return self._outside.call(
                invocation.state, f"{self._port}.{name}", lambda: method(*arguments, **named), arguments
            )

        return call
