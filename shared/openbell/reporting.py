"""The report of a run as plain data: everything that a person or a page wants to know about it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import isnan
from typing import Any

from openbell.accuracy import Tally
from openbell.codec import from_json, to_plain
from openbell.decision import unrealised_pnl
from openbell.errors import OpenbellError
from openbell.execution.protection import Unprotected
from openbell.execution.reconciliation import Drift
from openbell.forecasting.scoring import over_last
from openbell.forecasts import Forecast, WorkList, work_list_key
from openbell.model import NEW_YORK, Account, BrokerPosition, Order, Run, RunStatus, Sleeve
from openbell.portfolio.rearranging import orphans
from openbell.ports import Archive, Desk, Ledger
from openbell.runs import Decisions, RunInputs, decisions_key, inputs_key, snapshot_keys
from openbell.snapshot import Snapshot

ACCURACY_SESSIONS = 60  # over which the accuracy of forecasts is told
ACCURACY_SPAN = timedelta(days=100)  # which holds as many sessions
HISTORY_BARS = 120  # of closes before the forecasts, for the charts


@dataclass(frozen=True)
class RunReport:
    """The report's content, ready for JSON: money and quantities are decimal strings."""

    content: dict[str, Any]

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(self.content, indent=1).encode()


def make_report(
    run: Run,
    desk: Desk,
    drift: Sequence[Drift],
    unprotected: Sequence[Unprotected] = (),
    unsold: Sequence[Any] = (),
) -> RunReport:
    """What is known of the run: a run that failed early has only the parts that it got to."""
    content: dict[str, Any] = {
        "run_id": run.run_id,
        "execution": run.execution,
        "as_of": run.as_of.astimezone(NEW_YORK).isoformat(),
        "status": run.status.value,
        "schedule": run.schedule,
        "note": run.note,
        "strategies": list(run.strategies),
        "checks": {
            "books_agree": not drift,
            "differences": to_plain(list(drift)),
            "quarantines": to_plain(desk.ledger.quarantines()),
            "unsent_alerts": [alert.subject for alert in desk.ledger.unsent_alerts()],
        },
        "unprotected": [to_plain(gap) for gap in unprotected],
        "unsold": [to_plain(each) for each in unsold],  # of a run that was to sell everything
    }
    sleeves = desk.ledger.sleeves()
    side = _account(run, desk)
    prices: dict[str, Decimal] = {s: p.price for s, p in side.positions.items()} if side else {}
    inputs = _read(RunInputs, desk.archive, inputs_key(run.run_id))
    if inputs:
        content |= _opening(inputs)
    snapshot = _snapshot(run.run_id, desk.archive)
    if snapshot:
        content |= _prices(snapshot)
        content |= _forecasts(run.run_id, desk.ledger, desk.archive)
    decisions = _read(Decisions, desk.archive, decisions_key(run.run_id))
    if decisions and inputs and snapshot:
        content |= _decided(decisions, inputs, snapshot)
    content["accuracy"] = {name: record for name in run.strategies if (record := _accuracy(name, run, desk.ledger))}
    content["orders"] = [_order(order) for order in desk.ledger.orders(run.run_id)]
    content["sleeves"] = {name: _sleeve(sleeve, prices) for name, sleeve in sorted(sleeves.items())}
    if side:
        content["equity"] = str(side.account.equity)
    return RunReport(content)


@dataclass(frozen=True)
class _BrokerSide:
    positions: Mapping[str, BrokerPosition]
    account: Account


def _account(run: Run, desk: Desk) -> _BrokerSide | None:
    """What the broker holds at the end; None if it does not answer at the end of a run that has failed anyway."""
    try:
        return _BrokerSide(desk.broker.positions(), desk.broker.account())
    except OpenbellError:
        if run.status is RunStatus.COMPLETED:
            raise
        return None


def _read[T](kind: type[T], archive: Archive, key: str) -> T | None:
    try:
        return from_json(kind, archive.get(key))
    except KeyError:
        return None


def _snapshot(run_id: str, archive: Archive) -> Snapshot | None:
    closes, meta = snapshot_keys(run_id)
    try:
        return Snapshot.from_bytes(archive.get(closes), archive.get(meta))
    except KeyError:
        return None


def _opening(inputs: RunInputs) -> dict[str, Any]:
    account = inputs.account
    found = inputs.reconciliation
    return {
        "account": {
            "equity": str(account.equity),
            "last_equity": str(account.last_equity),
            "cash": str(account.cash),
            "buying_power": str(account.buying_power),
        },
        "orphans": orphans(inputs.sleeves, inputs.config),
        "reconciliation": {
            "booked": to_plain(list(found.booked)),
            "adopted": list(found.adopted),
            "drift": to_plain(list(found.drift)),
            "unmanaged": {symbol: str(qty) for symbol, qty in found.unmanaged},
        },
    }


