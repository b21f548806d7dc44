"""What the dashboard's own widgets show."""

import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from openbell.adapters.memory.archive import MemoryArchive
from openbell.adapters.memory.ledger import MemoryLedger
from openbell.model import NEW_YORK, Halt, Run, RunStatus
from openbell.runs import report_key
from openbell.widgets import WidgetQuery, show
from openbell.widgets.chart import forecast_chart
from openbell.widgets.markup import action, element, table

AS_OF = datetime(2022, 6, 15, 15, tzinfo=NEW_YORK)
NASTY = '<script>alert("x")</script>'
REPORT: dict[str, Any] = {
    "run_id": "run-1",
    "as_of": AS_OF.isoformat(),
    "status": "COMPLETED",
    "note": "",
    "sleeves": {
        "momentum": {
            "equity": "40123.50",
            "cash": "123.50",
            "realised_pnl": "-3.00",
            "unrealised_pnl": "12.25",
            "positions": {
                "AAPL": {"qty": "200", "average_cost": "199.0000", "price": "200", "value": "40000.00", "weight": 0.997}
            },
        }
    },
    "orders": [
        {
            "side": "buy",
            "symbol": "AAPL",
            "strategies": ["momentum"],
            "status": "REJECTED",
            "reason": "strongest of 20",
            "note": NASTY,
            "qty": "200",
            "filled_qty": "0",
            "filled_avg_price": None,
            "reference_price": "200",
        }
    ],
    "cuts": [
        {
            "strategy": "momentum",
            "symbol": "MSFT",
            "rule": "max_position",
            "reason": "25 % at most",
            "wanted_qty": "20",
            "allowed_qty": "10",
        }
    ],
    "signals": {"momentum": [{"symbol": "AAPL", "score": 0.5, "reason": "strongest of 20", "vetoed": ""}]},
    "failed_strategies": {"trend": NASTY},
    "history": {"AAPL": {"closes": [198.0, 199.0, 200.0]}},
    "forecasts": {
        "made": [
            {"symbol": "KO", "last_close": 100.0, "yhat": [101.0], "yhat_lower": [100.0], "yhat_upper": [102.0]},
            {"symbol": "AAPL", "last_close": 200.0, "yhat": [190.0], "yhat_lower": [180.0], "yhat_upper": [200.0]},
        ],
        "failed": {"XOM": "too few bars"},
    },
}


