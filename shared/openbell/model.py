"""The vocabulary: frozen values that the whole platform speaks in.

Money and share quantities are Decimal (USD, shares). Scores, weights and forecasts are floats.
Every datetime is zone-aware; sessions are plain dates of the exchange in New York.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from hashlib import sha256

from openbell.exchange_calendar import NEW_YORK as NEW_YORK  # noqa: PLC0414 a word of the vocabulary, too
from openbell.money import to_tick

ZERO = Decimal(0)


class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class OrderStatus(StrEnum):
    """Where one order (or one leg of a bracket) stands in our books."""

    PLANNED = "PLANNED"  # written with the plan, not yet sent
    SUBMITTING = "SUBMITTING"  # about to be sent, perhaps sent: only a look-up can tell
    WORKING = "WORKING"  # the broker has it
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    DROPPED = "DROPPED"  # planned and deliberately never sent

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to the order any more."""
        return self in _ENDED


_ENDED = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED, OrderStatus.DROPPED}
)


class LegKind(StrEnum):
    """The part that a broker order plays in one of our orders."""

    ENTRY = "entry"  # the order itself
    STOP = "stop"
    TAKE_PROFIT = "take_profit"


class RunStatus(StrEnum):
    """How a run stands or ended."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class MarketClock:
    """The broker's clock: the only "now" of a run."""

    now: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime

    @property
    def session(self) -> date:
        """The date in New York."""
        return self.now.astimezone(NEW_YORK).date()


@dataclass(frozen=True)
class Account:
    """The brokerage account as the broker tells it (USD)."""

    equity: Decimal
    last_equity: Decimal  # at the previous session's close
    cash: Decimal
    buying_power: Decimal
    blocked: str = ""  # why it may not trade; empty when it may


@dataclass(frozen=True)
class BrokerPosition:
    """Shares that the broker holds for the account."""

    symbol: str
    qty: Decimal
    qty_available: Decimal  # not held by resting sell orders
    average_price: Decimal
    price: Decimal


class ActivityKind(StrEnum):
    """What an entry in the broker's record of the account is about."""

    FILL = "fill"
    DIVIDEND = "dividend"  # with its taxes and fees
    INTEREST = "interest"
    FEE = "fee"
    TRANSFER = "transfer"  # cash or shares that come from outside, or go there
    SPLIT = "split"
    SPIN_OFF = "spin_off"
    MERGER = "merger"
    SYMBOL_CHANGE = "symbol_change"
    REORGANISATION = "reorganisation"  # also shares that became worthless
    OTHER = "other"


@dataclass(frozen=True)
class Activity:
    """One entry in the broker's record of the account: what came and what went.

    A corporate action has several: the old shares go, the new ones come, the cash comes. They share a `group` where the
    broker names one.
    """

    id: str
    kind: ActivityKind
    day: date  # in New York
    symbol: str = ""
    qty: Decimal = ZERO  # shares that came, or went (below 0); of a dividend, the shares that it was paid for
    amount: Decimal = ZERO  # USD that came, or went (below 0)
    group: str = ""
    order_id: str = ""  # of a fill: the broker's id of its order
    words: str = ""  # the broker's own type and description


@dataclass(frozen=True)
class CorporateAction:
    """What a company has announced for each of its shares."""

    kind: ActivityKind
    symbol: str
    ex_date: date  # the first session with new shares, or without the right to what is paid
    new_symbol: str = ""  # what the shares are exchanged for, or come with; empty: the same
    ratio: Decimal = ZERO  # new shares for each old one
    cash: Decimal = ZERO  # USD for each old share
    pay_date: date | None = None


@dataclass(frozen=True)
class Bracket:
    """Prices (USD) of protective orders: below, where a loss is stopped, and above, where the profit is taken."""

    stop_price: Decimal
    stop_limit_price: Decimal
    take_profit_price: Decimal

    def __post_init__(self) -> None:
        if not ZERO < self.stop_limit_price <= self.stop_price < self.take_profit_price:
            raise ValueError(
                f"bracket prices must satisfy 0 < stop-limit <= stop < take-profit, got {self.stop_limit_price}, "
                f"{self.stop_price}, {self.take_profit_price}"
            )

    def scaled(self, factor: Decimal) -> "Bracket":
        """The same distances from a price that is `factor` times the first one, in ticks that the broker accepts.

        A stop at 97 for an entry at 100 is one at 95.06 for an entry at 98 (factor 0.98).
        """
        prices = (self.stop_price, self.stop_limit_price, self.take_profit_price)
        return Bracket(*(to_tick(price * factor) for price in prices))


