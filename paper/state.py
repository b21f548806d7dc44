"""Everything that an exchange has to remember, and the settings it was opened with."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from paper.account import Account
from paper.actions import Action, Entry, Payment
from paper.book import Book
from paper.orders import Fill


@dataclass(frozen=True, slots=True)
class Rules:
    """How the exchange fills and what it lets the account do. Fractions unless named otherwise."""

    slippage_bps: Decimal = Decimal(0)
    fill_share: Decimal = Decimal(1)  # of a market order's shares that one print fills, at least one share
    market_collar: Decimal = Decimal("0.025")  # added to the price when a market buy is held against buying power
    multiplier: int = 1  # 1: a cash account; 2 or 4: margin

    def __post_init__(self) -> None:
        if not 0 <= self.slippage_bps < 10_000:  # noqa: PLR2004 - the whole price
            raise ValueError(f"slippage_bps must lie from 0 to below 10000, got {self.slippage_bps}")
        if not 0 < self.fill_share <= 1:
            raise ValueError(f"fill_share must be above 0 and at most 1, got {self.fill_share}")
        if self.market_collar < 0:
            raise ValueError(f"market_collar must not be negative, got {self.market_collar}")
        if self.multiplier not in {1, 2, 4}:
            raise ValueError(f"multiplier must be 1, 2 or 4, got {self.multiplier}")


@dataclass(frozen=True, slots=True)
class Asset:
    """What may be done with a symbol."""

    symbol: str
    tradable: bool = True
    active: bool = True
    fractionable: bool = True
    asset_class: str = "us_equity"


@dataclass
class State:
    """The account, its orders, and the clock."""

    now: datetime
    opened_at: datetime
    opening_equity: Decimal
    account: Account
    book: Book = field(default_factory=Book)
    fills: list[Fill] = field(default_factory=list)
    equities: list[tuple[date, Decimal]] = field(default_factory=list)  # at each session's close
    assets: dict[str, Asset] = field(default_factory=dict)  # those that differ from the default
    entries: list[Entry] = field(default_factory=list)  # of the account's record, beside fills
    actions: list[Action] = field(default_factory=list)  # by hand, beside those of the history
    payments: list[Payment] = field(default_factory=list)  # that are owed
    trading_blocked: bool = False
    account_blocked: bool = False
