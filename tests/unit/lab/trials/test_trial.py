from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from lab.backtest import backtest
from lab.figures import Provenance, figures_of
from lab.forecasts import ForecastStore
from lab.outcome import BacktestSettings
from lab.trials import Combination, Terms, Trial, TrialResult, run_trial
from lab.trials.trial import config_of, session_sharpe
from openbell.codec import from_json, to_json
from tests.unit.lab.trials.searches import SESSIONS, config, market

FIRST, LAST = SESSIONS[60], SESSIONS[99]


def trial(pick: str, first: date = FIRST, last: date = LAST, **parameters: object) -> Trial:
    return Trial("holds", Combination({"pick": pick, **parameters}), first, last)


def test_a_trial_has_the_figures_of_the_backtest_with_its_parameters(tmp_path: Path) -> None:
    one, settings = config(tmp_path), BacktestSettings(FIRST, LAST)
    result = run_trial(market(), one, trial("UP"), Terms(cost_bps=Decimal(5)))
    outcome = backtest(market(), config_of(one, trial("UP")), settings, ForecastStore(None))
    expected = figures_of(outcome, market(), Decimal(5), Provenance("", "", 0, {})).strategies["holds"]
    assert result.figures
    assert result.figures.annual_sharpe == pytest.approx(expected.performance.sharpe)
    assert result.figures.cagr == expected.performance.cagr
    assert result.figures.max_drawdown == expected.performance.max_drawdown
    assert result.figures.final_equity == expected.performance.end
    assert result.figures.turnover == expected.performance.turnover
    assert result.figures.trades == expected.trades.trips + expected.trades.still_open == 1


def test_equal_trials_give_equal_results(tmp_path: Path) -> None:
    one = config(tmp_path)
    assert run_trial(market(), one, trial("UP"), Terms()) == run_trial(market(), one, trial("UP"), Terms())


def test_there_is_a_return_for_each_session_and_they_read_back_bit_by_bit(tmp_path: Path) -> None:
    result = run_trial(market(), config(tmp_path), trial("UP"), Terms())
    again = from_json(TrialResult, to_json(result))
    assert again == result
    assert again.figures
    assert len(again.figures.returns) == 40  # rows 60 to 99
    grown = 100_000 * float(np.prod(1 + again.figures.returns))
    assert grown == pytest.approx(again.figures.final_equity)


def test_bars_before_the_first_session_are_seen_but_not_traded(tmp_path: Path) -> None:
    patient = trial("UP", patience=60)  # on row 60 there are just 60 complete bars
    result = run_trial(market(), config(tmp_path), patient, Terms())
    assert result.figures
    assert result.figures.trades == 1
    assert result.figures.returns[1] != 0  # bought at the first session's close
    impatient = run_trial(market(), config(tmp_path), trial("UP", patience=62), Terms())
    assert impatient.figures
    assert (impatient.figures.returns[:2] == 0).all()  # two sessions later


def test_a_strategy_that_raises_fails_its_trial_with_its_own_words(tmp_path: Path) -> None:
    result = run_trial(market(), config(tmp_path), trial("BOOM"), Terms())
    assert result.figures is None
    assert "out of ideas" in result.error
    assert "40 runs" in result.error


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (trial("UP", last=date(2031, 1, 2)), "lies outside the data"),
        (trial("UP", patience="very"), "patience: Input should be a valid integer"),
        (Trial("magic", Combination({}), FIRST, LAST), "unknown strategy magic"),
        (Trial("holds", Combination({}, {"size": 0}), FIRST, LAST), "greater than or equal to 1"),
    ],
)
def test_whatever_is_wrong_with_a_trial_is_told_and_not_raised(tmp_path: Path, wrong: Trial, complaint: str) -> None:
    result = run_trial(market(), config(tmp_path), wrong, Terms())
    assert (result.trial, result.figures) == (wrong, None)
    assert complaint in result.error


def test_a_failed_trial_does_not_change_the_next_one(tmp_path: Path) -> None:
    one = config(tmp_path)
    alone = run_trial(market(), one, trial("UP"), Terms())
    run_trial(market(), one, trial("BOOM"), Terms())
    assert run_trial(market(), one, trial("UP"), Terms()) == alone


def test_standing_still_has_a_sharpe_ratio_of_zero() -> None:
    assert session_sharpe(np.zeros(20)) == 0
    returns = np.array([0.01, -0.01, 0.02, 0.02])  # mean 0.01, standard deviation sqrt(0.0006 / 3) = 0.01414
    assert session_sharpe(returns) == pytest.approx(0.01 / 0.0141421, rel=1e-5)
