"""Which price fills an order: pure functions of an order and of what the market showed.

The model. A daily bar lets us know two tradable prices, and when: the open, at the opening bell (where the data has
it), and the close, during the closing window, the last 15 minutes of a session (15:45 to 16:00, 12:45 to 13:00 on
early closes). These are its prints. Between prints nothing is traded; the last print stands as the latest price.

At a print (`at_print`) every live order meets one price:
- a market order fills there, with slippage;
- a limit order fills at the print if the print is at least as good as its limit (a gap is a better price); one whose
  limit was no worse than the price when it was placed takes what the market offers, as a market order within its limit;
- a stop that the print has reached or passed fills there, with slippage (a gap through it is a worse price); a
  stop-limit order then becomes a limit order, filled at the print if its limit allows, else left resting.

Over a complete bar (`in_range`) orders that rested since the open or earlier meet the high and the low, which are
known only when the session has ended: a limit fills at its limit, a stop at its stop price with slippage, and
neither at a price that the bar did not trade. Stops come
before limits when both were touched (the caller's order), since a bar does not tell which came first.
An order placed after the open meets the close only, on its first day. So does every order on a bar without high and
low. Slippage is a cost: it is never more than a limit allows, and a limit order that waits for its price has none.
"""

from dataclasses import dataclass
from decimal import Decimal

from paper.history import DayPrices
from paper.orders import Order, OrderType, Side

_TICK = Decimal("0.0001")
_ONE_BP = Decimal("0.0001")
_CHEAP = Decimal(50)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The price (USD) that fills the order, if one does, and whether its stop price has been reached by now."""

    price: Decimal | None = None
    triggered: bool = False


def at_print(order: Order, price: Decimal, slippage_bps: Decimal) -> Outcome:
    """What a print does to a live order.

    A market buy with 5 bps of slippage at a print of 100 fills at 100.05; a sell stop at 95 at a print of 93 fills at
    92.9535.
    """
    if order.is_stop and not _reaches_stop(order, price):
        return Outcome()
    if order.type is OrderType.MARKET or order.is_stop or order.takes:
        return _taken(order, price, slippage_bps)
    return Outcome(price if _within_limit(order, price) else None, order.triggered)


def in_range(order: Order, prices: DayPrices, slippage_bps: Decimal) -> Outcome:
    """What a complete bar does to an order that rested through all of it, after its open had met the order.

    A sell stop-limit (stop 95, limit 96) that the low reached needs the price to come back: it fills at 96 only if
    the close, which came later, is at least that.
    """
    if prices.high is None or prices.low is None:
        raise ValueError("a bar without high and low has no range")
    best, worst = (prices.low, prices.high) if order.side is Side.BUY else (prices.high, prices.low)
    if not order.is_stop:
        return Outcome(
            _at_limit(order, prices.low, prices.high) if _within_limit(order, best) else None, order.triggered
        )
    if not _reaches_stop(order, worst) or order.stop_price is None:
        return Outcome()
    outcome = _taken(order, _clamped(order.stop_price, prices.low, prices.high), slippage_bps)
    if outcome.price is None and prices.close is not None and _within_limit(order, prices.close):
        return Outcome(_at_limit(order, prices.low, prices.high), triggered=True)
    return outcome


def with_slippage(price: Decimal, sign: int, slippage_bps: Decimal) -> Decimal:
    """What taking a price of 100 comes to: with 5 bps, 100.05 for a buy (`sign` 1) and 99.95 for a sell (-1)."""
    return max((price * (1 + sign * slippage_bps * _ONE_BP)).quantize(_TICK), _TICK)


def buy_stop_limit(stop_price: Decimal) -> Decimal:
    """The highest price at which a triggered buy stop fills: Alpaca turns it into a stop-limit order.

    4 % above a stop under 50 USD, else 2.5 %: a stop at 100 gives 102.50.
    """
    return (stop_price * (Decimal("1.04") if stop_price < _CHEAP else Decimal("1.025"))).quantize(_TICK)


def _taken(order: Order, price: Decimal, slippage_bps: Decimal) -> Outcome:
    """The fill of an order that takes what the market offers, slippage included, within its limit."""
    limit = _limit(order)
    if limit is not None and not within(order.side, price, limit):
        return Outcome(triggered=order.is_stop)
    paid = with_slippage(price, order.side.sign, slippage_bps)
    if limit is not None and not within(order.side, paid, limit):
        paid = limit
    return Outcome(paid, triggered=order.is_stop)


def _at_limit(order: Order, low: Decimal, high: Decimal) -> Decimal | None:
    limit = _limit(order)
    return None if limit is None else _clamped(limit, low, high)


def _clamped(price: Decimal, low: Decimal, high: Decimal) -> Decimal:
    return min(max(price, low), high)


def _reaches_stop(order: Order, price: Decimal) -> bool:
    stop = order.stop_price
    return stop is not None and (price >= stop if order.side is Side.BUY else price <= stop)


def _within_limit(order: Order, price: Decimal) -> bool:
    limit = _limit(order)
    return limit is None or within(order.side, price, limit)


def within(side: Side, price: Decimal, limit: Decimal) -> bool:
    """Whether a price (USD) is no worse than the limit of an order of that side."""
    return price <= limit if side is Side.BUY else price >= limit


def _limit(order: Order) -> Decimal | None:
    if order.type is OrderType.STOP and order.side is Side.BUY and order.stop_price is not None:
        return buy_stop_limit(order.stop_price)
    return order.limit_price
