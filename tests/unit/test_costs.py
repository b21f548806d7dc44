"""The bill of a month, by numbers that can be worked out by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest

from openbell.costs import (
    TICKS,
    Recorded,
    bill,
    load_prices,
    monthly,
    shares,
    total,
    with_tickers,
)

# Ten ticks: two of them ran with 20 forecasts and 5 orders each, eight were skipped. Histories of all were read.
RECORDED = Recorded(
    ticks=10,
    gb_seconds={"OpenRunFunction": 2.0, "SelectUniverseFunction": 3.0, "ForecastFunction": 5.0},
    invocations={"OpenRunFunction": 10, "SelectUniverseFunction": 2, "ForecastFunction": 40},
    histories=10,
    transitions=90,
    batches=40,
    orders=10,
    forecasting=2,
    tickers=20.0,
    log_bytes=1_000_000,
    metrics=41,
    alarms=8,
    dashboards=1,
)


def test_a_month_has_26_ticks_on_21_days() -> None:
    assert TICKS == 546


def test_what_was_recorded_is_scaled_to_the_months_ticks() -> None:
    month = monthly(RECORDED, ticks=100)  # ten times as many
    assert month["lambda_gb_second"] == pytest.approx(100.0)  # (2 + 3 + 5) * 10
    assert month["lambda_request"] == 520
    assert month["transition"] == 900
    assert month["log_gb"] == pytest.approx(0.01)
    assert month["write_unit"] == 100 * 24 + 400 * 2 + 100 * 40  # ticks, forecasts, orders
    assert month["read_unit"] == 100 * 40 + 400 * 2 + 100 * 24
    assert month["s3_get"] == 100 * 14 + 400 * 3  # ticks, batches


def test_what_does_not_depend_on_the_ticks_is_not_scaled() -> None:
    for ticks in (1, 1000):
        month = monthly(RECORDED, ticks)
        assert (month["alarm"], month["dashboard"], month["secret"]) == (8, 1, 1)


def test_a_metric_is_paid_for_the_hours_in_which_it_gets_values() -> None:
    # 40 metrics for 7 hours of 21 sessions in a month of 730 hours, and the heartbeat for all of it
    assert monthly(RECORDED)["metric"] == pytest.approx(1 + 40 * 147 / 730)


def test_the_free_quantity_is_subtracted_once_and_never_below_nothing() -> None:
    lines = {line.item: line for line in bill({"transition": 10_000.0, "lambda_request": 10.0}, load_prices())}
    assert (lines["transition"].full, lines["transition"].due) == (Decimal("0.25"), Decimal("0.15"))  # 4,000 are free
    assert lines["lambda_request"].due == 0


def test_a_bill_adds_up_by_halves() -> None:
    lines = bill(monthly(RECORDED), load_prices())
    whole, trading, looking = total(lines), total(lines, observing=False), total(lines, observing=True)
    assert (trading[0] + looking[0], trading[1] + looking[1]) == whole
    assert {line.item for line in lines} == set(load_prices().items)


def test_more_tickers_take_more_time_and_up_to_40_a_state_each() -> None:
    twice = with_tickers(RECORDED, tickers=40, batches=40)
    assert twice.transitions == 90 - 40 + 2 * 40
    assert twice.gb_seconds == {"OpenRunFunction": 2.0, "SelectUniverseFunction": 6.0, "ForecastFunction": 10.0}
    assert twice.invocations["ForecastFunction"] == 80
    assert monthly(twice, 10)["write_unit"] == 10 * 24 + 80 * 2 + 10 * 40


def test_beyond_40_a_state_has_several() -> None:
    many = with_tickers(RECORDED, tickers=500, batches=39)
    assert many.transitions == 90 - 40 + 2 * 39
    assert many.gb_seconds["ForecastFunction"] == 125.0  # 5 * 500 / 20
    assert monthly(many, 10)["write_unit"] == 10 * 24 + 2 * 500 * 2 + 10 * 40


def test_the_recorded_number_of_tickers_changes_nothing() -> None:
    assert with_tickers(RECORDED, tickers=20, batches=20) == RECORDED


def test_without_forecasts_there_is_nothing_to_reckon_from() -> None:
    with pytest.raises(ValueError, match="made no forecasts"):
        with_tickers(replace(RECORDED, tickers=0.0, batches=0, forecasting=0), 20, 20)


def test_forecasts_are_paid_by_those_who_want_them() -> None:
    # 60 % are forecasts: prophet_trend pays them and half of the rest
    assert shares(0.6, {"prophet_trend": 20}, ["momentum", "prophet_trend"]) == {
        "momentum": pytest.approx(0.2),
        "prophet_trend": pytest.approx(0.8),
    }
    assert shares(0.6, {}, ["a", "b"]) == {"a": 0.5, "b": 0.5}


def test_every_price_has_a_name_a_unit_and_the_list_a_date() -> None:
    prices = load_prices()
    assert len(prices.date) == len("2026-11-21")
    assert all(price.name and price.unit and price.price > 0 for price in prices.items.values())
