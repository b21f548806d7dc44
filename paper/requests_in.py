"""What clients send, read into our own values: bodies of orders, query parameters, instants. Refused if unreadable."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from paper.errors import Refused, bad_request, invalid, invalid_field
from paper.orders import Change, OrderClass, OrderType, Side, StopLoss, Ticket, TimeInForce
from paper.sessions import NEW_YORK

type Body = Mapping[str, Any]


def read_json(content: bytes) -> Body:
    """A JSON object; its numbers keep the digits that were sent."""
    try:
        body = json.loads(content or b"{}", parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # the latter for what is nested without end
        raise bad_request("request body format is invalid") from error
    if not isinstance(body, dict):
        raise bad_request("request body must be a JSON object")
    return body


def read_ticket(body: Body) -> Ticket:
    """An order from the body of POST /v2/orders."""
    if body.get("extended_hours"):
        raise invalid("extended hours trading is not simulated by this exchange")
    if not body.get("symbol"):
        raise invalid_field("symbol is required")
    if not body.get("side"):
        raise invalid_field("side is required")
    order_class = str(body.get("order_class") or "")
    profit = read_number(_part(body, "take_profit"), "limit_price")
    return Ticket(
        symbol=str(body["symbol"]).upper(),
        side=_choice(Side, body["side"], "side"),
        qty=read_number(body, "qty"),
        notional=read_number(body, "notional"),
        type=_choice(OrderType, body.get("type") or "market", "order type"),
        time_in_force=_choice(TimeInForce, body.get("time_in_force") or "day", "time_in_force"),
        limit_price=_limit_price(body, order_class, profit),
        stop_price=read_number(body, "stop_price"),
        order_class=OrderClass.SIMPLE if order_class == "simple" else _choice(OrderClass, order_class, "order_class"),
        take_profit=profit,
        stop_loss=_stop_loss(body),
        client_order_id=str(body.get("client_order_id") or ""),
    )


def _limit_price(body: Body, order_class: str, profit: Decimal | None) -> Decimal | None:
    """The order's limit; an oco order is its own take-profit."""
    return profit if order_class == OrderClass.OCO else read_number(body, "limit_price")


def _stop_loss(body: Body) -> StopLoss | None:
    leg = _part(body, "stop_loss")
    stop = read_number(leg, "stop_price")
    if leg and stop is None:
        raise invalid_field("stop_loss.stop_price is required")
    return None if stop is None else StopLoss(stop, read_number(leg, "limit_price"))


def read_change(body: Body) -> Change:
    """A change from the body of PATCH /v2/orders/{id}."""
    tif = body.get("time_in_force")
    return Change(
        qty=read_number(body, "qty"),
        time_in_force=_choice(TimeInForce, tif, "time_in_force") if tif else None,
        limit_price=read_number(body, "limit_price"),
        stop_price=read_number(body, "stop_price"),
        client_order_id=str(body.get("client_order_id") or ""),
    )


def _part(body: Body, name: str) -> Body:
    part = body.get(name) or {}
    if not isinstance(part, dict):
        raise invalid_field(f"{name} must be an object")
    return part


def read_number(body: Body, name: str) -> Decimal | None:
    """A number, sent as text or as a number; None if it is not there."""
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise invalid_field(f"{name} is not a number: {value}") from error
    if not number.is_finite():
        raise invalid_field(f"{name} is not a number: {value}")
    return number


def _choice[E: StrEnum](kind: type[E], value: object, name: str) -> E:
    try:
        return kind(str(value).lower())
    except ValueError as error:
        known = ", ".join(member.value for member in kind if member.value)
        raise invalid(f"invalid {name} {value!r}: this exchange knows {known}") from error


def read_instant(query: Mapping[str, str], name: str) -> datetime | None:
    """An instant as RFC 3339, or a date, which is its midnight in UTC; None if it is not there."""
    text = query.get(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(f"{name} is neither RFC 3339 nor a date: {text}") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def read_day(query: Mapping[str, str], name: str) -> date | None:
    """A date; of an instant, the date that is written in it."""
    at = read_instant(query, name)
    return at.date() if at else None


def read_bound(query: Mapping[str, str], name: str, at_end: bool) -> datetime | None:
    """A bound of a time range, 400 if unreadable; a date alone means all of that day in New York."""
    try:
        at = read_instant(query, name)
    except Refused as error:
        raise bad_request(error.message) from error
    if at and len(query[name]) == len("2022-06-15"):
        return datetime.combine(at.date(), time.max if at_end else time.min, NEW_YORK)
    return at


def read_whole(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`; 422 otherwise."""
    text = query.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= most:
        raise invalid(f"{name} must be a whole number from 1 to {most}, got {text}")
    return int(text)


def read_flag(query: Mapping[str, str], name: str) -> bool:
    """A truth value in any spelling that clients use: true, True, 1."""
    return query.get(name, "").lower() in {"true", "1", "t"}


def read_symbols(query: Mapping[str, str]) -> list[str]:
    """Symbols separated by commas, each once, in alphabetical order."""
    return sorted({symbol.strip().upper() for symbol in query.get("symbols", "").split(",") if symbol.strip()})
