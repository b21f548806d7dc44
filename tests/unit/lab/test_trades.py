"""Round trips from fills, worked by hand."""

from datetime import date
from decimal import Decimal

import pytest

from lab.trades import BookedFill, RoundTrip, round_trips, trade_figures
from openbell.model import LegKind, Side

D = Decimal
NO_COST = D(0)


def fill(
    day: int, side: Side, qty: str, value: str, symbol: str = "A", kind: LegKind | None = LegKind.ENTRY
) -> BookedFill:
    return BookedFill(date(2022, 6, day), "one", symbol, side, D(qty), D(value), kind)


def test_a_trip_lasts_from_flat_to_flat() -> None:
    # 10 for 1,000, 5 more for 600, 15 sold for 1,800: 200 made of 1,600
    fills = [fill(1, Side.BUY, "10", "1000"), fill(2, Side.BUY, "5", "600"), fill(7, Side.SELL, "15", "1800")]
    assert round_trips(fills, NO_COST, {}) == [RoundTrip("one", "A", date(2022, 6, 1), date(2022, 6, 7), 1600, 200, 0)]


def test_selling_a_part_does_not_end_a_trip() -> None:
    fills = [fill(1, Side.BUY, "10", "1000"), fill(2, Side.SELL, "4", "440")]
    # 6 left at 120 = 720; 440 + 720 - 1000 = 160
    (trip,) = round_trips(fills, NO_COST, {"A": 120.0})
    assert (trip.left, trip.pnl) == (None, pytest.approx(160))


def test_the_next_purchase_after_flat_is_another_trip() -> None:
    fills = [
        fill(1, Side.BUY, "1", "100"),
        fill(2, Side.SELL, "1", "110"),
        fill(3, Side.BUY, "1", "120"),
        fill(6, Side.SELL, "1", "115", kind=LegKind.STOP),
    ]
    assert [trip.pnl for trip in round_trips(fills, NO_COST, {})] == [10, -5]


def test_commission_is_paid_at_both_ends_but_not_inside_the_account() -> None:
    fills = [fill(1, Side.BUY, "1", "1000"), fill(2, Side.SELL, "1", "1000", kind=None)]
    (trip,) = round_trips(fills, D(10), {})  # 10 bps of 1,000 is 1 USD, once
    assert (trip.cost, trip.pnl) == (pytest.approx(1.0), pytest.approx(-1.0))


def test_figures_of_two_winners_and_a_loser() -> None:
    def trip(pnl: float, left: date | None = date(2022, 6, 11)) -> RoundTrip:
        return RoundTrip("one", "A", date(2022, 6, 1), left, 1000, pnl, 0)

    figures = trade_figures([trip(30), trip(20), trip(-25), trip(500, left=None)])
    assert (figures.trips, figures.still_open) == (3, 1)
    assert figures.win_rate == pytest.approx(2 / 3)
    assert figures.profit_factor == pytest.approx(50 / 25)
    assert figures.expectancy == pytest.approx(25 / 3)
    assert figures.mean_gain == pytest.approx(0.025)
    assert figures.mean_loss == pytest.approx(-0.025)
    assert figures.mean_days == pytest.approx(10)


def test_no_trips_have_no_ratios() -> None:
    figures = trade_figures([])
    assert figures.trips == 0
    assert figures.win_rate != figures.win_rate  # NaN