@dataclass(frozen=True)
class OrderRequest:
    """What is sent to the broker.

    An order for today, at the market or a limit (USD). A buy with a bracket rests until it is filled, and its legs with
    it, unless it is for today as others are; a sell with a bracket is an OCO that rests until one of a take-profit and
    a stop-limit has sold the shares.
    """

    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal
    bracket: Bracket | None = None
    limit_price: Decimal | None = None
    today_only: bool = False  # of a bracket

    @property
    def is_oco(self) -> bool:
        """Whether it is two sells of the same shares; with a limit of its own it is one, whose stop has been passed."""
        return self.side is Side.SELL and self.bracket is not None and self.limit_price is None


@dataclass(frozen=True)
class BrokerOrder:
    """An order as the broker tells it, legs nested."""

    id: str
    client_order_id: str
    symbol: str
    side: Side
    status: OrderStatus
    qty: Decimal
    filled_qty: Decimal
    filled_avg_price: Decimal  # 0 while nothing is filled
    kind: LegKind = LegKind.ENTRY
    legs: tuple["BrokerOrder", ...] = ()
    filled_at: datetime | None = None  # its last fill, where the broker says so
    limit_price: Decimal | None = None  # USD
    stop_price: Decimal | None = None  # USD
    expires_at: datetime | None = None  # when the broker will end it by itself, where it says so


@dataclass(frozen=True)
class Share:
    """How many shares of an order one strategy wanted, and how many it has got."""

    strategy: str
    qty: Decimal
    filled_qty: Decimal = ZERO


@dataclass(frozen=True)
class Leg:
    """One leg of a bracket or of an OCO, as booked in the ledger."""

    kind: LegKind
    broker_order_id: str
    status: OrderStatus
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO  # USD


@dataclass(frozen=True)
class Order:
    """An order intent and what became of it: the unit of the plan and of the ledger.

    `shares` sum to `qty`. `filled_value` is the USD paid or received so far. An order with legs stays open until they
    have ended.

    `protection` is what the shares of a buy are to be protected by once they are bought, at the reference price: it
    moves with the fill. `bracket` is what is sent with the order: legs of a buy, which a `shield` has only because the
    broker would refuse a plain buy beside our own resting sells; or the prices of a protective sell (an OCO).
    """

    client_order_id: str
    run_id: str
    symbol: str
    side: Side
    qty: Decimal
    reference_price: Decimal  # the snapshot's price when the order was planned: the arrival price
    reason: str
    shares: tuple[Share, ...]
    bracket: Bracket | None = None
    limit_price: Decimal | None = None  # USD; None: at the market. A buy sets aside its quantity at it
    status: OrderStatus = OrderStatus.PLANNED
    sending_since: datetime | None = None  # the broker's time when an attempt to send it began
    broker_order_id: str = ""
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    legs: tuple[Leg, ...] = ()
    note: str = ""  # the broker's reason for a rejection, or ours for a drop
    version: int = 0
    protection: Bracket | None = None
    shield: bool = False
    expires_at: datetime | None = None  # when the broker ends what rests, where it says so

    def __post_init__(self) -> None:
        if self.qty <= 0:
            raise ValueError(f"order {self.client_order_id}: quantity must be above 0, got {self.qty}")
        if not self.reason:
            raise ValueError(f"order {self.client_order_id}: an order needs a reason")
        if sum((share.qty for share in self.shares), ZERO) != self.qty:
            raise ValueError(f"order {self.client_order_id}: the strategies' shares do not sum to {self.qty}")

    @property
    def open(self) -> bool:
        """Whether anything can still happen to the order or to its legs."""
        return not self.status.ended or any(not leg.status.ended for leg in self.legs)

    @property
    def protective(self) -> bool:
        """Whether it is an OCO that protects shares, and not a decision of a strategy to sell them."""
        return self.side is Side.SELL and self.bracket is not None

    @property
    def protecting(self) -> Decimal:
        """Shares that rest in protective orders of it: an OCO's, or a bracket's once its entry has ended."""
        if not self.open or (not self.status.ended and not self.protective) or self.status is OrderStatus.PLANNED:
            return ZERO
        whole = self.qty - self.filled_qty if self.protective else self.filled_qty
        return whole - sum((leg.filled_qty for leg in self.legs), ZERO)

    @property
    def filled_avg_price(self) -> Decimal | None:
        """USD a share over what is filled so far, None while nothing is."""
        return self.filled_value / self.filled_qty if self.filled_qty else None

    @property
    def fractional(self) -> bool:
        """Whether it is for parts of a share, which the broker trades at the market and for the day only."""
        return self.qty != self.qty.to_integral_value()

    @property
    def worst_price(self) -> Decimal:
        """USD a share that a buy sets aside: its limit, or else the price at which it was planned."""
        return self.limit_price or self.reference_price

    @property
    def strategies(self) -> tuple[str, ...]:
        """Who wanted the order."""
        return tuple(share.strategy for share in self.shares)

    @property
    def family(self) -> str:
        """What an order shares with its revisions."""
        return family_of(self.client_order_id)

    def request(self) -> OrderRequest:
        """What to send to the broker."""
        limit, bracket = (None, None) if self.fractional else (self.limit_price, self.bracket)
        return OrderRequest(self.client_order_id, self.symbol, self.side, self.qty, bracket, limit, self.shield)


