"""Numbers as people read them."""

from decimal import Decimal

import pytest

from cli.formats import bps, count, money, percent, score, seconds, shares, signed_money, signed_percent


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1234567.891", "1,234,567.89"),
        ("-0.5", "\u22120.50"),
        ("0", "0.00"),
        ("-0.001", "0.00"),  # no negative zero
        ("2.005", "2.00"),  # half to even
    ],
)
def test_money_has_two_decimals_and_thousands(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text


def test_a_missing_amount_is_a_dash() -> None:
    assert money(None) == shares(None) == bps(None) == percent(None) == "\u2013"


def test_only_a_gain_gets_a_plus() -> None:
    assert [signed_money(Decimal(x)) for x in ("5", "0", "-5")] == ["+5.00", "0.00", "\u22125.00"]
    assert signed_money(Decimal("0.001")) == "0.00"
    assert signed_percent(0.0312) == "+3.1\u00a0%"


@pytest.mark.parametrize(("qty", "text"), [("10.500", "10.5"), ("100", "100"), ("1E+3", "1,000"), ("0", "0")])
def test_shares_lose_trailing_zeros_but_no_others(qty: str, text: str) -> None:
    assert shares(Decimal(qty)) == text


def test_scores_and_basis_points_show_their_sign() -> None:
    assert (score(0.6), score(-0.4), score(0.0)) == ("+0.60", "\u22120.40", "0.00")
    assert bps(Decimal("2.04")) == "+2.0"


def test_durations_lose_decimals_as_they_grow() -> None:
    assert [seconds(x) for x in (0.844, 12.34, 125)] == ["0.84 s", "12.3 s", "2 min 05 s"]


def test_one_thing_is_singular() -> None:
    assert (count(1, "order"), count(2, "order"), count(0, "order")) == ("1 order", "2 orders", "0 orders")
