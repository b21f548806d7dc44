"""Whether an order makes sense at all, before anybody looks at the account: pure checks that raise Refused."""

from decimal import Decimal

from paper.errors import bad_request, invalid, invalid_field
from paper.orders import SMALLEST_SHARE, OrderClass, OrderType, Side, Ticket, TimeInForce

_LONGEST_ID = 128
_DOLLAR = Decimal(1)
_CENT = Decimal("0.01")
_FINE = Decimal("0.0001")
_MOST = Decimal(10) ** 12  # no order is meant to be for more shares or USD; keeps sums exact
_NEEDED = {
    OrderType.MARKET: frozenset[str](),
    OrderType.LIMIT: frozenset({"limit_price"}),
    OrderType.STOP: frozenset({"stop_price"}),
    OrderType.STOP_LIMIT: frozenset({"limit_price", "stop_price"}),
}


def check_ticket(ticket: Ticket) -> None:
    """Raise Refused if the order could not be accepted whatever the account holds."""
    check_client_order_id(ticket.client_order_id)
    _check_size(ticket)
    _check_prices(ticket)
    _check_class(ticket)


def check_client_order_id(client_order_id: str) -> None:
    """Raise Refused if the id is too long."""
    if len(client_order_id) > _LONGEST_ID:
        raise invalid_field(f"client_order_id must be no more than {_LONGEST_ID} characters")


def check_tick(name: str, price: Decimal | None) -> None:
    """Raise Refused unless the price is above 0 and in cents, or in hundredths of a cent below one dollar."""
    if price is None:
        return
    if not 0 < price < _MOST:
        raise invalid(f"{name} must be > 0 and < {_MOST:f}")
    tick = _CENT if price >= _DOLLAR else _FINE
    if price != price.quantize(tick):
        raise invalid(
            f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria",
            **{name: str(price)},
        )


def _check_size(ticket: Ticket) -> None:
    if ticket.qty is not None and ticket.notional is not None:
        raise bad_request("only one of qty or notional is accepted")
    if ticket.qty is None and ticket.notional is None:
        raise invalid_field("qty or notional is required")
    if ticket.qty is not None:
        _check_qty(ticket.qty)
    if ticket.notional is not None:
        _check_notional(ticket.notional)
    if is_fractional(ticket):
        _check_fractional(ticket)


def _check_qty(qty: Decimal) -> None:
    if not 0 < qty < _MOST:
        raise invalid_field(f"qty must be > 0 and < {_MOST:f}")
    if qty != qty.quantize(SMALLEST_SHARE):
        raise invalid("qty increment must be at least 0.000000001")


def _check_notional(notional: Decimal) -> None:
    if not _DOLLAR <= notional < _MOST:
        raise invalid("cost basis must be >= minimal amount of order 1")
    if notional != notional.quantize(_CENT):
        raise invalid("notional value must be limited to 2 decimal places")


def is_fractional(ticket: Ticket) -> bool:
    """Whether the order is for less than whole shares."""
    return ticket.qty is None or ticket.qty != ticket.qty.to_integral_value()


def _check_fractional(ticket: Ticket) -> None:
    if ticket.time_in_force is not TimeInForce.DAY:
        raise invalid("fractional orders must be DAY orders")
    if ticket.type is not OrderType.MARKET or ticket.order_class is not OrderClass.SIMPLE:
        raise invalid("fractional orders must be simple market orders")


def _check_prices(ticket: Ticket) -> None:
    given = {"limit_price": ticket.limit_price, "stop_price": ticket.stop_price}
    for name, price in given.items():
        if name in _NEEDED[ticket.type] and price is None:
            raise invalid_field(f"{ticket.type} orders require {name.replace('_', ' ')}")
        if name not in _NEEDED[ticket.type] and price is not None:
            raise invalid_field(f"{ticket.type} orders require no {name.replace('_', ' ')}")
        check_tick(name, price)
    check_tick("take_profit.limit_price", ticket.take_profit)
    if ticket.stop_loss:
        check_tick("stop_loss.stop_price", ticket.stop_loss.stop_price)
        check_tick("stop_loss.limit_price", ticket.stop_loss.limit_price)


def _check_class(ticket: Ticket) -> None:
    exits = (ticket.take_profit is not None) + (ticket.stop_loss is not None)
    match ticket.order_class:
        case OrderClass.SIMPLE:
            if exits:
                raise invalid("take_profit and stop_loss need order_class bracket, oco or oto")
        case OrderClass.BRACKET:
            _require_exits(ticket, exits, wanted=2)
            _require_side(ticket, Side.BUY)
        case OrderClass.OTO:
            _require_exits(ticket, exits, wanted=1)
            _require_side(ticket, Side.BUY)
        case OrderClass.OCO:
            _require_exits(ticket, exits, wanted=2)
            _require_side(ticket, Side.SELL)
            if ticket.type is not OrderType.LIMIT:
                raise invalid("oco orders must be limit orders")
    if ticket.take_profit and ticket.stop_loss and ticket.take_profit <= ticket.stop_loss.stop_price:
        raise invalid("take_profit.limit_price must be > stop_loss.stop_price")


def _require_exits(ticket: Ticket, exits: int, wanted: int) -> None:
    if exits == wanted:
        return
    if wanted == 1:
        raise invalid("oto orders require either take_profit or stop_loss, not both")
    name = "stop_loss.stop_price" if ticket.take_profit is not None else "take_profit.limit_price"
    raise invalid(f"{ticket.order_class} orders require {name}")


def _require_side(ticket: Ticket, side: Side) -> None:
    """Entries are buys and exits are sells, since nothing is ever sold short here."""
    if ticket.side is not side:
        raise invalid(f"{ticket.order_class} orders must be {side} orders: the account may not sell short")


def check_exits(ticket: Ticket, market_price: Decimal) -> None:
    """Raise Refused unless the legs lie a cent or more on their side of the price that the entry is measured by.

    That is the entry's limit or stop price, else the market price (USD); for an oco order the market price, above
    which the stop may not lie.
    """
    base = market_price
    if ticket.order_class is not OrderClass.OCO:
        base = ticket.limit_price or ticket.stop_price or market_price
        if ticket.take_profit is not None and ticket.take_profit < base + _CENT:
            raise invalid("take_profit.limit_price must be >= base_price + 0.01", base_price=str(base))
    if ticket.stop_loss and ticket.stop_loss.stop_price > base - _CENT:
        raise invalid("stop_loss.stop_price must be <= base_price - 0.01", base_price=str(base))
