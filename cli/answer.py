"""The result for programs: one JSON object."""

import json
from pathlib import Path
from typing import Any

from cli.day import Day, Result
from cli.run_report import OrderPart, SleevePart


def to_answer(result: Result, report: Path) -> str:
    """`result` as JSON; money and quantities are decimal strings, times ISO with offset."""
    return json.dumps({"runs": [_run(day) for day in result.days], "report": str(report.resolve())}, indent=1)


def _run(day: Day) -> dict[str, Any]:
    report = day.report
    return {
        "run_id": report.run_id,
        "as_of": report.as_of.isoformat(),
        "status": report.status.value,
        "note": report.note,
        "started_by": day.started_by,
        "seconds": round(day.story.seconds, 3),
        "universe": {name: list(symbols) for name, symbols in report.universe.items()},
        "left_out": report.snapshot.left_out if report.snapshot else {},
        "forecasts": {
            "made": sorted({forecast.symbol for forecast in report.forecasts.made}),
            "failed": report.forecasts.failed,
        },
        "accuracy": {
            name: {str(horizon): found.model_dump() for horizon, found in by_horizon.items()}
            for name, by_horizon in report.accuracy.items()
        },
        "signals": {name: [s.model_dump() for s in signals] for name, signals in report.signals.items()},
        "failed_strategies": report.failed_strategies,
        "orders": [_order(order) for order in report.orders],
        "cuts": [cut.model_dump(mode="json") for cut in report.cuts],
        "sleeves": {name: _sleeve(sleeve) for name, sleeve in report.sleeves.items()},
        "equity": None if report.equity is None else str(report.equity),
        "books_agree": day.books_agree,
        "differences": list(day.all_differences),
        "alerts": [{"subject": alert.subject, "message": alert.message} for alert in day.alerts],
    }


def _order(order: OrderPart) -> dict[str, Any]:
    return {
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "qty": str(order.qty),
        "protective": order.protective,
        "status": order.status,
        "filled_qty": str(order.filled_qty),
        "filled_avg_price": None if order.filled_avg_price is None else str(order.filled_avg_price),
        "reference_price": str(order.reference_price),
        "strategies": list(order.strategies),
        "reason": order.reason,
        "note": order.note,
    }


def _sleeve(sleeve: SleevePart) -> dict[str, Any]:
    return {
        "cash": str(sleeve.cash),
        "equity": str(sleeve.equity),
        "realised_pnl": str(sleeve.realised_pnl),
        "unrealised_pnl": str(sleeve.unrealised_pnl),
        "positions": {symbol: str(position.qty) for symbol, position in sleeve.positions.items()},
    }
