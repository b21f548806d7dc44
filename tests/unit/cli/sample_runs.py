"""Runs of two strategies over 20 symbols, made up but consistent: what the tables and the report are tested on.

`python -m tests.unit.cli.sample_runs FILE` writes their report, to look at.
"""

import json
import math
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from cli.day import Alert, Day, Result
from cli.run_report import read_report
from cli.workflow import Story, Visit
from openbell.model import NEW_YORK

SYMBOLS = [
    "AAPL",
    "AMD",
    "BAC",
    "BBY",
    "CVX",
    "GE",
    "HD",
    "JNJ",
    "JPM",
    "KO",
    "LLY",
    "MRK",
    "MSFT",
    "PEP",
    "PFE",
    "PG",
    "RRC",
    "UNH",
    "WMT",
    "XOM",
]
SHARES_OF_TREND = {"LLY": 110, "UNH": 80, "CVX": 140}
SHARES_OF_MOMENTUM = {"RRC": 42, "CVX": 70, "XOM": 28, "LLY": 50, "MRK": 45}
CENT = Decimal("0.01")


def cents(value: float) -> Decimal:
    return Decimal(str(value)).quantize(CENT)


def price(symbol: str, day: int) -> float:
    """USD; a slow wave, a fast one and a drift, different for every symbol."""
    seed = SYMBOLS.index(symbol)
    level = 60 + 7 * seed
    return level * (
        1 + 0.0006 * (seed % 7 - 2) * day + 0.06 * math.sin(day / 17 + seed) + 0.012 * math.sin(day * 2.3 + seed)
    )


def sessions(last: date, count: int) -> list[date]:
    """`count` weekdays, the last of them `last`."""
    found: list[date] = []
    day = last
    while len(found) < count:
        if day.weekday() < 5:
            found.append(day)
        day -= timedelta(days=1)
    return found[::-1]


def forecast(symbol: str, day: int, at: date) -> dict[str, Any]:
    last = price(symbol, day)
    slope = (SYMBOLS.index(symbol) % 7 - 2) * 0.0012
    yhat = [round(last * (1 + slope * step), 4) for step in range(1, 16)]
    width = [last * 0.02 * math.sqrt(step) for step in range(1, 16)]
    return {
        "symbol": symbol,
        "last_close": round(last, 4),
        "sessions": [(at + timedelta(days=step)).isoformat() for step in range(1, 16)],
        "yhat": yhat,
        "yhat_lower": [round(y - w, 4) for y, w in zip(yhat, width, strict=True)],
        "yhat_upper": [round(y + w, 4) for y, w in zip(yhat, width, strict=True)],
        "interval_width": 0.8,
        "engine": "exact",
        "skill": 0.04 if SYMBOLS.index(symbol) % 3 else None,
    }


def order(run_id: str, symbol: str, qty: int, at: int, shares: Mapping[str, int], **changes: Any) -> dict[str, Any]:
    """A filled buy, 2 basis points above its reference price."""
    reference = cents(price(symbol, at))
    side = changes.pop("side", "buy")
    sign = 1 if side == "buy" else -1
    fill = (reference * (1 + sign * Decimal("0.0002"))).quantize(Decimal("0.0001"))
    bracketed = changes.pop("bracketed", False)
    bracket = {
        "stop_price": str(cents(float(reference) * 0.98)),
        "stop_limit_price": str(cents(float(reference) * 0.97)),
        "take_profit_price": str(cents(float(reference) * 1.4)),
    }
    return {
        "client_order_id": f"{run_id}-{symbol}-{side}-x-1",
        "symbol": symbol,
        "side": side,
        "qty": str(qty),
        "status": "FILLED",
        "filled_qty": str(qty),
        "filled_avg_price": str(fill),
        "reference_price": str(reference),
        "strategies": list(shares),
        "shares": {name: str(part) for name, part in shares.items()},
        "reason": "; ".join(f"{name}: expected to rise over 15 sessions, lower band near the close" for name in shares),
        "note": "",
        "bracket": bracket if bracketed else None,
        "legs": [{"kind": "stop", "status": "WORKING", "filled_qty": "0"}] if bracketed else [],
    } | changes