def _prices(snapshot: Snapshot) -> dict[str, Any]:
    index = snapshot.closes.index
    return {
        "snapshot": {
            "source": snapshot.source,
            "sessions": len(index),
            "first": f"{index[0]:%Y-%m-%d}" if len(index) else None,
            "last": f"{index[-1]:%Y-%m-%d}" if len(index) else None,
            "left_out": dict(snapshot.left_out),
            "sources": dict(snapshot.sources),
        },
        "prices": {symbol: str(price) for symbol, price in sorted(snapshot.prices.items())},
        "history": _history(snapshot),
    }


def _history(snapshot: Snapshot) -> dict[str, Any]:
    window = snapshot.closes.iloc[-HISTORY_BARS:]
    history = {}
    for symbol in window.columns:
        series = window[symbol].dropna()
        history[str(symbol)] = {
            "sessions": [f"{session:%Y-%m-%d}" for session in series.index],
            "closes": [float(close) for close in series],
        }
    return history


def _forecasts(run_id: str, ledger: Ledger, archive: Archive) -> dict[str, Any]:
    work = _read(WorkList, archive, work_list_key(run_id))
    made: list[Forecast] = []
    failed: dict[str, str] = {}
    for spec in work.specs if work else ():
        made += ledger.forecasts(run_id, spec).values()
        failed |= ledger.forecast_failures(run_id, spec)
    return {"forecasts": {"made": to_plain(made), "failed": failed}}


def _accuracy(strategy: str, run: Run, ledger: Ledger) -> dict[str, Any]:
    """How the strategy's forecasts of the last sessions did, by horizon in bars; empty if none has met its close."""
    record = over_last(ledger.accuracy(strategy, run.as_of.date() - ACCURACY_SPAN), ACCURACY_SESSIONS)
    return {str(horizon): _means(found) for horizon, found in record.items()}


def _means(found: Tally) -> dict[str, Any]:
    means = found.accuracy
    return {
        "bars": means.bars,
        "mape": means.mape,
        "mase": means.mase,
        "naive_mase": means.naive_mase,
        "skill": None if isnan(means.skill) else means.skill,
        "hit_rate": None if isnan(means.hit_rate) else means.hit_rate,
        "coverage": means.coverage,
        "pinball": means.pinball,
    }


def _decided(decisions: Decisions, inputs: RunInputs, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "universe": {name: list(symbols) for name, symbols in decisions.universe.items()},
        "signals": {name: to_plain(list(signals)) for name, signals in decisions.signals.items()},
        "failed_strategies": dict(decisions.failed_strategies),
        "targets": [_target(target, inputs.sleeves, snapshot.prices) for target in decisions.targets],
        "crosses": to_plain(list(decisions.plan.crosses)),
        "cuts": to_plain(list(decisions.plan.cuts)),
    }


def _target(target: Any, sleeves: Mapping[str, Sleeve], prices: Mapping[str, Decimal]) -> dict[str, Any]:
    equity = sleeves[target.strategy].equity(prices)
    price = prices.get(target.symbol)
    return {
        "strategy": target.strategy,
        "symbol": target.symbol,
        "qty": str(target.qty),
        "weight": float(target.qty * price / equity) if price and equity else 0.0,
        "price": str(price) if price else None,
        "reason": target.reason,
    }


def _order(order: Order) -> dict[str, Any]:
    price = order.filled_avg_price
    return {
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "qty": str(order.qty),
        "status": order.status.value,
        "filled_qty": str(order.filled_qty),
        "filled_avg_price": None if price is None else f"{price:.4f}",
        "reference_price": str(order.reference_price),
        "strategies": list(order.strategies),
        "shares": {share.strategy: str(share.qty) for share in order.shares},
        "reason": order.reason,
        "note": order.note,
        "protective": order.protective,
        "bracket": to_plain(order.bracket if order.protective or not order.protection else order.protection),
        "legs": [
            {"kind": leg.kind.value, "status": leg.status.value, "filled_qty": str(leg.filled_qty)}
            for leg in order.legs
        ],
    }


def _sleeve(sleeve: Sleeve, prices: Mapping[str, Decimal]) -> dict[str, Any]:
    equity = sleeve.equity(prices)
    positions = {}
    for symbol, position in sorted(sleeve.positions.items()):
        price = prices.get(symbol)
        value = position.qty * price if price is not None else position.cost
        positions[symbol] = {
            "qty": str(position.qty),
            "average_cost": f"{position.average_cost:.4f}",
            "price": None if price is None else str(price),
            "value": f"{value:.2f}",
            "weight": float(value / equity) if equity else 0.0,
            "protection": to_plain(position.protection),
        }
    return {
        "cash": str(sleeve.cash),
        "equity": f"{equity:.2f}",
        "realised_pnl": str(sleeve.realised_pnl),
        "unrealised_pnl": f"{unrealised_pnl(sleeve, prices):.2f}",
        "positions": positions,
    }
