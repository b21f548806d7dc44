"""report.json, read and typed."""

import json
from decimal import Decimal

import pytest

from cli.run_report import OrderPart, read_report
from openbell.model import RunStatus
from tests.unit.cli.sample_runs import report

SKIPPED = {
    "run_id": "20220618-1500-ab12",
    "execution": "manual-1",
    "as_of": "2022-06-18T15:00:00-04:00",
    "status": "SKIPPED",
    "schedule": "manual",
    "note": "market closed, next open Tuesday 2022-06-21 09:30 New York time",
    "strategies": ["momentum"],
}


def test_a_skipped_run_has_only_its_head() -> None:
    read = read_report(json.dumps(SKIPPED).encode(), "report.json")
    assert read.status is RunStatus.SKIPPED
    assert (read.account, read.equity, read.orders, read.sleeves) == (None, None, (), {})
    assert read.checks.books_agree is None


def test_money_and_quantities_are_exact() -> None:
    read = read_report(json.dumps(report()).encode(), "report.json")
    assert read.orders[0].qty == Decimal(210)
    assert isinstance(read.sleeves["momentum"].cash, Decimal)


def test_slippage_of_a_buy_above_its_arrival_price_is_a_cost() -> None:
    # bought 10 at 100.02 instead of 100: 2 basis points, 0.20 USD
    order = one_order(side="buy", filled_avg_price="100.02")
    assert order.slippage_bps == Decimal("2.00")
    assert order.slippage_cost == Decimal("0.20")


def test_slippage_of_a_sell_above_its_arrival_price_is_a_gain() -> None:
    order = one_order(side="sell", filled_avg_price="100.02")
    assert order.slippage_bps == Decimal("-2.00")
    assert order.slippage_cost == Decimal("-0.20")


def test_an_order_without_a_fill_has_no_slippage() -> None:
    order = one_order(filled_qty="0", filled_avg_price=None)
    assert order.slippage_bps is None
    assert order.slippage_cost == 0
    assert order.value == 0


def test_a_wrong_field_is_named_with_its_file() -> None:
    with pytest.raises(ValueError, match=r"s3://b/report.json: status: "):
        read_report(json.dumps(SKIPPED | {"status": "MAYBE"}).encode(), "s3://b/report.json")


def one_order(**changes: object) -> OrderPart:
    content = {
        "client_order_id": "r-AAPL-buy-x-1",
        "symbol": "AAPL",
        "side": "buy",
        "qty": "10",
        "status": "FILLED",
        "filled_qty": "10",
        "filled_avg_price": "100",
        "reference_price": "100",
    } | changes
    return read_report(json.dumps(SKIPPED | {"orders": [content]}).encode(), "x").orders[0]
