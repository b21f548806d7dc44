from datetime import date

import pytest

from lab.trials import Fold, cut_folds
from lab.trials.folds import parse_span
from openbell.errors import InvalidInput

# Ten sessions of January 2024; the 15th is a holiday.
JANUARY = [date(2024, 1, day) for day in (2, 3, 4, 5, 8, 9, 10, 11, 12, 16)]


def fold(number: int, *days: int) -> Fold:
    return Fold(number, *(date(2024, 1, day) for day in days))


def test_rolling_windows_move_on_by_the_length_of_the_out_of_sample_window() -> None:
    assert cut_folds(JANUARY, train=4, test=2) == (
        fold(1, 2, 5, 8, 9),  # 2, 3, 4, 5 then 8, 9
        fold(2, 4, 9, 10, 11),  # 4, 5, 8, 9 then 10, 11
        fold(3, 8, 11, 12, 16),  # 8, 9, 10, 11 then 12, 16
    )


def test_anchored_windows_grow_from_the_first_session() -> None:
    assert cut_folds(JANUARY, train=4, test=2, anchored=True) == (
        fold(1, 2, 5, 8, 9),
        fold(2, 2, 9, 10, 11),
        fold(3, 2, 11, 12, 16),
    )


def test_a_rest_that_is_shorter_than_a_window_is_left_out() -> None:
    assert cut_folds(JANUARY[:9], train=4, test=2)[-1] == fold(2, 4, 9, 10, 11)  # the 12th is alone


def test_one_fold_may_take_everything() -> None:
    assert cut_folds(JANUARY, train=7, test=3) == (fold(1, 2, 10, 11, 16),)


def test_windows_that_do_not_fit_are_refused_with_the_sessions_that_are_missing() -> None:
    with pytest.raises(InvalidInput, match=r"--train 8 and --test 3 need 11 sessions; there are 10"):
        cut_folds(JANUARY, train=8, test=3)


@pytest.mark.parametrize(("text", "sessions"), [("504", 504), ("2y", 504), ("6m", 126), ("4w", 20), ("2", 2)])
def test_a_span_is_sessions_or_years_months_weeks_of_them(text: str, sessions: int) -> None:
    assert parse_span("--train", text) == sessions


@pytest.mark.parametrize("text", ["", "y", "0", "1", "-5", "2.5y", "2 years", "²"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"--train .*: expected a number of sessions"):
        parse_span("--train", text)