def sleeve(holdings: Mapping[str, int], bought: int, at: int, capital: Decimal) -> dict[str, Any]:
    cost = {s: cents(price(s, bought)) * Decimal("1.0002") * q for s, q in holdings.items()}
    value = {s: cents(price(s, at)) * q for s, q in holdings.items()}
    cash = capital - sum(cost.values(), Decimal(0))
    equity = cash + sum(value.values(), Decimal(0))
    return {
        "cash": str(cash.quantize(CENT)),
        "equity": str(equity.quantize(CENT)),
        "realised_pnl": "0",
        "unrealised_pnl": str((sum(value.values(), Decimal(0)) - sum(cost.values(), Decimal(0))).quantize(CENT)),
        "positions": {
            s: {
                "qty": str(q),
                "average_cost": str((cost[s] / q).quantize(Decimal("0.0001"))),
                "price": str(cents(price(s, at))),
                "value": str(value[s].quantize(CENT)),
                "weight": round(float(value[s] / equity), 4),
            }
            for s, q in holdings.items()
        },
    }


def report(number: int = 0) -> dict[str, Any]:
    """report.json of the run on session `number`: buys on the first, a sale on each later one."""
    at = 200 + number
    days = sessions(date(2022, 6, 14) + timedelta(days=number), 120)
    run_id = f"20220615T1500-{number:04d}"
    trend, momentum = dict(SHARES_OF_TREND), dict(SHARES_OF_MOMENTUM)
    first = number == 0
    sleeves = {
        "momentum": sleeve(momentum, 200, at, Decimal(40_000)),
        "prophet_trend": sleeve(trend, 200, at, Decimal(50_000)),
    }
    equity = sum((Decimal(s["equity"]) for s in sleeves.values()), Decimal(10_000))
    both = order(run_id, "CVX", 210, at, {"momentum": 70, "prophet_trend": 140})
    orders = [both]
    orders += [order(run_id, s, q, at, {"momentum": q}) for s, q in momentum.items() if s != "CVX"]
    orders += [order(run_id, s, q, at, {"prophet_trend": q}, bracketed=True) for s, q in trend.items() if s != "CVX"]
    orders[-1] |= {"status": "CANCELED", "filled_qty": "64", "note": "unfilled after 12 rounds"}
    orders.append(
        order(run_id, "BAC", 40, at, {"momentum": 40})
        | {"status": "REJECTED", "filled_qty": "0", "filled_avg_price": None, "note": "insufficient buying power"}
    )
    later = [order(run_id, "PFE", 12, at, {"momentum": 12}, side="sell")]
    return {
        "run_id": run_id,
        "execution": f"daily-{number}",
        "as_of": datetime(2022, 6, 15, 15, tzinfo=NEW_YORK).isoformat()
        if first
        else (datetime(2022, 6, 15, 15, tzinfo=NEW_YORK) + timedelta(days=number)).isoformat(),
        "status": "COMPLETED",
        "schedule": "daily",
        "note": "",
        "strategies": ["momentum", "prophet_trend"],
        "account": {
            "equity": "100000" if first else str(equity - 120),
            "last_equity": "100000",
            "cash": "100000" if first else "31000",
            "buying_power": "100000",
        },
        "equity": str(equity),
        "universe": {"momentum": SYMBOLS, "prophet_trend": SYMBOLS[::-1]},
        "snapshot": {
            "source": "alpaca",
            "sessions": 504,
            "first": "2020-06-12",
            "last": days[-1].isoformat(),
            "left_out": {"TWTR": "no bar in the last 5 sessions"},
        },
        "prices": {s: str(cents(price(s, at))) for s in SYMBOLS},
        "forecasts": {
            "made": [forecast(s, at, days[-1]) for s in SYMBOLS if s != "GE"],
            "failed": {"GE": "DataUnavailable: 12 of 504 bars are missing"},
        },
        "history": {
            s: {
                "sessions": [d.isoformat() for d in days],
                "closes": [round(price(s, at - 119 + i), 4) for i in range(120)],
            }
            for s in SYMBOLS
        },
        "signals": {
            "momentum": [
                {"symbol": s, "score": round(1 - i / 5, 2), "reason": f"rank {i + 1} of 20 by 12-1 month return"}
                for i, s in enumerate(momentum)
            ],
            "prophet_trend": [
                {"symbol": s, "score": 0.6 if s in trend else -0.4, "reason": "interval skew +2.1 % over 15 sessions"}
                for s in [*trend, "PFE", "KO"]
            ],
        },
        "failed_strategies": {},
        "targets": [
            {
                "strategy": name,
                "symbol": s,
                "qty": str(q),
                "weight": round(sleeves[name]["positions"][s]["weight"] + 0.004 * (i - 1), 4),
                "price": str(cents(price(s, at))),
                "reason": "equal weight of what may be invested",
            }
            for name, held in (("momentum", momentum), ("prophet_trend", trend))
            for i, (s, q) in enumerate(held.items())
        ],
        "crosses": []
        if first
        else [{"symbol": "CVX", "seller": "momentum", "buyer": "prophet_trend", "qty": "3", "price": "131.02"}],
        "cuts": [
            {
                "rule": "position_cap",
                "strategy": "prophet_trend",
                "symbol": "UNH",
                "side": "buy",
                "wanted_qty": "96",
                "allowed_qty": "80",
                "reason": "a position may be worth 25000.00 USD (25% of equity)",
            }
        ],
        "orders": orders if first else later,
        "sleeves": sleeves,
        "reconciliation": {
            "booked": []
            if first
            else [
                {
                    "client_order_id": "20220615T1500-0000-UNH-buy-x-1",
                    "leg": "stop",
                    "strategy": "prophet_trend",
                    "symbol": "UNH",
                    "side": "sell",
                    "qty": "2",
                    "value": "868.20",
                }
            ],
            "adopted": [],
            "drift": [],
            "unmanaged": {"T": "5"},
        },
        "checks": {"books_agree": True, "differences": []},
    }


