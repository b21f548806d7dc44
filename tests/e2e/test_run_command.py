"""`openbell run` from outside: the template, the state machine and every Lambda on real market history."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.commands import Ended, openbell

ORDER = {
    "client_order_id",
    "symbol",
    "side",
    "qty",
    "status",
    "filled_qty",
    "filled_avg_price",
    "strategies",
    "reason",
}
RUN = {
    "run_id",
    "as_of",
    "status",
    "seconds",
    "universe",
    "forecasts",
    "signals",
    "orders",
    "sleeves",
    "equity",
}


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return openbell("run", "--days", "2", "--json", folder=tmp_path_factory.mktemp("two_days"))


def test_a_run_ends_well_with_orders_filled(two_days: Ended) -> None:
    assert two_days.exit_code == 0, two_days.stderr
    first, second = two_days.answer["runs"]
    assert (first["status"], second["status"]) == ("COMPLETED", "COMPLETED")
    assert first["as_of"].startswith("2022-06-15T15:00:00-04:00")
    wanted = [order for order in first["orders"] if not order["protective"]]
    assert len(wanted) >= 5
    assert {order["status"] for order in wanted} == {"FILLED"}
    assert {order["status"] for order in first["orders"] if order["protective"]} == {"WORKING"}  # they rest
    assert len(first["forecasts"]["made"]) == 20


def test_the_answer_has_the_promised_shape(two_days: Ended) -> None:
    for run in two_days.answer["runs"]:
        assert run.keys() >= RUN
        for order in run["orders"]:
            assert order.keys() >= ORDER
            assert order["reason"]
            assert all(isinstance(order[name], str) for name in ("qty", "filled_qty"))
            assert (order["filled_avg_price"] is None) == (Decimal(order["filled_qty"]) == 0)
    sleeves = two_days.answer["runs"][0]["sleeves"]
    cash = sum(Decimal(sleeve["cash"]) for sleeve in sleeves.values())
    paid = sum(
        Decimal(order["filled_qty"]) * Decimal(order["filled_avg_price"])
        for order in two_days.answer["runs"][0]["orders"]
        if not order["protective"]
    )
    assert abs(cash + paid - Decimal(90000)) < Decimal("0.5")  # sleeves get 0.9 of 100,000; cents are rounded per order


def test_positions_are_carried_to_the_next_day(two_days: Ended) -> None:
    first, second = two_days.answer["runs"]
    held = [run["sleeves"]["momentum"]["positions"] for run in (first, second)]
    assert held[0] == held[1] != {}
    assert first["books_agree"] is second["books_agree"] is True


def test_the_report_is_one_self_contained_page(two_days: Ended) -> None:
    page = Path(two_days.answer["report"])
    assert page.is_absolute()  # whoever reads the JSON does not know this folder
    text = page.read_text()
    assert "<svg" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "<script src" not in text


def test_nothing_is_left_running(two_days: Ended) -> None:
    assert two_days.left_behind == ()


def test_a_holiday_is_a_skipped_run_that_says_when_the_market_opens(tmp_path: Path) -> None:
    ended = openbell("run", "--as-of", "2022-06-20T15:00", "--json", folder=tmp_path)
    assert ended.exit_code == 3
    assert ended.run["status"] == "SKIPPED"
    assert "next open Tuesday 2022-06-21 09:30" in ended.run["note"]
    assert ended.run["orders"] == []
