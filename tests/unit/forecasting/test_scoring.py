"""The accuracy record, worked by hand."""

from dataclasses import replace
from datetime import date

import pytest

from openbell.accuracy import Tally
from openbell.forecasting.record import naive_scale
from openbell.forecasting.scoring import over_last, quantile_loss, score, tally
from openbell.forecasts import Forecast

MONDAY, TUESDAY, WEDNESDAY = date(2024, 1, 8), date(2024, 1, 9), date(2024, 1, 10)
FORECAST = Forecast(
    symbol="KO",
    last_close=100.0,
    sessions=(MONDAY, TUESDAY),
    yhat=(102.0, 99.0),
    yhat_lower=(98.0, 95.0),
    yhat_upper=(106.0, 103.0),
    interval_width=0.8,
    engine="exact",
    naive_scale=2.0,
)


def test_a_bar_is_scored_when_its_close_arrives() -> None:
    assert score(FORECAST, {}) == []
    assert [one.session for one in score(FORECAST, {TUESDAY: 104.0})] == [TUESDAY]


def test_the_scores_of_a_bar() -> None:
    first, second = score(FORECAST, {MONDAY: 105.0, TUESDAY: 104.0})
    assert (first.horizon, second.horizon) == (1, 2)
    assert first.percentage_error == pytest.approx(3 / 105)
    assert first.scaled_error == pytest.approx(3 / 2)  # |105 - 102| / 2
    assert first.naive_scaled_error == pytest.approx(5 / 2)  # |105 - 100| / 2
    assert first.hit is True  # up was expected, up it went
    assert first.covered is True
    # lower end, level 0.1: 0.1 * (105 - 98) = 0.7; upper end, level 0.9: 0.1 * (106 - 105) = 0.1; mean 0.4 of 100 USD
    assert first.pinball == pytest.approx(0.004)
    assert second.hit is False  # down was expected, up it went
    assert second.covered is False
    # the lower end costs 0.1 * (104 - 95), the upper end 0.9 * (104 - 103): 0.9 each, of 100 USD
    assert second.pinball == pytest.approx(0.009)


def test_a_direction_that_nobody_took_is_no_hit_and_no_miss() -> None:
    assert score(FORECAST, {MONDAY: 100.0})[0].hit is None
    assert score(replace(FORECAST, yhat=(100.0, 99.0)), {MONDAY: 101.0})[0].hit is None


def test_an_interval_holds_at_its_ends() -> None:
    assert score(FORECAST, {MONDAY: 98.0})[0].covered
    assert not score(FORECAST, {MONDAY: 97.99})[0].covered


def test_quantile_loss_weighs_the_two_sides() -> None:
    assert quantile_loss(12, 10, 0.9) == pytest.approx(1.8)
    assert quantile_loss(8, 10, 0.9) == pytest.approx(0.2)


def test_naive_scale_is_the_mean_absolute_change() -> None:
    assert naive_scale([10, 11, 9]) == 1.5
    with pytest.raises(ValueError, match="at least 2 closes, got 1"):
        naive_scale([10])
    with pytest.raises(ValueError, match="all 3 are 7"):
        naive_scale([7, 7, 7])


def test_a_tally_averages_and_compares_with_naive() -> None:
    accuracy = sum(tally(score(FORECAST, {MONDAY: 105.0, TUESDAY: 104.0})).values(), Tally()).accuracy
    assert accuracy.bars == 2
    assert accuracy.mase == pytest.approx((1.5 + 2.5) / 2)
    assert accuracy.naive_mase == pytest.approx((2.5 + 2.0) / 2)
    assert accuracy.skill == pytest.approx(1 - 2.0 / 2.25)
    assert (accuracy.hit_rate, accuracy.coverage) == (0.5, 0.5)
    with pytest.raises(ValueError, match="no scores to summarise"):
        _ = Tally().accuracy


def test_the_record_rolls_over_sessions_by_horizon() -> None:
    later = replace(FORECAST, sessions=(TUESDAY, WEDNESDAY), symbol="PEP")
    closes = {MONDAY: 105.0, TUESDAY: 104.0, WEDNESDAY: 99.0}
    scores = [one for forecast in (later, FORECAST) for one in score(forecast, closes)]
    by_session = {day: tally(one for one in scores if one.session == day) for day in (MONDAY, TUESDAY, WEDNESDAY)}
    assert by_session[TUESDAY].keys() == {1, 2}  # one forecast's first bar, another's second
    assert over_last(by_session, 1).keys() == {2}
    both = over_last(by_session, 3)[1].accuracy
    assert both.bars == 2
    assert both.mase == pytest.approx((1.5 + 1.0) / 2)  # |105 - 102| / 2 and |104 - 102| / 2
    assert over_last({}, 3) == {}


def test_prices_from_before_a_split_are_rescaled() -> None:
    # two to one: the close of 52.5 is 105 in the forecast's shares
    (first,) = score(FORECAST, {MONDAY: 52.5}, rescale=0.5)
    assert first.scaled_error == pytest.approx(3 / 2)


def test_a_forecast_with_values_missing_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="KO: sessions, yhat, yhat_lower and yhat_upper must have one value a bar"):
        replace(FORECAST, yhat=(1.0,))
    with pytest.raises(ValueError, match="KO has no naive scale"):
        score(replace(FORECAST, naive_scale=None), {MONDAY: 1.0})
