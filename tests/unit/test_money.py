from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.money import CENT, ONE_SHARE, SHARE_QUANTUM, allocate, bought_with, to_cents

D = Decimal


def test_ten_shares_over_three_equal_weights_are_4_3_3() -> None:
    assert allocate(D(10), [D(1), D(1), D(1)], ONE_SHARE) == [4, 3, 3]


def test_the_largest_remainder_gets_what_rounding_left() -> None:
    # 10 x (1, 2, 4) / 7 = 1.43, 2.86, 5.71: rounded down 1, 2, 5; the two left go to .86 and .71
    assert allocate(D(10), [D(1), D(2), D(4)], ONE_SHARE) == [1, 3, 6]


def test_nothing_over_zero_weights_is_nothing() -> None:
    assert allocate(D(0), [D(0), D(0)], CENT) == [0, 0]


def test_something_over_zero_weights_is_an_error() -> None:
    with pytest.raises(ValueError, match="weights that are all zero"):
        allocate(D(1), [D(0)], CENT)


def test_a_negative_weight_is_an_error() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        allocate(D(1), [D(2), D(-1)], CENT)


amounts = st.decimals(min_value=0, max_value=10**7, places=2)


@given(amounts, st.lists(amounts, min_size=1, max_size=8).filter(any))
def test_the_parts_sum_to_the_whole_and_none_is_further_than_a_quantum_from_its_share(
    total: Decimal, weights: list[Decimal]
) -> None:
    parts = allocate(total, weights, CENT)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) < CENT


def test_cents_round_half_to_even() -> None:
    assert [to_cents(D("0.005")), to_cents(D("0.015"))] == [D("0.00"), D("0.02")]


def test_shares_bought_never_exceed_the_budget_and_never_go_below_zero() -> None:
    assert bought_with(D("999.99"), D(100), ONE_SHARE) == 9
    assert bought_with(D("999.99"), D(700), SHARE_QUANTUM) == D("1.428557142")
    assert bought_with(D(-5), D(100), ONE_SHARE) == 0