class Elements(HTMLParser):
    """The names of all elements, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def the_platform(report: dict[str, Any] | None = None) -> tuple[MemoryLedger, MemoryArchive]:
    """A ledger with a completed run, and after it a skipped one that left no report."""
    ledger, archive = MemoryLedger(), MemoryArchive()
    ledger.start_run(Run("run-1", "e-1", AS_OF, RunStatus.COMPLETED, "daily", ("momentum",)), None)
    skipped = Run("run-2", "e-2", AS_OF + timedelta(hours=1), RunStatus.SKIPPED, "daily", (), note="market closed")
    ledger.start_run(skipped, None)
    archive.put(report_key("run-1"), json.dumps(report or REPORT).encode())
    return ledger, archive


def shown(widget: str, **query: Any) -> str:
    return show(WidgetQuery(widget, AS_OF + timedelta(hours=26), **query), *the_platform())


@pytest.mark.parametrize("widget", ["state", "positions", "plan", "forecasts", "run"])
def test_nothing_that_came_from_outside_becomes_an_element(widget: str) -> None:
    html = shown(widget, run_id="" if widget == "state" else "run-1")
    assert "script" not in Elements(html).names
    if widget in {"plan", "run"}:
        assert NASTY in Elements(html).text


def test_the_state_says_that_trading_is_on_and_how_old_the_last_completed_run_is() -> None:
    text = "".join(Elements(shown("state")).text)
    assert "Trading is on." in text
    assert "Last completed run: 1 d 2 h ago (run-1)." in text  # 26 hours; the skipped run is none
    assert "market closed" in text


def test_the_state_says_why_trading_is_halted() -> None:
    ledger, archive = the_platform()
    ledger.set_halt(Halt("the loss of the day", NASTY, AS_OF, flatten=True))
    html = show(WidgetQuery("state", AS_OF), ledger, archive)
    assert "script" not in Elements(html).names
    text = "".join(Elements(html).text)
    assert (
        f"Trading is halted since 2022-06-15 15:00 by {NASTY}: the loss of the day. Everything is to be sold." in text
    )


def test_a_run_of_the_list_opens_when_it_is_clicked() -> None:
    html = shown("state", endpoint="arn:aws:lambda:us-east-1:1:function:widgets")
    assert '<a>run-1</a><cwdb-action action="call" display="popup" endpoint="arn:aws:lambda' in html
    assert {"widget": "run", "run_id": "run-1"} in [json.loads(t) for t in Elements(html).text if t.startswith("{")]


def test_without_an_endpoint_nothing_can_be_clicked() -> None:
    assert "cwdb-action" not in shown("state")


def test_positions_are_those_of_the_newest_run_with_a_report() -> None:
    text = Elements(shown("positions")).text
    assert "Run run-1, 2022-06-15 15:00 New York, COMPLETED" in text
    assert {"40,123.50", "12.25", "AAPL", "200", "40,000.00", "99.7%"} <= set(text)


def test_the_plan_gives_every_orders_reason_and_every_cut() -> None:
    text = set(Elements(shown("plan")).text)
    assert {"strongest of 20", "REJECTED", "max_position", "25 % at most"} <= text


def test_the_forecast_with_the_largest_move_comes_first_and_those_that_failed_are_named() -> None:
    text = Elements(shown("forecasts")).text
    assert text.index("AAPL -5.0% in 1 bars") < text.index("KO +1.0% in 1 bars")  # 190 / 200 and 101 / 100
    assert {"XOM", "too few bars"} <= set(text)


def test_one_run_can_be_asked_for() -> None:
    text = Elements(shown("run", run_id="run-1")).text
    assert "run-1: COMPLETED" in text
    assert "+0.50" in text
    assert shown("run", run_id="run-9") == "<p>There is no report of run run-9.</p>"


def test_before_the_first_run_there_is_nothing_to_show() -> None:
    query = WidgetQuery("plan", datetime.now(UTC))
    assert show(query, MemoryLedger(), MemoryArchive()) == "<p>There is no report yet.</p>"


def test_a_run_that_failed_early_is_shown_as_far_as_it_got() -> None:
    early = {key: REPORT[key] for key in ("run_id", "as_of", "status", "note")}
    for widget in ("positions", "plan", "forecasts", "run"):
        html = show(WidgetQuery(widget, AS_OF), *the_platform(early))
        assert "Run run-1" in html


def test_a_chart_joins_the_forecast_to_the_last_close() -> None:
    forecast = {"yhat": [30.0], "yhat_lower": [20.0], "yhat_upper": [40.0]}
    svg = forecast_chart("A", [10.0, 20.0], forecast)
    # Three bars over 292 of 300 pixels, prices 10 to 40 over 102 of 110: 20 lies at 4 + 102 * 2 / 3, 30 at 4 + 102 / 3
    assert 'points="150.0,72.0 296.0,38.0"' in svg
    assert 'aria-label="A: last close 20.00 USD, expected 30.00"' in svg


def test_a_chart_of_a_price_that_stands_still_is_a_line() -> None:
    flat = {"yhat": [5.0], "yhat_lower": [5.0], "yhat_upper": [5.0]}
    assert "nan" not in forecast_chart("A", [5.0], flat)
    assert forecast_chart("A", [], flat).startswith("<svg")


def test_text_is_escaped_and_markup_is_not() -> None:
    assert element("p", "a < b", element("b", "&"), title='"') == '<p title="&quot;">a &lt; b<b>&amp;</b></p>'
    assert table(("x",), []) == "<p>None.</p>"
    assert '{"a": "&lt;"}' in action("go", "arn", {"a": "<"})
