"""What a finished run is measured by: figures of its report, for metrics. One dimension at most: the strategy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One figure; without a strategy it is the account's. Amounts in USD, exposure and accuracy as fractions."""

    name: str
    value: float
    strategy: str = ""


def figures(report: Mapping[str, Any]) -> list[Figure]:
    """The figures in a run's report (as `openbell.reporting` makes it); a run that failed early has few."""
    found = [Figure("Equity", float(report["equity"]))] if "equity" in report else []
    if "equity" in report and float(report["equity"]):
        invested = sum(_value(sleeve) for sleeve in report.get("sleeves", {}).values())
        found.append(Figure("Exposure", invested / float(report["equity"])))
    found.append(Figure("DriftFound", float(len(report.get("checks", {}).get("differences", ())))))
    found += _forecasts(report)
    for strategy in sorted({*report.get("strategies", ()), *report.get("sleeves", {})}):
        found += _of_strategy(strategy, report)
    return found


def _forecasts(report: Mapping[str, Any]) -> list[Figure]:
    """Nothing for a run that needed no forecasts: a fraction of none is no fraction."""
    wanted = report.get("forecasts", {"made": (), "failed": ()})
    missing = len(wanted["failed"])
    total = missing + len(wanted["made"])
    return [Figure("ForecastsMissing", missing / total)] if total else []


def _of_strategy(strategy: str, report: Mapping[str, Any]) -> list[Figure]:
    counts = _counts(strategy, report)
    sleeve = report.get("sleeves", {}).get(strategy)
    if sleeve:
        counts |= {
            "SleeveEquity": float(sleeve["equity"]),
            "SleeveExposure": _value(sleeve) / float(sleeve["equity"]) if float(sleeve["equity"]) else 0.0,
            "RealisedPnl": float(sleeve["realised_pnl"]),
            "UnrealisedPnl": float(sleeve["unrealised_pnl"]),
        }
    return [Figure(name, value, strategy) for name, value in (counts | _accuracy(strategy, report)).items()]


def _counts(strategy: str, report: Mapping[str, Any]) -> dict[str, float]:
    orders = [order for order in report.get("orders", ()) if strategy in order["strategies"]]
    return {
        "Signals": float(len(report.get("signals", {}).get(strategy, ()))),
        "Orders": float(len(orders)),
        "OrdersFilled": float(_with_status("FILLED", orders)),
        "OrdersRejected": float(_with_status("REJECTED", orders)),
        "RiskCuts": float(sum(cut["strategy"] == strategy for cut in report.get("cuts", ()))),
        "StrategyFailed": float(strategy in report.get("failed_strategies", {})),
    }


def _with_status(status: str, orders: Sequence[Mapping[str, Any]]) -> int:
    return sum(order["status"] == status for order in orders)


def _accuracy(strategy: str, report: Mapping[str, Any]) -> dict[str, float]:
    """At the longest horizon: that is the one which the strategy trades on."""
    by_horizon = report.get("accuracy", {}).get(strategy)
    if not by_horizon:
        return {}
    means = by_horizon[max(by_horizon, key=int)]
    names = {"ForecastMase": "mase", "ForecastSkill": "skill", "ForecastCoverage": "coverage"}
    return {name: float(means[key]) for name, key in names.items() if means[key] is not None}


def _value(sleeve: Mapping[str, Any]) -> float:
    return sum(float(position["value"]) for position in sleeve["positions"].values())
