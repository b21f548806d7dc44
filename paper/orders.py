"""The words of trading: what is asked for (Ticket), what is booked (Order), what was done (Fill)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)
SMALLEST_SHARE = Decimal("0.000000001")
_GTC_LIFE = timedelta(days=90)


class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """How an order is priced."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"


class TimeInForce(StrEnum):
    """How long an order lives."""

    DAY = "day"
    GTC = "gtc"


class OrderClass(StrEnum):
    """Whether an order stands alone or with legs."""

    SIMPLE = ""
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"


class Status(StrEnum):
    """Where an order stands, in Alpaca's words."""

    ACCEPTED = "accepted"  # waits for the market to open
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    HELD = "held"  # a leg that waits for its entry
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"

    @property
    def open(self) -> bool:
        """Whether something can still happen to the order."""
        return self in _OPEN

    @property
    def live(self) -> bool:
        """Whether a price can fill the order."""
        return self in _OPEN and self is not Status.HELD


_OPEN = frozenset({Status.ACCEPTED, Status.NEW, Status.PARTIALLY_FILLED, Status.HELD})


@dataclass(frozen=True, slots=True)
class StopLoss:
    """Prices (USD) of a stop-loss leg; with a limit price it is a stop-limit order."""

    stop_price: Decimal
    limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order as it is asked for: shares or USD (notional), never both; prices in USD."""

    symbol: str
    side: Side
    qty: Decimal | None = None
    notional: Decimal | None = None
    type: OrderType = OrderType.MARKET
    time_in_force: TimeInForce = TimeInForce.DAY
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: Decimal | None = None
    stop_loss: StopLoss | None = None
    client_order_id: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different in an order that replaces another; None keeps what it was."""

    qty: Decimal | None = None
    time_in_force: TimeInForce | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    client_order_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order in the book. `reserve_price` is the USD set aside for each share of a buy that is not filled yet."""

    id: str
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    order_class: OrderClass
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    status: Status
    created_at: datetime
    updated_at: datetime
    active_at: datetime | None  # from when prices may fill it; None while it is held
    session: date | None  # the only session of a day order
    reserve_price: Decimal = ZERO
    parent_id: str | None = None
    takes: bool = False  # a limit order whose limit was no worse than the price at which it was placed
    triggered: bool = False  # the stop price was reached: the order is a limit order now
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    ended_at: datetime | None = None
    replaced_by: str | None = None
    replaces: str | None = None

    @property
    def remaining(self) -> Decimal:
        """Shares not filled yet; for an order in USD estimated at the price of its acceptance."""
        if self.qty is not None:
            return self.qty - self.filled_qty
        return (self.notional or ZERO) / self.reserve_price if self.reserve_price else ZERO

    @property
    def reserved(self) -> Decimal:
        """USD of buying power that the order takes while it is open."""
        if self.side is Side.SELL or not self.status.live:
            return ZERO
        return self.notional if self.notional is not None else self.remaining * self.reserve_price

    @property
    def average_price(self) -> Decimal | None:
        """USD per share over all fills; None before the first."""
        return self.filled_value / self.filled_qty if self.filled_qty else None

    @property
    def ages_at(self) -> datetime | None:
        """When an order good till cancelled is cancelled because of its age: on its 90th day, after the close."""
        if self.time_in_force is not TimeInForce.GTC:
            return None
        last = self.created_at.date() + _GTC_LIFE
        return datetime.combine(last, time(16, 15), self.created_at.tzinfo)

    @property
    def is_stop(self) -> bool:
        """Whether the order still waits for its stop price."""
        return self.stop_price is not None and not self.triggered


@dataclass(frozen=True, slots=True)
class Fill:
    """Shares that changed hands at one price (USD)."""

    id: str
    order_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    at: datetime
    cumulative_qty: Decimal  # of the order, this fill included
    leaves_qty: Decimal

    @property
    def cash_change(self) -> Decimal:
        """USD that the fill adds to the account's cash (negative for a buy)."""
        return -self.side.sign * self.qty * self.price
