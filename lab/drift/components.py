"""The difference between a live order and the backtest's, in USD, split by cause without a remainder."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import reduce

from openbell.model import ZERO, Side


class Cause(StrEnum):
    """Why a live order did otherwise than the backtest's."""

    PRICE = "price"  # its fill was further from the market's price than the fill model says
    TIMING = "timing"  # it met the market at another price
    REJECTION = "rejection"  # it was not filled, or less of it
    DATA = "data"  # another quantity was decided


@dataclass(frozen=True)
class Components:
    """USD by cause, live less backtest: below zero the live run did worse."""

    price: Decimal = ZERO
    timing: Decimal = ZERO
    rejection: Decimal = ZERO
    data: Decimal = ZERO

    def __add__(self, other: "Components") -> "Components":
        return Components(
            self.price + other.price,
            self.timing + other.timing,
            self.rejection + other.rejection,
            self.data + other.data,
        )

    def of(self, cause: Cause) -> Decimal:
        """The part that one cause has."""
        parts = {
            Cause.PRICE: self.price,
            Cause.TIMING: self.timing,
            Cause.REJECTION: self.rejection,
            Cause.DATA: self.data,
        }
        return parts[cause]

    @property
    def total(self) -> Decimal:
        """The whole difference."""
        return self.price + self.timing + self.rejection + self.data


def summed(parts: Iterable[Components]) -> Components:
    """All of them together."""
    return reduce(Components.__add__, parts, Components())


@dataclass(frozen=True)
class LivePart:
    """One strategy's part of an order as it really went. Shares, and USD."""

    ordered: Decimal
    filled: Decimal = ZERO
    value: Decimal = ZERO  # paid or received
    market_value: Decimal = ZERO  # of the filled shares at the market's price when they were filled

    @property
    def price(self) -> Decimal | None:
        """USD a share, None if nothing was filled."""
        return self.value / self.filled if self.filled else None


@dataclass(frozen=True)
class ModelPart:
    """The same part in the backtest. Shares, and USD.

    `price` is what the fill model takes for one share, filled or not; `met` the market's price behind it.
    """

    ordered: Decimal
    filled: Decimal
    value: Decimal  # paid or received, to the cent
    price: Decimal
    met: Decimal

    def value_of(self, shares: Decimal) -> Decimal:
        """USD for a number of shares: what was booked for those that were filled, to the cent, else by the price."""
        return self.value if shares == self.filled else shares * self.price


def difference(side: Side, live: LivePart, model: ModelPart, mark: Decimal) -> Decimal:
    """USD that the live fill made more than the modelled one, both valued at `mark` (USD a share) afterwards.

    A live buy of 10 at 101 against a modelled one of 10 at 100 is 10 USD worse, whatever the mark; one of 0 at a mark
    of 103 is 30 worse.
    """
    made = live.filled * mark - live.value
    modelled = model.filled * mark - model.value
    return side.sign * (made - modelled)


def split(side: Side, live: LivePart, model: ModelPart, mark: Decimal) -> Components:
    """`difference` by cause; the parts sum to it exactly, because each starts where the one before it ended.

    From the modelled order to the live one in four steps: another quantity decided (data); a part of it not filled
    (rejection), both valued as a modelled fill; the fill moved to the price that the market had then (timing); and
    what was paid on top of that, against what the fill model takes (price).

    10 shares bought live at 101 when the market was at 100.50, modelled at 100.02 with the market at 100: timing
    -10 x 0.50 = -5, price -10 x (0.50 - 0.02) = -4.80; together -9.80 = 10 x (100.02 - 101).
    """
    unfilled = (live.filled - live.ordered) - (model.filled - model.ordered)
    # As if what was filled live had been filled as the model fills.
    quantity = (live.filled - model.filled) * mark - (model.value_of(live.filled) - model.value)
    data = (live.ordered - model.ordered) * (mark - model.price) if unfilled else quantity
    modelled_market = live.filled * model.met
    on_top = live.value - live.market_value
    modelled_on_top = model.value_of(live.filled) - modelled_market
    return Components(
        price=-side.sign * (on_top - modelled_on_top),
        timing=-side.sign * (live.market_value - modelled_market),
        rejection=side.sign * (quantity - data),
        data=side.sign * data,
    )
