"""GET /v2/orders: which orders a query asks for."""

from collections.abc import Iterable, Mapping, Sequence

from paper.errors import invalid
from paper.exchange import PaperExchange
from paper.orders import Order
from paper.requests_in import read_flag, read_instant, read_symbols, read_whole

_KINDS = ("open", "closed", "all")


def list_orders(exchange: PaperExchange, query: Mapping[str, str]) -> list[tuple[Order, Sequence[Order] | None]]:
    """The orders, newest first unless the query says asc, with their legs if it asks for nested ones.

    Nested, an order is listed as long as it or one of its legs is of the wanted kind: no open leg is left out because
    its entry has been filled.
    """
    nested = read_flag(query, "nested")
    kind = query.get("status") or "open"
    if kind not in _KINDS:
        raise invalid(f"status must be one of {', '.join(_KINDS)}, got {kind}")
    with exchange.lock:
        everything = exchange.orders()
        orders = [order for order in everything if order.parent_id is None] if nested else everything
        found = [order for order in orders if _of_kind(kind, [order, *(exchange.legs(order) if nested else ())])]
        chosen = _page(_filtered(found, query), everything, query)
        return [(order, exchange.legs(order) if nested else None) for order in chosen]


def _of_kind(kind: str, members: Iterable[Order]) -> bool:
    any_open = any(order.status.open for order in members)
    return kind == "all" or any_open == (kind == "open")


def _filtered(orders: Iterable[Order], query: Mapping[str, str]) -> list[Order]:
    after, until = read_instant(query, "after"), read_instant(query, "until")
    symbols, side = read_symbols(query), query.get("side")
    return [
        order
        for order in orders
        if (after is None or order.created_at > after)
        and (until is None or order.created_at <= until)
        and (not symbols or order.symbol in symbols)
        and (not side or order.side == side)
    ]


def _page(orders: Sequence[Order], everything: Sequence[Order], query: Mapping[str, str]) -> Sequence[Order]:
    """Those submitted after (or before) the order that the query names, which may have ended by now; then its limit."""
    number = {order.id: n for n, order in enumerate(everything)}
    after, before = (_number_of(query, name, number) for name in ("after_order_id", "before_order_id"))
    if after is not None:
        orders = [order for order in orders if number[order.id] > after]
    if before is not None:
        orders = [order for order in orders if number[order.id] < before]
    if query.get("direction", "desc") == "desc":
        orders = orders[::-1]
    return orders[: read_whole(query, "limit", 50, 500)]


def _number_of(query: Mapping[str, str], name: str, number: Mapping[str, int]) -> int | None:
    order_id = query.get(name)
    if not order_id:
        return None
    if order_id not in number:
        raise invalid(f"{name}: no order {order_id}")
    return number[order_id]
