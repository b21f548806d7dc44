"""What each widget of the dashboard shows, as HTML made of plain data: a run's report, the halt, the list of runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from openbell.model import NEW_YORK, Halt, Lease, Run, RunStatus
from openbell.widgets.chart import forecast_chart
from openbell.widgets.markup import Markup, action, element, joined, table

type Report = Mapping[str, Any]  # as openbell.reporting makes it

TOP = 6  # charts of forecasts


def state_page(halt: Halt | None, lease: Lease | None, runs: Sequence[Run], now: datetime, endpoint: str) -> Markup:
    """Whether trading is on, when a run completed last (as of `now`, zone-aware), and the newest runs."""
    if halt:
        wish = " Everything is to be sold." if halt.flatten else ""
        trading = element("strong", f"Trading is halted since {_at(halt.at)} by {halt.by}: {halt.reason}.{wish}")
    else:
        trading = joined(["Trading is on."])
    done = next((run for run in runs if run.status is RunStatus.COMPLETED), None)
    last = f"Last completed run: {_age(now - done.as_of)} ago ({done.run_id})." if done else "No run has completed yet."
    busy = f" {lease.holder} is trading now." if lease and lease.expires_at > now else ""
    rows = [(_run_link(run, endpoint), _at(run.as_of), run.schedule, run.status, run.note) for run in runs]
    listed = table(("Run", "New York", "Schedule", "Outcome", "Why"), rows)
    return joined([element("p", trading), element("p", last, busy), listed])


def _run_link(run: Run, endpoint: str) -> object:
    return action(run.run_id, endpoint, {"widget": "run", "run_id": run.run_id}) if endpoint else run.run_id


def positions_page(report: Report) -> Markup:
    """Every strategy's money, and every position, at the prices of the run."""
    sleeves = report.get("sleeves", {})
    owners = [
        (name, _usd(s["equity"]), _usd(s["cash"]), _usd(s["realised_pnl"]), _usd(s["unrealised_pnl"]))
        for name, s in sleeves.items()
    ]
    held = [
        (name, symbol, p["qty"], p["average_cost"], p["price"] or "unknown", _usd(p["value"]), _pct(p["weight"]))
        for name, sleeve in sleeves.items()
        for symbol, p in sleeve["positions"].items()
    ]
    return joined(
        [
            _heading(report),
            table(("Strategy", "Equity", "Cash", "Realised", "Unrealised"), owners, numbers=4),
            table(("Strategy", "Symbol", "Shares", "Average cost", "Price", "Value", "Weight"), held, numbers=5),
        ]
    )


def plan_page(report: Report) -> Markup:
    """The run's orders with their reasons, and what the risk gate took away."""
    orders = [
        (
            order["side"],
            order["symbol"],
            ", ".join(order["strategies"]),
            order["status"],
            joined([order["reason"], element("br"), order["note"]]) if order["note"] else order["reason"],
            order["qty"],
            order["filled_qty"],
            order["filled_avg_price"] or order["reference_price"],
        )
        for order in report.get("orders", ())
    ]
    headers = ("Side", "Symbol", "Strategies", "Status", "Reason", "Shares", "Filled", "Price")
    return joined([_heading(report), table(headers, orders, numbers=3), _cuts(report)])


def _cuts(report: Report) -> Markup:
    cuts = [
        (cut["strategy"], cut["symbol"], cut["rule"], cut["reason"], cut["wanted_qty"], cut["allowed_qty"])
        for cut in report.get("cuts", ())
    ]
    if not cuts:
        return joined([])
    headers = ("Strategy", "Symbol", "Rule", "Reason", "Wanted", "Allowed")
    return joined([element("h4", "Cut by the risk gate"), table(headers, cuts, numbers=2)])


def forecasts_page(report: Report) -> Markup:
    """Charts of the tickers of which the most is expected, up or down, at the longest horizon."""
    made = report.get("forecasts", {}).get("made", ())
    most = sorted(made, key=lambda forecast: abs(_expected_move(forecast)), reverse=True)[:TOP]
    charts = [_forecast(forecast, report) for forecast in most]
    grid = "display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));gap:8px"
    shown = element("div", *charts, style=grid) if charts else element("p", "The run made no forecasts.")
    failed = report.get("forecasts", {}).get("failed", {})
    missing = table(("Without a forecast", "Why"), sorted(failed.items())) if failed else joined([])
    return joined([_heading(report), shown, missing])


def _expected_move(forecast: Mapping[str, Any]) -> float:
    return float(forecast["yhat"][-1]) / float(forecast["last_close"]) - 1


def _forecast(forecast: Mapping[str, Any], report: Report) -> Markup:
    symbol = forecast["symbol"]
    closes = report.get("history", {}).get(symbol, {}).get("closes", [])
    told = f"{symbol} {_expected_move(forecast):+.1%} in {len(forecast['yhat'])} bars"
    return element("figure", element("figcaption", told), forecast_chart(symbol, closes, forecast), style="margin:0")


def run_page(report: Report) -> Markup:
    """One run in full: how it ended, what each strategy wanted, its plan, its positions."""
    signals = [
        (strategy, signal["symbol"], signal["vetoed"] or signal["reason"], f"{signal['score']:+.2f}")
        for strategy, found in report.get("signals", {}).items()
        for signal in found
    ]
    failed = [(name, why) for name, why in report.get("failed_strategies", {}).items()]
    parts = [
        element("h4", "Signals"),
        table(("Strategy", "Symbol", "Why", "Score"), signals, numbers=1),
        element("h4", "Plan"),
        plan_page(report),
        element("h4", "Positions"),
        positions_page(report),
    ]
    if failed:
        parts = [element("h4", "Strategies that failed"), table(("Strategy", "Error"), failed), *parts]
    return joined([element("h3", f"{report['run_id']}: {report['status']}"), element("p", report["note"]), *parts])


def _heading(report: Report) -> Markup:
    at = datetime.fromisoformat(report["as_of"])
    return element("p", f"Run {report['run_id']}, {_at(at)} New York, {report['status']}")


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"


def _age(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    days, hours = divmod(minutes // 60, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _usd(amount: str) -> str:
    return f"{Decimal(amount):,.2f}"


def _pct(fraction: float) -> str:
    return f"{fraction:.1%}"