def story(start: datetime = datetime(2025, 1, 2, 9, tzinfo=UTC)) -> Story:
    """An execution of the whole workflow with one look at the sells and two at the buys."""
    steps = [
        ("OpenRun", "Task", 1.42),
        ("RunOpened", "Choice", 0.004),
        ("SelectUniverse", "Task", 1.05),
        ("ForecastTickers", "Map", 2.61),
        ("AggregateSignals", "Task", 0.88),
        ("SubmitSells", "Map", 0.02),
        ("SettleSells", "Task", 0.31),
        ("SellsSettled", "Choice", 0.004),
        ("SubmitBuys", "Map", 1.2),
        ("SettleBuys", "Task", 0.3),
        ("BuysSettled", "Choice", 0.004),
        ("WaitForBuys", "Wait", 0.006),
        ("SettleBuys", "Task", 0.28),
        ("BuysSettled", "Choice", 0.004),
        ("CloseRun", "Task", 0.916),
        ("RunCompleted", "Succeed", 0.001),
    ]
    visits, at = [], start
    for name, kind, length in steps:
        end = at + timedelta(seconds=length)
        items = 20 if name == "ForecastTickers" else 0
        visits.append(Visit(name, kind, at, end, items, items))
        at = end
    return Story(tuple(visits), "SUCCEEDED")


def day(number: int = 0, *, alerts: tuple[Alert, ...] = (), **changes: Any) -> Day:
    """The run on session `number`, its report changed by `changes`."""
    content = json.dumps(report(number) | changes).encode()
    return Day(read_report(content, "sample"), story(), "DailySchedule", alerts)


def result(days: int = 1) -> Result:
    """The outcome of `days` sessions."""
    return Result(
        tuple(day(number) for number in (0, 1, 2, 5, 6, 7, 8, 9)[:days]),
        Decimal(100_000),
        "S&P 500 sample shipped with skfolio: 20 symbols, 8,313 sessions, 1990-01-02 to 2022-12-28",
        "Market orders fill at the session's close plus 2 bps.",
    )


if __name__ == "__main__":
    from cli.report import build_page

    Path(sys.argv[1]).write_text(build_page(result(int(sys.argv[2]) if len(sys.argv) > 2 else 1)))
