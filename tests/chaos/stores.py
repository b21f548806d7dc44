"""Where a play keeps its ledger: in memory, or in a table like DynamoDB's; and what only the store itself can tell."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol
from unittest.mock import patch

from openbell.adapters.dynamo import items, ledger, writes
from openbell.adapters.dynamo.ledger import DynamoLedger
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.model import Cross, Lease, Sleeve
from openbell.ports import Ledger
from tests.chaos.dynamo import FakeTable

_SMALL = 12  # actions of one transaction: so few that a plan of a handful of orders comes in chunks

type SeamOf = Callable[[str, object], Any]  # port and target; faults happen between them


class Store(Protocol):
    """A ledger that outlives a process."""

    @property
    def ledger(self) -> Ledger:
        """The ledger itself, without faults."""
        ...

    @property
    def granted(self) -> dict[str, Decimal]:
        """USD with which each sleeve was opened."""
        ...

    @property
    def lowest(self) -> dict[str, Decimal]:
        """The least cash (USD) that each sleeve ever had, looked at whenever it was written."""
        ...

    @property
    def crosses(self) -> list[Cross]:
        """All that was crossed inside the account."""
        ...

    def seen_through(self, seam: SeamOf) -> Ledger:
        """The ledger as handlers see it."""
        ...

    def at_work(self) -> Any:
        """A context in which handlers work."""
        ...


@dataclass(frozen=True)
class _Seal:
    crosses: tuple[Cross, ...]


@dataclass
class WatchedLedger(MemoryLedger):
    """The ledger, which remembers with how much cash (USD) each sleeve was opened, and the least that it had."""

    granted: dict[str, Decimal] = field(default_factory=dict)
    lowest: dict[str, Decimal] = field(default_factory=dict)

    def open_sleeve(self, sleeve: Sleeve, lease: Lease) -> None:
        """See Ledger."""
        super().open_sleeve(sleeve, lease)
        self.granted.setdefault(sleeve.strategy, sleeve.cash)
        self._look(self._sleeves.values())

    def _write_sleeves(self, sleeves: Sequence[Sleeve]) -> None:
        super()._write_sleeves(sleeves)
        self._look(sleeves)

    def _look(self, sleeves: Iterable[Sleeve]) -> None:
        for sleeve in sleeves:
            self.lowest[sleeve.strategy] = min(sleeve.cash, self.lowest.get(sleeve.strategy, sleeve.cash))


@dataclass
class MemoryStore:
    """Faults happen at the ledger's own methods."""

    ledger: WatchedLedger = field(default_factory=WatchedLedger)

    @property
    def granted(self) -> dict[str, Decimal]:
        """See Store."""
        return self.ledger.granted

    @property
    def lowest(self) -> dict[str, Decimal]:
        """See Store."""
        return self.ledger.lowest

    @property
    def crosses(self) -> list[Cross]:
        """See Store."""
        return [cross for crosses in self.ledger.crosses.values() for cross in crosses]

    def seen_through(self, seam: SeamOf) -> Any:
        """See Store."""
        return seam("ledger", self.ledger)

    def at_work(self) -> Any:
        """See Store."""
        return nullcontext()


@dataclass
class DynamoStore:
    """Faults happen at each request to the table: between the chunks of a plan, inside the SDK's own repetition."""

    table: FakeTable = field(default_factory=FakeTable)

    def __post_init__(self) -> None:
        self.table.watched = items.sleeve_key("")[0]

    @property
    def ledger(self) -> DynamoLedger:
        """See Store."""
        return DynamoLedger(self.table, "ledger")

    @property
    def granted(self) -> dict[str, Decimal]:
        """See Store."""
        pk, _ = items.sleeve_key("")
        first = (items.value_of(Sleeve, item) for key, item in self.table.first.items() if key[0] == pk)
        return {sleeve.strategy: sleeve.cash for sleeve in first}

    @property
    def lowest(self) -> dict[str, Decimal]:
        """See Store."""
        seen = [items.value_of(Sleeve, item) for versions in self.table.every.values() for item in versions]
        return {sleeve.strategy: min(s.cash for s in seen if s.strategy == sleeve.strategy) for sleeve in seen}

    @property
    def crosses(self) -> list[Cross]:
        """See Store."""
        seals = (self.table.get(items.seal_key(run.run_id)) for run in self.ledger.runs(1000))
        return [
            cross for seal in seals if seal and writes.is_seal(seal) for cross in items.value_of(_Seal, seal).crosses
        ]

    def seen_through(self, seam: SeamOf) -> DynamoLedger:
        """See Store."""
        return DynamoLedger(seam("dynamo", self.table), "ledger")

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """See Store."""
        with patch.object(ledger, "ACTIONS", _SMALL), patch.object(writes, "ACTIONS", _SMALL):
            yield
