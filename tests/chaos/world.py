"""The platform in one process, with everything around it under the play's control."""

import json
import pickle
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from lab.exchange import ExchangeBroker, ExchangeData
from openbell.adapters.memory.archive import MemoryArchive
from openbell.errors import OrderNotCancelable
from openbell.events import DomainEvent
from openbell.model import Halt
from openbell.ports import Broker, Desk, Ledger
from openbell.recovery import read_archive, rebuild
from paper import PaperExchange
from tests.chaos.evidence import Evidence, ask
from tests.chaos.faults import Crash, Fault, Kind, Stopped
from tests.chaos.handlers import invoke, wired
from tests.chaos.lambdas import Invocation
from tests.chaos.machine import Aborted, Ended, Outer, TaskFailed, play
from tests.chaos.market import CASH, UNMANAGED, Setting, config, history
from tests.chaos.outside import Outside, Seam
from tests.chaos.owner import Owner
from tests.chaos.stores import DynamoStore, MemoryStore, Store

_MARKET_CLOSES = 16
_CANCEL_CALLS = 10  # until a slow broker has ended an order: more than pass before a sale that does not wait for it


@dataclass
class Inbox:
    """Alerts that arrived."""

    received: list[tuple[str, str]] = field(default_factory=list)

    def alert(self, subject: str, message: str) -> None:
        """See Alerts."""
        self.received.append((subject, message))


@dataclass
class Bus:
    """Events that were published."""

    published: list[DomainEvent] = field(default_factory=list)

    def publish(self, events: Sequence[DomainEvent]) -> list[DomainEvent]:
        """See Events."""
        self.published.extend(events)
        return list(events)


class KeptArchive(MemoryArchive):
    """The archive, with a list of what it holds."""

    def keys(self) -> list[str]:
        """Every key."""
        return list(self._contents)


@dataclass
class Lasting:
    """All that outlives a process."""

    store: Store
    archive: KeptArchive = field(default_factory=KeptArchive)
    inbox: Inbox = field(default_factory=Inbox)
    bus: Bus = field(default_factory=Bus)
    owner: Owner = field(default_factory=Owner)
    executions: dict[str, str] = field(default_factory=dict)  # name -> RUNNING, SUCCEEDED, FAILED or ABORTED

    def ended(self, name: str) -> bool:
        """See Executions."""
        return self.executions.get(name, "RUNNING") != "RUNNING"


class SlowBroker(ExchangeBroker):
    """Takes a moment to end an order, which may fill until then."""

    def __init__(self, exchange: PaperExchange, outside: Outside) -> None:
        super().__init__(exchange)
        self._paper = exchange
        self._outside = outside

    def cancel(self, order_id: str) -> None:
        """See Broker."""
        if not self._paper.order(order_id).status.open:
            raise OrderNotCancelable(f"order {order_id} has ended")
        self._outside.later(partial(self._paper.cancel, order_id), after=_CANCEL_CALLS)


