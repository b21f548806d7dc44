"""A run's `report.json`, read and typed.

A run that was skipped or failed early has only its head; everything after it is then empty. Money and quantities
are Decimal (USD, shares), times are zone-aware.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from cli.formats import shares
from openbell.model import QuarantineKind, RunStatus, Side

ZERO = Decimal(0)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AccountPart(_Part):
    """The account when the run opened."""

    equity: Decimal
    last_equity: Decimal
    cash: Decimal
    buying_power: Decimal


class SnapshotPart(_Part):
    """Where the prices came from, and which symbols were left out and why."""

    source: str = ""
    sessions: int = 0
    first: date | None = None
    last: date | None = None
    left_out: dict[str, str] = {}
    sources: dict[str, str] = {}  # who gave a symbol's closes

    @property
    def stand_ins(self) -> dict[str, tuple[str, ...]]:
        """The symbols of every source beside the one that most came from."""
        by_source: dict[str, list[str]] = {}
        for symbol, source in self.sources.items():
            by_source.setdefault(source, []).append(symbol)
        main = max(by_source, key=lambda source: len(by_source[source]), default="")
        return {source: tuple(symbols) for source, symbols in by_source.items() if source != main}


class ForecastPart(_Part):
    """What Prophet expects of one symbol: USD, one value a session ahead."""

    symbol: str
    last_close: float
    sessions: tuple[date, ...]
    yhat: tuple[float, ...]
    yhat_lower: tuple[float, ...]
    yhat_upper: tuple[float, ...]
    interval_width: float
    engine: str = ""
    skill: float | None = None

    @property
    def expected_change(self) -> float:
        """Last forecast value against the last close, as a fraction."""
        return self.yhat[-1] / self.last_close - 1 if self.yhat and self.last_close else 0.0


class ForecastsPart(_Part):
    """Forecasts made, and the symbols without one and why."""

    made: tuple[ForecastPart, ...] = ()
    failed: dict[str, str] = {}


class HistoryPart(_Part):
    """Last closes of one symbol, adjusted (USD)."""

    sessions: tuple[date, ...]
    closes: tuple[float, ...]


class AccuracyPart(_Part):
    """How a strategy's forecasts of the last sessions did at one horizon: means over `bars` scored bars."""

    bars: int
    mape: float  # fraction of the close
    mase: float
    naive_mase: float  # of "tomorrow equals today"
    skill: float | None = None
    hit_rate: float | None = None
    coverage: float
    pinball: float

    @property
    def verdict(self) -> str:
        """Whether forecasting was worth anything."""
        return "better than naive" if self.mase < self.naive_mase else "naive is better"


class SignalPart(_Part):
    """A strategy's opinion on one symbol: score in [-1, 1]."""

    symbol: str
    score: float
    reason: str
    vetoed: str = ""  # why it gets no weight


class TargetPart(_Part):
    """What a strategy wants to hold; the weight is a fraction of its sleeve's equity."""

    strategy: str
    symbol: str
    qty: Decimal
    weight: float
    price: Decimal | None = None
    reason: str


class CrossPart(_Part):
    """Shares that passed from one strategy to another inside the account."""

    symbol: str
    seller: str
    buyer: str
    qty: Decimal
    price: Decimal


class CutPart(_Part):
    """What the risk gate took away, and why."""

    rule: str
    strategy: str
    symbol: str
    side: Side
    wanted_qty: Decimal
    allowed_qty: Decimal
    reason: str


class BracketPart(_Part):
    """Protective prices of an entry (USD)."""

    stop_price: Decimal
    stop_limit_price: Decimal
    take_profit_price: Decimal


class LegPart(_Part):
    """A protective order and how it stands."""

    kind: str
    status: str
    filled_qty: Decimal = ZERO


class OrderPart(_Part):
    """One order of the plan and what became of it."""

    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal
    status: str
    filled_qty: Decimal = ZERO
    filled_avg_price: Decimal | None = None
    reference_price: Decimal
    strategies: tuple[str, ...] = ()
    shares: dict[str, Decimal] = {}
    reason: str = ""
    note: str = ""
    protective: bool = False  # an OCO that rests to protect what was bought
    bracket: BracketPart | None = None
    legs: tuple[LegPart, ...] = ()

    @property
    def slippage_bps(self) -> Decimal | None:
        """Fill against the price at planning; positive is a cost. 100.02 for a buy planned at 100 is 2 bps."""
        if not self.filled_qty or self.filled_avg_price is None or not self.reference_price:
            return None
        return (self.filled_avg_price / self.reference_price - 1) * 10_000 * self.side.sign

    @property
    def slippage_cost(self) -> Decimal:
        """USD paid more (or received less) than at the price at planning; negative is a gain."""
        if not self.filled_qty or self.filled_avg_price is None:
            return ZERO
        return (self.filled_avg_price - self.reference_price) * self.filled_qty * self.side.sign

    @property
    def value(self) -> Decimal:
        """USD filled so far."""
        return self.filled_qty * (self.filled_avg_price or ZERO)


