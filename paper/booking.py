"""Orders made from tickets: ids, statuses and legs of what has been admitted."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from paper.book import Book
from paper.market import Market
from paper.matching import within
from paper.orders import (
    Change,
    Order,
    OrderClass,
    OrderType,
    Side,
    Status,
    StopLoss,
    Ticket,
    TimeInForce,
)

_NAMESPACE = uuid5(NAMESPACE_URL, "paper-exchange/orders")


def order_id(number: int) -> str:
    """The id of the n-th order: the same in every replay."""
    return str(uuid5(_NAMESPACE, str(number)))


def asset_id(symbol: str) -> str:
    """The id of a symbol's asset."""
    return str(uuid5(_NAMESPACE, f"asset/{symbol}"))


def book_ticket(ticket: Ticket, book: Book, market: Market, now: datetime, reserve_price: Decimal) -> Order:
    """Put the order and its legs into the book."""
    is_open = market.calendar.is_open(now)
    new_id = order_id(len(book))
    root = book.put(
        Order(
            id=new_id,
            client_order_id=ticket.client_order_id or new_id,
            symbol=ticket.symbol,
            side=ticket.side,
            type=ticket.type,
            time_in_force=ticket.time_in_force,
            order_class=ticket.order_class,
            qty=ticket.qty,
            notional=ticket.notional,
            limit_price=ticket.limit_price,
            stop_price=ticket.stop_price,
            status=Status.NEW if is_open else Status.ACCEPTED,
            created_at=now,
            updated_at=now,
            active_at=now,
            session=market.calendar.current_or_next(now).day if ticket.time_in_force is TimeInForce.DAY else None,
            reserve_price=reserve_price,
            takes=_takes(ticket, market, now),
        )
    )
    if ticket.take_profit is not None and ticket.order_class is not OrderClass.OCO:
        _add_leg(root, book, OrderType.LIMIT, ticket.take_profit, None)
    if ticket.stop_loss:
        _add_stop(root, book, ticket.stop_loss)
    return root


def _takes(ticket: Ticket, market: Market, now: datetime) -> bool:
    latest = market.latest(ticket.symbol, now) if ticket.type is OrderType.LIMIT else None
    if latest is None or ticket.limit_price is None:
        return False
    return within(ticket.side, latest.price, ticket.limit_price)


def _add_stop(root: Order, book: Book, stop: StopLoss) -> None:
    kind = OrderType.STOP if stop.limit_price is None else OrderType.STOP_LIMIT
    _add_leg(root, book, kind, stop.limit_price, stop.stop_price)


def _add_leg(root: Order, book: Book, kind: OrderType, limit: Decimal | None, stop: Decimal | None) -> None:
    """The legs of an entry are held until it has filled; the second leg of an exit works beside the first."""
    works_now = root.order_class is OrderClass.OCO
    new_id = order_id(len(book))
    book.put(
        replace(
            root,
            id=new_id,
            client_order_id=new_id,
            side=Side.SELL,
            type=kind,
            limit_price=limit,
            stop_price=stop,
            status=root.status if works_now else Status.HELD,
            takes=False,
            active_at=root.active_at if works_now else None,
            session=root.session if works_now else None,
            parent_id=root.id,
        )
    )


def book_replacement(order: Order, change: Change, book: Book, market: Market, now: datetime) -> Order:
    """Put a changed copy with a new id into the book in the order's place; the order ends as replaced."""
    new_id = order_id(len(book))
    time_in_force = change.time_in_force or order.time_in_force
    session = order.session
    if change.time_in_force and order.active_at is not None:
        session = market.calendar.current_or_next(now).day if time_in_force is TimeInForce.DAY else None
    copy = replace(
        order,
        id=new_id,
        client_order_id=change.client_order_id or new_id,
        qty=order.qty if change.qty is None else change.qty,
        limit_price=order.limit_price if change.limit_price is None else change.limit_price,
        stop_price=order.stop_price if change.stop_price is None else change.stop_price,
        time_in_force=time_in_force,
        session=session,
        created_at=now,
        updated_at=now,
        active_at=now if order.active_at is not None else None,
        replaces=order.id,
    )
    book.put(replace(order, status=Status.REPLACED, ended_at=now, updated_at=now, replaced_by=new_id))
    for leg in book.legs(order):
        book.put(replace(leg, parent_id=new_id))
    return book.put(copy)
