"""Alpaca's record of the account and its corporate actions, read into our own values."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openbell.model import NEW_YORK, ZERO, Activity, ActivityKind, CorporateAction

_KINDS = {
    "FILL": ActivityKind.FILL,
    "INT": ActivityKind.INTEREST,
    "INTNRA": ActivityKind.INTEREST,
    "INTTW": ActivityKind.INTEREST,
    "FEE": ActivityKind.FEE,
    "CFEE": ActivityKind.FEE,
    "PTC": ActivityKind.FEE,
    "PTR": ActivityKind.FEE,
    "CSD": ActivityKind.TRANSFER,
    "CSW": ActivityKind.TRANSFER,
    "JNL": ActivityKind.TRANSFER,
    "JNLC": ActivityKind.TRANSFER,
    "JNLS": ActivityKind.TRANSFER,
    "ACATC": ActivityKind.TRANSFER,
    "ACATS": ActivityKind.TRANSFER,
    "TRANS": ActivityKind.TRANSFER,
    "SPLIT": ActivityKind.SPLIT,
    "SSP": ActivityKind.SPLIT,
    "SPIN": ActivityKind.SPIN_OFF,
    "SSO": ActivityKind.SPIN_OFF,
    "MA": ActivityKind.MERGER,
    "NC": ActivityKind.SYMBOL_CHANGE,
    "SC": ActivityKind.SYMBOL_CHANGE,
    "REORG": ActivityKind.REORGANISATION,
}
_NOT_BOOKED = frozenset({"canceled", "correct"})  # states of an entry that was taken back
_RATIOS = {  # of a corporate action: the fields with the new rate and the old one
    "forward_splits": ("new_rate", "old_rate"),
    "reverse_splits": ("new_rate", "old_rate"),
    "spin_offs": ("new_rate", "source_rate"),
    "stock_mergers": ("acquirer_rate", "acquiree_rate"),
    "stock_and_cash_mergers": ("acquirer_rate", "acquiree_rate"),
}
_ACTIONS = {
    "forward_splits": ActivityKind.SPLIT,
    "reverse_splits": ActivityKind.SPLIT,
    "spin_offs": ActivityKind.SPIN_OFF,
    "stock_mergers": ActivityKind.MERGER,
    "cash_mergers": ActivityKind.MERGER,
    "stock_and_cash_mergers": ActivityKind.MERGER,
    "name_changes": ActivityKind.SYMBOL_CHANGE,
    "worthless_removals": ActivityKind.REORGANISATION,
    "redemptions": ActivityKind.REORGANISATION,
    "cash_dividends": ActivityKind.DIVIDEND,
}


def is_booked(body: Mapping[str, Any]) -> bool:
    """Whether an entry stands: one that was cancelled or corrected has another one in its place."""
    return str(body.get("status") or "executed").lower() not in _NOT_BOOKED


def read_activity(body: Mapping[str, Any]) -> Activity:
    """One entry of the account's record; a fill's shares and USD have signs."""
    kind = _kind(str(body["activity_type"]))
    qty, amount = _number(body, "qty"), _number(body, "net_amount")
    if kind is ActivityKind.FILL:
        qty = qty if body["side"] == "buy" else -abs(qty)
        amount = -qty * _number(body, "price")
    return Activity(
        id=str(body["id"]),
        kind=kind,
        day=_day(body),
        symbol=str(body.get("symbol") or ""),
        qty=qty,
        amount=amount,
        group=str(body.get("group_id") or ""),
        order_id=str(body.get("order_id") or ""),
        words=" ".join(str(body[name]) for name in ("activity_type", "description") if body.get(name)),
    )


def _kind(name: str) -> ActivityKind:
    known = _KINDS.get(name)
    return known or (ActivityKind.DIVIDEND if name.startswith("DIV") else ActivityKind.OTHER)


def _number(body: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(str(body.get(name) or 0))


def _day(body: Mapping[str, Any]) -> date:
    if body.get("date"):
        return date.fromisoformat(str(body["date"])[:10])
    return datetime.fromisoformat(body["transaction_time"]).astimezone(NEW_YORK).date()


def read_actions(found: Mapping[str, list[Mapping[str, Any]]]) -> list[CorporateAction]:
    """The corporate actions of one answer, of those types that concern what is held."""
    return [_action(name, body) for name, bodies in found.items() if name in _ACTIONS for body in bodies]


def _action(name: str, body: Mapping[str, Any]) -> CorporateAction:
    new, old = _RATIOS.get(name, ("", ""))
    ratio = _number(body, new) / _number(body, old) if new else Decimal(1) if name == "name_changes" else ZERO
    cash = body.get("cash_rate") or (0 if new else body.get("rate") or 0)
    return CorporateAction(
        kind=_ACTIONS[name],
        symbol=_first(body, "symbol", "source_symbol", "acquiree_symbol", "old_symbol"),
        ex_date=date.fromisoformat(_first(body, "ex_date", "effective_date", "process_date")),
        new_symbol=_first(body, "new_symbol", "acquirer_symbol"),
        ratio=ratio,
        cash=Decimal(str(cash)),
        pay_date=date.fromisoformat(body["payable_date"]) if body.get("payable_date") else None,
    )


def _first(body: Mapping[str, Any], *names: str) -> str:
    return next((str(body[name]) for name in names if body.get(name)), "")