@dataclass(frozen=True)
class Position:
    """Shares that one sleeve holds, with their total cost (USD), and the prices that should protect them, if any."""

    qty: Decimal
    cost: Decimal
    protection: Bracket | None = None

    @property
    def average_cost(self) -> Decimal:
        """USD a share."""
        return self.cost / self.qty


def family_of(client_order_id: str) -> str:
    """The id without the number at its end, which counts the revisions of an order."""
    return client_order_id.rsplit("-", 1)[0]


@dataclass(frozen=True)
class Rebalance:
    """A rebalance that was planned, and whose orders have not all ended yet, as far as is known."""

    run_id: str
    session: date


@dataclass(frozen=True)
class Sleeve:
    """One strategy's virtual sub-account."""

    strategy: str
    cash: Decimal
    positions: Mapping[str, Position] = field(default_factory=dict)
    realised_pnl: Decimal = ZERO
    last_rebalance: date | None = None  # the session of the last one that was carried out
    rebalancing: Rebalance | None = None
    version: int = 0

    @property
    def rebalanced(self) -> date | None:
        """The session of the last rebalance; one under way counts until its orders have ended otherwise."""
        return self.rebalancing.session if self.rebalancing else self.last_rebalance

    def equity(self, prices: Mapping[str, Decimal]) -> Decimal:
        """Cash plus positions at `prices` (USD by symbol); a symbol without a price counts at its cost."""
        held = (
            position.qty * prices[symbol] if symbol in prices else position.cost
            for symbol, position in self.positions.items()
        )
        return self.cash + sum(held, ZERO)

    def held(self, symbol: str) -> Decimal:
        """Shares held of `symbol`."""
        position = self.positions.get(symbol)
        return position.qty if position else ZERO


@dataclass(frozen=True)
class Fill:
    """Shares that changed hands for one strategy."""

    client_order_id: str
    leg: LegKind
    strategy: str
    symbol: str
    side: Side
    qty: Decimal
    value: Decimal  # USD paid or received
    protection: Bracket | None = None  # of shares that were bought


@dataclass(frozen=True)
class Cross:
    """Shares that passed from one sleeve to another inside the account, at the snapshot's price."""

    symbol: str
    seller: str
    buyer: str
    qty: Decimal
    price: Decimal

    @property
    def value(self) -> Decimal:
        """USD that changes hands."""
        return (self.qty * self.price).quantize(Decimal("0.01"), ROUND_HALF_EVEN)


@dataclass(frozen=True)
class Signal:
    """A strategy's opinion on one symbol: score in [-1, 1], above 0 to hold it, below 0 to leave it."""

    symbol: str
    score: float
    reason: str
    vetoed: str = ""  # why it gets no weight although its score is above 0

    def __post_init__(self) -> None:
        if not -1.0 <= self.score <= 1.0:  # NaN fails here too
            raise ValueError(f"signal for {self.symbol}: score must lie in [-1, 1], got {self.score}")
        if not self.reason:
            raise ValueError(f"signal for {self.symbol}: a signal needs a reason")