class PositionPart(_Part):
    """Shares that a strategy holds; the weight is a fraction of its sleeve's equity."""

    qty: Decimal
    average_cost: Decimal
    price: Decimal | None = None  # None: no price is known, and the value is the cost
    value: Decimal
    weight: float

    @property
    def unrealised_pnl(self) -> Decimal:
        """USD."""
        return self.value - self.average_cost * self.qty


class SleevePart(_Part):
    """One strategy's sub-account when the run closed (USD)."""

    cash: Decimal
    equity: Decimal
    realised_pnl: Decimal = ZERO
    unrealised_pnl: Decimal = ZERO
    positions: dict[str, PositionPart] = {}


class BookedPart(_Part):
    """A fill that reconciliation found at the broker and booked."""

    client_order_id: str
    leg: str
    strategy: str
    symbol: str
    side: Side
    qty: Decimal
    value: Decimal


class DriftPart(_Part):
    """A symbol of which ledger and broker hold different amounts."""

    symbol: str
    ledger: Decimal
    broker: Decimal

    def __str__(self) -> str:
        return f"{self.symbol}: the strategies hold {shares(self.ledger)}, the broker has {shares(self.broker)}"


class ReconciliationPart(_Part):
    """What the run found before it decided anything."""

    booked: tuple[BookedPart, ...] = ()
    adopted: tuple[str, ...] = ()
    drift: tuple[DriftPart, ...] = ()
    unmanaged: dict[str, Decimal] = {}  # shares that no strategy owns


class QuarantinePart(_Part):
    """A symbol or a sleeve that is not traded until a person has repaired it."""

    kind: QuarantineKind
    name: str
    reason: str
    evidence: str
    since: datetime


class ChecksPart(_Part):
    """The run's own comparison of ledger and broker at its end."""

    books_agree: bool | None = None  # None: the run ended before it could compare
    differences: tuple[DriftPart, ...] = ()
    quarantines: tuple[QuarantinePart, ...] = ()
    unsent_alerts: tuple[str, ...] = ()  # subjects


class RunReport(_Part):
    """The whole report of one run."""

    run_id: str
    execution: str = ""
    as_of: datetime
    status: Literal[RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.SKIPPED]
    schedule: str = ""
    note: str = ""
    strategies: tuple[str, ...] = ()
    account: AccountPart | None = None
    equity: Decimal | None = None
    universe: dict[str, tuple[str, ...]] = {}
    snapshot: SnapshotPart = SnapshotPart()
    prices: dict[str, Decimal] = {}
    forecasts: ForecastsPart = ForecastsPart()
    accuracy: dict[str, dict[int, AccuracyPart]] = {}  # by strategy and horizon in bars
    history: dict[str, HistoryPart] = {}
    signals: dict[str, tuple[SignalPart, ...]] = {}
    failed_strategies: dict[str, str] = {}
    orphans: dict[str, str] = {}  # sleeves that no enabled strategy trades, each with what it has
    targets: tuple[TargetPart, ...] = ()
    crosses: tuple[CrossPart, ...] = ()
    cuts: tuple[CutPart, ...] = ()
    orders: tuple[OrderPart, ...] = ()
    sleeves: dict[str, SleevePart] = {}
    reconciliation: ReconciliationPart = ReconciliationPart()
    checks: ChecksPart = ChecksPart()

    @property
    def told_accuracy(self) -> list[tuple[str, int, AccuracyPart]]:
        """Strategy, horizon and accuracy at the horizons that are told: 1, 5, 10 bars and the longest."""
        return [
            (name, horizon, found)
            for name, by_horizon in self.accuracy.items()
            for horizon, found in sorted(by_horizon.items())
            if horizon in {1, 5, 10, max(by_horizon)}
        ]

    @property
    def wanted(self) -> tuple[OrderPart, ...]:
        """Orders that the strategies wanted, those that only protect what they hold left out."""
        return tuple(order for order in self.orders if not order.protective)

    @property
    def filled(self) -> tuple[OrderPart, ...]:
        """Orders of which at least a part was filled."""
        return tuple(order for order in self.orders if order.filled_qty)


def read_report(content: bytes, source: str) -> RunReport:
    """The report in JSON `content`; ValueError names `source` and the first field that is wrong."""
    try:
        return RunReport.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "(the file)"
        raise ValueError(f"{source}: {where}: {first['msg']}") from error