class World:
    """An exchange, stores, and the executions of the workflow over them."""

    def __init__(self, setting: Setting, faults: Sequence[Fault] = (), frozen: bytes = b"") -> None:
        self.setting = setting
        self.config = config(setting)
        self.lasting = Lasting(DynamoStore() if setting.dynamo else MemoryStore())
        state = None
        if frozen:
            self.lasting, state = pickle.loads(frozen)
        at = state.now if state else setting.start
        self.exchange = PaperExchange(history(setting), CASH, at, rules=setting.rules, state=state)
        if not state:
            self.lasting.owner.buy(self.exchange, UNMANAGED)
        self.outside = Outside(self, faults)
        slow = SlowBroker(self.exchange, self.outside) if setting.slow else None
        self.broker: Broker = slow or ExchangeBroker(self.exchange)
        self._sleepers: list[Invocation] = []
        self._begun = 0
        self._payloads: dict[int, dict[str, Any]] = {}  # by the invocation's number
        self._tick = ""

    def freeze(self) -> bytes:
        """The world as it stands, to be continued as often as wanted."""
        return pickle.dumps((self.lasting, self.exchange.state))

    @property
    def ledger(self) -> Ledger:
        """The ledger itself, without faults."""
        return self.lasting.store.ledger

    # Executions.

    def execute(self, name: str, tick: str = "") -> Ended:
        """One execution of the workflow, by hand or by a tick of the schedule; ABORTED if it was stopped."""
        self.outside.record.lines.append(f"{self.exchange.now:%a %H:%M:%S} execution {name} {tick}")
        given: dict[str, Any] = {"schedule": "daily", "tick": tick} if tick else {}
        self._tick = tick or self._tick
        self.lasting.executions[name] = "RUNNING"
        outer = Outer(
            invoke=self._invoke,
            publish=self._publish,
            wait=self.exchange.wait,
            back_off=self.pass_time,
        )
        try:
            with self._at_work():
                ended = play(outer, name, given)
        except (Aborted, Stopped):
            ended = Ended("ABORTED", "")
        if ended.status == "ABORTED" or ended.error == "NobodyTold":  # the rule RunEndedBadly
            self.lasting.inbox.alert("a rule's alert", f"the execution {name} ended as {ended.status}")
        self.lasting.executions[name] = ended.status
        self.outside.record.lines.append(f"{self.exchange.now:%a %H:%M:%S} {name} {ended}")
        return ended

    def next_session(self) -> None:
        """The same time of the next session; by then nothing of this one is on its way any more."""
        self.wake_sleepers()
        self.outside.arrive()
        self.exchange.close_session()
        self.exchange.open_next_session(self.setting.at)

    def wake_sleepers(self) -> None:
        """Let every Lambda go on whose connection was lost."""
        sleepers, self._sleepers = self._sleepers, []
        with self._at_work():
            for sleeper in sleepers:
                self._go_on(sleeper, sleeper.resume)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Handlers see this world."""
        with self.lasting.store.at_work(), self._wired():
            yield

    def _invoke(self, state: str, function: str, payload: dict[str, Any]) -> Any:
        invocation = self._new(state, function, payload)
        sleepers = list(self._sleepers)
        self._go_on(invocation, invocation.start)
        if not invocation.ended:
            raise TaskFailed("Lambda.SdkClientException", "the connection to the Lambda was lost")
        for sleeper in sleepers:  # it was only slow: it goes on after its own retry
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
                self._go_on(sleeper, sleeper.resume)
        return _answer(invocation)

    def _new(self, state: str, function: str, payload: dict[str, Any]) -> Invocation:
        self._begun += 1
        event = json.loads(json.dumps(payload))  # nothing but JSON travels
        self._payloads[self._begun] = event
        return Invocation(state, function, partial(invoke, function, event), self._begun)

    def _wired(self) -> AbstractContextManager[None]:
        events = self._seam("events", self.lasting.bus)
        return wired(self._desk(), self._data(), events, self.config, self.lasting)

    def _desk(self) -> Desk:
        return Desk(
            self._seam("broker", self.broker),
            self.lasting.store.seen_through(self._seam),
            self._seam("archive", self.lasting.archive),
            self._seam("alerts", self.lasting.inbox),
        )

    def _data(self) -> Any:
        return self._seam("data", ExchangeData(self.exchange))

    def _seam(self, port: str, target: object) -> Any:
        return Seam(port, target, self.outside)

    def _go_on(self, invocation: Invocation, move: Any) -> None:
        before, self.outside.current = self.outside.current, invocation
        move()
        self.outside.current = before
        if not invocation.ended:
            self._sleepers.append(invocation)

    def _publish(self, subject: str, message: str) -> None:
        """The state machine's own call: no Lambda is involved."""
        try:
            self.outside.call("NotifyFailure", "topic.publish", partial(self.lasting.inbox.alert, subject, message))
        except ConnectionError as error:
            raise TaskFailed("SNS.InternalErrorException", str(error)) from error

    def edit(self) -> None:
        """The configuration changes between two runs, in a play that has this."""
        self.config = config(self.setting, edited=self.setting.edited)

    def resume(self) -> None:
        """A person resumes trading."""
        self.ledger.clear_halt()
        self.outside.record.resumed.append(self._begun)

    def evidence(self) -> Evidence:
        """What the promises are judged by."""
        lasting = self.lasting
        return Evidence(
            **vars(ask(self.ledger)),
            exchange=self.exchange,
            unmanaged=lasting.owner.shares(self.exchange.market.history.splits, self.exchange.now),
            granted=lasting.store.granted,
            lowest=lasting.store.lowest,
            crosses=lasting.store.crosses,
            alerts=lasting.inbox.received,
            executions=lasting.executions,
            reports=frozenset(lasting.archive.keys()),
            recovered=rebuild(read_archive(lasting.archive, lasting.archive.folders("runs/")), self.broker),
            published=frozenset(event.id for event in lasting.bus.published),
            record=self.outside.record,
        )

    # What faults set in motion: see Events.

    def deliver_again(self, invocation: Invocation) -> None:
        """Run the same task a second time, here and now; nobody waits for its answer."""
        self._begun += 1
        again = Invocation(invocation.state, invocation.function, invocation.body, self._begun)
        self._go_on(again, again.start)

    def start_rival(self, *, same_tick: bool) -> None:
        """Another execution, from start to end."""
        name = f"rival-{len(self.lasting.executions)}"
        self.execute(name, self._tick if same_tick else "")

    def take_over(self) -> None:
        """The caller is frozen until the next session, and wakes up when another run has come and gone."""
        self.exchange.close_session()
        self.exchange.open_next_session(self.setting.at)
        self.start_rival(same_tick=False)

    def move_market(self) -> None:
        """To the next moment at which prices are printed: the closing window, or the closing bell."""
        now = self.exchange.now
        window = now.replace(hour=_MARKET_CLOSES - 1, minute=45, second=0, microsecond=0)
        if now < window:
            self.exchange.advance(window)
        else:
            self.exchange.close_session()

    def halt(self, *, flatten: bool) -> None:
        """A person halts trading, if nobody has."""
        if self.ledger.halt():
            return
        self.ledger.set_halt(Halt("enough is enough", "a person", self.exchange.now, flatten=flatten))
        self.outside.record.halts.append((self._begun, flatten))

    def by_hand(self, kind: Kind) -> None:
        """The account's owner does something."""
        self.lasting.owner.act(kind, self.exchange)

    def seconds(self) -> float:
        """The clock."""
        return self.exchange.now.timestamp()

    def fences_of(self, invocation: int) -> tuple[int, int]:
        """The fencing number of the run that an invocation works for, and the newest."""
        given, lease = self._payloads[invocation], self.ledger.lease()
        run = self.ledger.run(given["run_id"]) if given.get("fence") else self.ledger.run_of(given["execution"])
        return run.fence if run else 0, lease.fence if lease else 0

    def fences(self, client_order_id: str) -> tuple[int, int]:
        """The fencing number of the order's run, and the newest."""
        run = self.ledger.run("-".join(client_order_id.split("-")[:3]))
        lease = self.ledger.lease()
        return run.fence if run else 0, lease.fence if lease else 0

    def pass_time(self, seconds: float) -> None:
        """Let the clock move."""
        self.exchange.advance(self.exchange.now + timedelta(seconds=seconds))


def _answer(invocation: Invocation) -> Any:
    """What the state machine hears of an invocation that has ended."""
    error = invocation.error
    if error is None:
        return json.loads(json.dumps(invocation.result))
    if isinstance(error, Stopped):
        raise Aborted
    if isinstance(error, Crash):
        raise TaskFailed("Runtime.ExitError", "the process died")
    raise TaskFailed(type(error).__name__, json.dumps({"errorMessage": str(error)}))