@dataclass(frozen=True)
class Target:
    """Shares that a strategy wants to hold of one symbol when the run is over."""

    strategy: str
    symbol: str
    qty: Decimal
    reason: str
    bracket: Bracket | None = None


@dataclass(frozen=True)
class Cut:
    """What the risk gate took away, and why."""

    rule: str
    strategy: str
    symbol: str
    side: Side
    wanted_qty: Decimal
    allowed_qty: Decimal
    reason: str


@dataclass(frozen=True)
class Plan:
    """What a run is going to do: crosses between sleeves, orders for the broker, and what was cut."""

    run_id: str
    orders: tuple[Order, ...]
    crosses: tuple[Cross, ...] = ()
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True)
class Lease:
    """The right to trade: one holder at a time, told apart by a fencing number that only grows."""

    holder: str  # the execution's name
    fence: int
    expires_at: datetime


@dataclass(frozen=True)
class Halt:
    """Trading stands still until a person resumes it."""

    reason: str
    by: str
    at: datetime
    flatten: bool = False  # a wish: the next execution of the workflow sells what the sleeves hold


@dataclass(frozen=True)
class Entitlement:
    """Who held the shares for which a dividend will be paid, when the right to it ended."""

    symbol: str
    ex_date: date
    pay_date: date | None
    holders: Mapping[str, Decimal]  # shares by strategy


@dataclass(frozen=True)
class AccountLine:
    """The account's cash that belongs to no strategy (USD), and how far the broker's record is booked.

    The sleeves' cash and this are the broker's cash.
    """

    cash: Decimal
    since: date  # entries of the record from this day on are looked at
    booked: tuple[str, ...] = ()  # their ids, of those that are booked
    known_until: date | None = None  # ex-dates up to this day are known
    entitled: tuple[Entitlement, ...] = ()
    awaited: tuple[CorporateAction, ...] = ()  # announced, and not in the record yet
    checked_at: datetime | None = None  # when cash was compared and explained
    resting: tuple[str, ...] = ()  # the broker's ids of our orders that could still fill then
    ended: tuple[str, ...] = ()  # of those that had ended between the look before and that one
    unexplained: Decimal = ZERO  # USD that the broker's cash had more at the last look
    version: int = 0


class QuarantineKind(StrEnum):
    """What a quarantine is about."""

    SYMBOL = "symbol"
    SLEEVE = "sleeve"


@dataclass(frozen=True)
class Quarantine:
    """A symbol or a sleeve whose books are broken: it is not traded until a person has repaired it.

    `name` is the symbol, or the strategy of the sleeve; `evidence` has the figures of both sides.
    """

    kind: QuarantineKind
    name: str
    reason: str
    evidence: str
    since: datetime

    def concerns(self, order: Order) -> bool:
        """Whether it keeps the order from being sent."""
        return self.name == order.symbol if self.kind is QuarantineKind.SYMBOL else self.name in order.strategies

    def __str__(self) -> str:
        return f"{self.name} is quarantined since {self.since:%Y-%m-%d %H:%M}: {self.reason}"


@dataclass(frozen=True)
class RepairedSleeve:
    """Shares of a symbol that a sleeve had in the ledger before a repair, and after it."""

    strategy: str
    symbol: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True)
class Repair:
    """How a person ended a quarantine."""

    quarantine: Quarantine
    by: str
    reason: str
    at: datetime
    sleeves: tuple[RepairedSleeve, ...] = ()


@dataclass(frozen=True)
class UnsentAlert:
    """An alert that no person has got yet; the next run tries again."""

    subject: str
    message: str

    @property
    def id(self) -> str:
        """The same for the same words."""
        return sha256(f"{self.subject}\n{self.message}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Run:
    """One execution of the workflow."""

    run_id: str
    execution: str
    as_of: datetime
    status: RunStatus
    schedule: str
    strategies: tuple[str, ...]
    fence: int = 0
    note: str = ""  # why it was skipped or failed
    seconds: float | None = None
    tick: str = ""  # the firing of a schedule that started it
