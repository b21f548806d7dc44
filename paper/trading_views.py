"""Alpaca's JSON of orders, positions, account, assets, clock, calendar, activities and portfolio history."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from paper.actions import Entry
from paper.booking import asset_id
from paper.orders import ZERO, Fill, Order, Status, TimeInForce
from paper.sessions import Calendar, Session
from paper.state import Asset, Rules, State
from paper.text import instant, instant_or_none, plain, plain_or_none
from paper.valuation import AccountSummary, Position

type Json = dict[str, Any]

_ACCOUNT_ID = "00000000-0000-4000-8000-000000000001"
_EXCHANGE = "NYSE"
_SETTLES_NEXT_DAY_SINCE = date(2024, 5, 28)  # the SEC shortened settlement from two sessions to one


def order_view(order: Order, legs: Sequence[Order] | None, calendar: Calendar) -> Json:
    """One order; `legs` are nested in it, None leaves them out."""
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        **_order_times(order, calendar),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": plain_or_none(order.notional),
        "qty": plain_or_none(order.qty),
        "filled_qty": plain(order.filled_qty),
        "filled_avg_price": plain_or_none(order.average_price),
        "order_class": order.order_class.value,
        "order_type": order.type.value,
        "type": order.type.value,
        "side": order.side.value,
        "position_intent": f"{order.side.value}_to_{'open' if order.side.sign > 0 else 'close'}",
        "time_in_force": order.time_in_force.value,
        "limit_price": plain_or_none(order.limit_price),
        "stop_price": plain_or_none(order.stop_price),
        "status": order.status.value,
        "extended_hours": False,
        "legs": [order_view(leg, None, calendar) for leg in legs] if legs else None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "source": None,
        "subtag": None,
    }


def _order_times(order: Order, calendar: Calendar) -> Json:
    ended = {
        name: instant_or_none(order.ended_at if order.status is status else None)
        for name, status in (
            ("filled_at", Status.FILLED),
            ("expired_at", Status.EXPIRED),
            ("canceled_at", Status.CANCELED),
            ("failed_at", Status.REJECTED),
            ("replaced_at", Status.REPLACED),
        )
    }
    session = calendar.of(order.session) if order.session and order.time_in_force is TimeInForce.DAY else None
    return {
        "created_at": instant(order.created_at),
        "updated_at": instant(order.updated_at),
        "submitted_at": instant(order.created_at),
        "expires_at": instant_or_none(session.close if session else order.ages_at),
        **ended,
    }


def position_view(position: Position) -> Json:
    """One position."""
    holding = position.holding
    price = holding.average_price if position.price is None else position.price
    before = price if position.last_close is None else position.last_close
    value, gained, today = holding.qty * price, holding.qty * price - holding.cost, holding.qty * (price - before)
    return {
        "asset_id": asset_id(holding.symbol),
        "symbol": holding.symbol,
        "exchange": _EXCHANGE if holding.asset_class == "us_equity" else "CRYPTO",
        "asset_class": holding.asset_class,
        "asset_marginable": False,
        "qty": plain(holding.qty),
        "qty_available": plain(position.qty_available),
        "avg_entry_price": plain(holding.average_price),
        "side": "long",
        "market_value": plain(value),
        "cost_basis": plain(holding.cost),
        "unrealized_pl": plain(gained),
        "unrealized_plpc": plain(_fraction(gained, holding.cost)),
        "unrealized_intraday_pl": plain(today),
        "unrealized_intraday_plpc": plain(_fraction(today, holding.qty * before)),
        "current_price": plain(price),
        "lastday_price": plain(before),
        "change_today": plain(_fraction(price - before, before)),
    }


def _fraction(part: Decimal, whole: Decimal) -> Decimal:
    return part / whole if whole else ZERO


def account_view(summary: AccountSummary, state: State, rules: Rules) -> Json:
    """The account. Nothing is sold short, and nothing is lent: fields of margin and shorts are zero."""
    zero = ("short_market_value", "accrued_fees", "pending_transfer_in", "pending_transfer_out", "initial_margin",
            "maintenance_margin", "last_maintenance_margin", "sma", "pending_reg_taf_fees", "intraday_adjustments",
            "options_buying_power")  # fmt: skip
    power = plain(summary.buying_power)
    return {
        "id": _ACCOUNT_ID,
        "account_number": "PAPER00001",
        "status": "ACTIVE",
        "crypto_status": "INACTIVE",
        "currency": "USD",
        "cash": plain(summary.cash),
        "equity": plain(summary.equity),
        "portfolio_value": plain(summary.equity),
        "last_equity": plain(summary.last_equity),
        "long_market_value": plain(summary.positions_value),
        "buying_power": power,
        "regt_buying_power": power,
        "non_marginable_buying_power": plain(max(ZERO, summary.cash - state.book.reserved_cash())),
        "multiplier": str(rules.multiplier),
        **dict.fromkeys(zero, "0"),
        "balance_asof": state.now.date().isoformat(),
        "created_at": instant(state.opened_at),
        "trading_blocked": state.trading_blocked,
        "transfers_blocked": state.account_blocked,
        "account_blocked": state.account_blocked,
        "trade_suspended_by_user": False,
        "shorting_enabled": False,
        "options_approved_level": 0,
        "options_trading_level": 0,
    }


def asset_view(asset: Asset) -> Json:
    """One asset."""
    is_equity = asset.asset_class == "us_equity"
    return {
        "id": asset_id(asset.symbol),
        "class": asset.asset_class,
        "exchange": _EXCHANGE if is_equity else "CRYPTO",
        "symbol": asset.symbol,
        "name": f"{asset.symbol} Common Stock" if is_equity else asset.symbol,
        "status": "active" if asset.active else "inactive",
        "tradable": asset.tradable and asset.active,
        "marginable": False,
        "shortable": False,
        "easy_to_borrow": False,
        "borrow_status": "hard_to_borrow",
        "fractionable": asset.fractionable,
        "maintenance_margin_requirement": 100,
        "margin_requirement_long": "100",
        "margin_requirement_short": "100",
        "attributes": [],
    }


def clock_view(now: datetime, calendar: Calendar) -> Json:
    """The exchange's time and hours, with New York's offset."""
    return {
        "timestamp": now.isoformat(),
        "is_open": calendar.is_open(now),
        "next_open": calendar.next_open(now).isoformat(),
        "next_close": calendar.next_close(now).isoformat(),
    }


def calendar_view(sessions: Iterable[Session], calendar: Calendar) -> list[Json]:
    """Sessions with their hours in New York. Hours beyond the bells are 04:00 to 20:00, or to 17:00 on half days."""
    return [
        {
            "date": session.day.isoformat(),
            "open": f"{session.open:%H:%M}",
            "close": f"{session.close:%H:%M}",
            "session_open": "0400",
            "session_close": "2000" if session.close.hour >= 16 else "1700",  # noqa: PLR2004 - the usual bell
            "settlement_date": _settlement(session, calendar),
        }
        for session in sessions
    ]


def _settlement(session: Session, calendar: Calendar) -> str:
    sessions = 1 if session.day >= _SETTLES_NEXT_DAY_SINCE else 2
    return calendar.after(session, sessions).day.isoformat()


def activity_view(fill: Fill) -> Json:
    """One fill as an account activity."""
    return {
        "id": fill.id,
        "activity_type": "FILL",
        "transaction_time": instant(fill.at),
        "type": "partial_fill" if fill.leaves_qty else "fill",
        "price": plain(fill.price),
        "qty": plain(fill.qty),
        "side": fill.side.value,
        "symbol": fill.symbol,
        "leaves_qty": plain(fill.leaves_qty),
        "cum_qty": plain(fill.cumulative_qty),
        "order_id": fill.order_id,
        "order_status": "partially_filled" if fill.leaves_qty else "filled",
    }


def entry_view(entry: Entry) -> Json:
    """One line of the account's record that is no fill of an order."""
    if entry.type == "FILL":
        side, order_id = ("buy" if entry.qty > 0 else "sell"), "00000000-0000-4000-8000-0000000000ff"
        shown = {"price": plain(entry.price), "qty": plain(abs(entry.qty)), "side": side, "symbol": entry.symbol}
        common = {"id": entry.id, "activity_type": "FILL", "transaction_time": instant(entry.at), "type": "fill"}
        return {**common, **shown, "leaves_qty": "0", "cum_qty": shown["qty"], "order_id": order_id}
    view = {
        "id": entry.id,
        "activity_type": entry.type,
        "date": entry.at.date().isoformat(),
        "created_at": instant(entry.at),
        "net_amount": plain(entry.amount),
        "description": entry.description,
        "status": "executed",
    }
    if entry.symbol:
        view |= {"symbol": entry.symbol, "qty": plain(entry.qty)}
    if entry.price:
        view["per_share_amount"] = plain(entry.price)
    return view | ({"group_id": entry.group} if entry.group else {})


def portfolio_view(equities: Sequence[tuple[date, Decimal]], base: Decimal) -> Json:
    """Equity at each session's close: numbers, and seconds since 1970 at midnight UTC of the session's date."""
    gains = [equity - base for _, equity in equities]
    return {
        "timestamp": [int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp()) for d, _ in equities],
        "equity": [float(equity) for _, equity in equities],
        "profit_loss": [float(gain) for gain in gains],
        "profit_loss_pct": [float(_fraction(gain, base)) for gain in gains],
        "base_value": float(base),
        "timeframe": "1D",
    }
