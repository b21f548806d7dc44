"""Alpaca's JSON of corporate actions."""

from typing import Any

from paper.actions import Action, ActionType


def action_view(action: Action) -> dict[str, Any]:  # noqa: PLR0911 a table
    """One corporate action, with the fields of its type; rates are JSON numbers."""
    day = action.ex_date.isoformat()
    common = {"process_date": day, "payable_date": (action.pay_date or action.ex_date).isoformat()}
    ratio, cash = float(action.ratio), float(action.cash)
    merged = {"acquiree_symbol": action.symbol, "effective_date": day, **common}
    acquired = {"acquirer_symbol": action.new_symbol, "acquirer_rate": ratio, "acquiree_rate": 1}
    match action.type:
        case ActionType.FORWARD_SPLIT | ActionType.REVERSE_SPLIT:
            old, new = (1.0, ratio) if ratio >= 1 else (1 / ratio, 1.0)
            return {"symbol": action.symbol, "old_rate": old, "new_rate": new, "ex_date": day, **common}
        case ActionType.CASH_DIVIDEND:
            extra = {"special": False, "foreign": False}
            return {"symbol": action.symbol, "rate": cash, "ex_date": day, **extra, **common}
        case ActionType.SPIN_OFF:
            names = {"source_symbol": action.symbol, "new_symbol": action.new_symbol}
            return {**names, "source_rate": 1, "new_rate": ratio, "ex_date": day, **common}
        case ActionType.CASH_MERGER:
            return {**merged, "acquirer_symbol": action.new_symbol or None, "rate": cash}
        case ActionType.STOCK_MERGER:
            return {**merged, **acquired}
        case ActionType.STOCK_AND_CASH_MERGER:
            return {**merged, **acquired, "cash_rate": cash}
        case ActionType.NAME_CHANGE:
            return {"old_symbol": action.symbol, "new_symbol": action.new_symbol, **common}
    return {"symbol": action.symbol, **common}
