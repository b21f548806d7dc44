"""What a run keeps of itself: what it saw when it opened, and what it decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from openbell.config import PlatformConfig
from openbell.execution.reconciliation import Reconciliation
from openbell.forecasts import closes_key
from openbell.model import (
    NEW_YORK,
    ZERO,
    Account,
    Lease,
    MarketClock,
    Plan,
    Quarantine,
    QuarantineKind,
    Run,
    Signal,
    Sleeve,
    Target,
)


@dataclass(frozen=True)
class RunInputs:
    """Everything that a run's decisions depend on, besides its snapshot and forecasts. Frozen by OpenRun."""

    run_id: str
    fence: int
    clock: MarketClock
    config: PlatformConfig
    strategies: tuple[str, ...]  # due in this run
    account: Account
    sleeves: Mapping[str, Sleeve]
    position_values: Mapping[str, Decimal]  # USD by symbol, the whole account
    pending: tuple[str, ...] = ()  # symbols with an order of ours that is not filled yet
    protected: tuple[tuple[str, str], ...] = ()  # (strategy, symbol) whose shares rest in protective orders
    turnover_today: Decimal = ZERO
    committed: Mapping[str, Decimal] = field(default_factory=dict)  # USD by strategy that working buys may still take
    flatten: bool = False  # the run sells everything and does nothing else
    reconciliation: Reconciliation = field(default_factory=Reconciliation)
    quarantines: tuple[Quarantine, ...] = ()  # what is not traded until a person has repaired it

    def quarantined(self, kind: QuarantineKind) -> dict[str, str]:
        """Why by name: the symbols, or the sleeves, that are not traded."""
        return {found.name: str(found) for found in self.quarantines if found.kind is kind}


@dataclass(frozen=True)
class Universes:
    """The symbols of each strategy in the order of its ranking."""

    by_strategy: Mapping[str, tuple[str, ...]]
    failed: Mapping[str, str] = field(default_factory=dict)  # what went wrong, by strategy; it has its holdings alone


@dataclass(frozen=True)
class Decisions:
    """What every strategy wanted, and the plan that came of it."""

    universe: Mapping[str, tuple[str, ...]]
    signals: Mapping[str, tuple[Signal, ...]]
    failed_strategies: Mapping[str, str]
    targets: tuple[Target, ...]
    plan: Plan


def run_id(as_of: datetime, execution: str) -> str:
    """The run's id: market time and a hash of the execution's name. The same execution always gets the same one."""
    stamp = as_of.astimezone(NEW_YORK).strftime("%Y%m%d-%H%M")
    return f"{stamp}-{sha256(execution.encode()).hexdigest()[:4]}"


def lease_of(run: Run) -> Lease:
    """The lease that a run trades under; only its fencing number counts for writes."""
    return Lease(run.execution, run.fence, run.as_of)


def fenced(run_id: str, fence: int) -> Lease:
    """The lease that a state was handed on: writes are checked against its fencing number alone."""
    return Lease(run_id, fence, datetime.max.replace(tzinfo=NEW_YORK))


def inputs_key(run: str) -> str:
    """Where a run's inputs are kept."""
    return f"runs/{run}/inputs.json"


def universe_key(run: str) -> str:
    """Where the universes of a run's strategies are kept."""
    return f"runs/{run}/universe.json"


def snapshot_keys(run: str) -> tuple[str, str]:
    """Where a run's closes, and the rest of its snapshot, are kept."""
    return closes_key(run), f"runs/{run}/snapshot.json"


def recent_closes_key(run: str) -> str:
    """Where the last closes of every candidate are kept, by which earlier forecasts are scored."""
    return f"runs/{run}/recent.csv.gz"


LATEST_CLOSES = "runs/latest/closes.csv.gz"  # of every candidate of the last run, for when no source answers


def decisions_key(run: str) -> str:
    """Where a run's decisions are kept."""
    return f"runs/{run}/decisions.json"


def books_key(run: str) -> str:
    """Where a run's books are kept, by which a lost ledger is rebuilt."""
    return f"runs/{run}/books.json"


LATEST_FENCE = "runs/latest/fence.json"  # the newest fencing number: a ledger whose own is lower is lost or stale


def report_key(run: str) -> str:
    """Where a run's report is kept."""
    return f"runs/{run}/report.json"
